"""Patterns of e-mail addresses: written, with blanks or brackets, and in words.

Example in words: «иван собака мейл ру».
"""

from app.grading.masking.finders import in_lower

ZONE = (
    r"(?i:ru|su|com|net|org|info|me|io|pro|shop|store|site|online|app|link|cc|by|kz|ua|uz|kg"
    r"|xyz|biz|gl|ly|рф|рус|онлайн|be|tv|gg|de|eu|ai|dev|tech|club|top|vip|tatar|москва)"
)

_NAME = r"[\w%+-]{1,40}"
_ASIDE = (
    r"(?:(?: (?i:(?:маленьк|больш|строчн|заглавн|латинск|английск|русск)\w{2,3} букв\w{1,3}|слитно"
    r"|латиницей))?(?: (?i:потом|дальше|затем|далее|и))?)"
)
_THEN = r"(?:(?i:потом|дальше|затем|далее) )?"
_SAID_DOT = (
    r"(?: ?[(\[{](?i:dot|точка|тчк|tochka)[)\]}] ?"
    rf"|{_ASIDE} (?i:точка|тчк|дот|dot|tochka) {_THEN})"
)
_DOT = rf"(?: ?[.,] ?|{_SAID_DOT})"
_JOINT = (
    rf"(?:[.]|{_SAID_DOT}"
    rf"|{_ASIDE} ?(?i:нижнее подч[её]ркивание|подч[её]ркивание|тире|дефис|минус"
    rf"|underscore) ?{_THEN})"
)
_MAILBOX = rf"(?<![\w.%+-]){_NAME}(?:{_JOINT}{_NAME}){{0,4}}(?: \d{{1,4}})?"
_DOG = r"собак[аи]|собачка|собаченька|собакен|sobaka|sobachka|псина|гав|п[её]с"
_BRACKETED_AT = rf" ?[(\[{{\"«'*](?i:at|эт|ат|a|а|dog|@|{_DOG})[)\]}}\"»'*] ?"
_SPOKEN_AT = (
    rf"(?:{_BRACKETED_AT}|{_ASIDE} (?:(?i:знач[оёе]к|знак|символ|значком|знаком) )?"
    rf"(?i:эт|at|{_DOG}|собачки|собачку|собаку|собачкой|собакой) {_THEN}| ?@ ?)"
)
_PLAIN_AT = r" (?i:на|ат|эт) "
_MAIL_WORD = r"(?<!\w)(?i:почт[ауые]|мыло|e-?mail|[иеэ]-?м[еэ]?[йи]л|электронк[ауи])[ :—-]{1,3}"
_ASCII_NAME = r"(?<![\w.%+-])(?=[\d._-]{0,30}[a-z])[a-z\d._-]{3,40}"
_PROVIDER = (
    r"(?i:mail|gmail|yandex|ya|inbox|list|bk|rambler|icloud|outlook|hotmail|yahoo|гугл"
    r"|м[еэ]йле?|майл|маил|(?:джи|ж|г)[ -]?м[еэа][йи]л|яндекс|рамбл?ер|инбокс|лист|бк|б\.?к"
    r"|ай ?клауд|аутлук|хотм[еэ]йл|протон)"
)
_SPOKEN_ZONE = rf"(?:{ZONE}|(?i:ру|ком|нет|орг|эр ?эф|су))(?!\w)"

MAIL_HINT = in_lower(
    r"@|[(\[{]\w{1,9}[)\]}]|соба[кч]|soba|псин|гав| (?:эт|ат|at|п[её]с) "
    r"|(?:mail|gmail|yandex|inbox|list|bk|rambler|icloud)\.(?:ru|com)|gmail|дж?имейл|почт|мыло"
    r"|мейл|электронк"
)
MAIL_PATTERNS = (
    r"(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-zА-яё0-9-]{1,63}"
    r"(?:\.[A-Za-zА-яё0-9-]{1,63}){0,4}\.[A-Za-zА-яё]{2,24}",
    rf"{_MAILBOX}{_SPOKEN_AT}[\w-]{{1,40}}{_DOT}{_SPOKEN_ZONE}",
    rf"{_MAILBOX}{_SPOKEN_AT}{_PROVIDER} {_SPOKEN_ZONE}",
    rf"{_MAILBOX}{_BRACKETED_AT}{_PROVIDER}(?!\w)",
    r"(?<![\w.%+-])(?=[a-z\d._%+-]{0,64}[a-z])"
    rf"{_NAME}(?:\.{_NAME}){{0,4}} (?i:собак[аи]|собачка) {_PROVIDER}(?!\w)",
    rf"{_ASCII_NAME}{_PLAIN_AT}{_PROVIDER}{_DOT}{_SPOKEN_ZONE}",
    rf"{_ASCII_NAME}{_PLAIN_AT}{_PROVIDER} {_SPOKEN_ZONE}",
    rf"{_ASCII_NAME} {{1,3}}(?i:mail|gmail|yandex|inbox|list|bk|rambler|icloud|hotmail|outlook)"
    r"\.(?i:ru|com|ua|kz|by)(?!\w)",
    r"(?<!\w)(?i:gmail|дж?имейл|г-?м[еэ]йл|мыло|почта|e-?mail)(?: моя)?: ?"
    r"(?P<v>(?=[a-z._-]{1,30}[._\d])[a-z][\w.-]{3,30})(?![\w@])",
    r"(?<![\w.%+-])[\w.%+-]{1,40}@(?i:mail|gmail|yandex|ya|inbox|list|bk|rambler)(?![\w.])",
    r"(?<!\w)(?:[a-z\d_.-] ){2,30}@(?: [a-z\d-]){2,20} \.(?: [a-z]){2,4}(?!\w)",
    rf"{_MAIL_WORD}(?P<v>{_MAILBOX} {_PROVIDER}(?:{_DOT}| ){_SPOKEN_ZONE})",
)
