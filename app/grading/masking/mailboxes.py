"""Patterns of e-mail addresses: written, with blanks and brackets in them, and spelled in words («иван собака мейл ру»)."""

import re

ZONE = (
    r"(?i:ru|su|com|net|org|info|me|io|pro|shop|store|site|online|app|link|cc|by|kz|ua|uz|kg"
    r"|xyz|biz|ly|рф|рус|онлайн|be|tv|gg|de|eu|ai|dev|tech|club|top|vip|tatar|москва)"
)

_NAME = r"[\w%+-]{1,40}"
_SAID_DOT = r"(?: ?[(\[](?i:dot|точка|тчк)[)\]] ?| (?i:точка|тчк|дот|dot) )"
_DOT = rf"(?: ?[.,] ?|{_SAID_DOT})"
_JOINT = rf"(?:[.]|{_SAID_DOT}| ?(?i:нижнее подч[её]ркивание|подч[её]ркивание|тире|дефис|минус|underscore) ?)"
_MAILBOX = rf"(?<![\w.%+-]){_NAME}(?:{_JOINT}{_NAME}){{0,4}}(?: \d{{1,4}})?"
_BRACKETED_AT = r" ?[(\[](?i:at|эт|ат|собака|собачка|гав|dog)[)\]] ?"
_SPOKEN_AT = rf"(?:{_BRACKETED_AT}| (?i:собак[аи]|собачка|собаченька|эт|at|псина|гав|п[её]с) | ?@ ?)"
_PROVIDER = (
    r"(?i:mail|gmail|yandex|ya|inbox|list|bk|rambler|icloud|outlook|hotmail|yahoo"
    r"|м[еэ]йл|майл|маил|(?:джи|г)[ -]?м[еэ]йл|яндекс|рамбл?ер|инбокс|лист|бк|б\.?к|ай ?клауд|аутлук|хотм[еэ]йл|протон)"
)
_SPOKEN_ZONE = rf"(?:{ZONE}|(?i:ру|ком|нет|орг|эр ?эф|су))(?!\w)"

MAIL_HINT = re.compile(r"@|[(\[]\w{2,8}[)\]]|соба[кч]|псин|гав| (?:эт|at|п[её]с) ", re.IGNORECASE)
MAIL_PATTERNS = (
    r"(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-zА-яё0-9-]{1,63}(?:\.[A-Za-zА-яё0-9-]{1,63}){0,4}\.[A-Za-zА-яё]{2,24}",
    rf"{_MAILBOX}{_SPOKEN_AT}[\w-]{{1,40}}{_DOT}{_SPOKEN_ZONE}",
    rf"{_MAILBOX}{_SPOKEN_AT}{_PROVIDER} {_SPOKEN_ZONE}",
    rf"{_MAILBOX} ?[(\[]\w{{2,8}}[)\]] ?{_PROVIDER}{_DOT}{_SPOKEN_ZONE}",
    rf"{_MAILBOX}{_BRACKETED_AT}{_PROVIDER}(?!\w)",
    rf"(?<![\w.%+-])(?=[a-z\d._%+-]{{0,64}}[a-z]){_NAME}(?:\.{_NAME}){{0,4}} (?i:собак[аи]|собачка) {_PROVIDER}(?!\w)",
)
