"""Find links, and names of accounts in messengers and social networks."""

from app.grading.masking.finders import finder, in_lower
from app.grading.masking.mailboxes import ZONE

_REST_OF_LINK = r"[^\s\0\[\]<>«»\"]{0,300}[^\s\0\[\]<>«»\".,;:!?)']"
_MESSENGER = (
    r"(?i:телеграмм?\w{0,2}|телег[аеуи]|тележк[аеуи]|тг|т\.?г\.?|tg|telegram|инстаграмм?\w{0,2}"
    r"|инст[ауе]|inst|insta|instagram|вк|vk|вконтакте|контакте|контакт|ник|никнейм\w{0,2}"
    r"|юзер(?:нейм\w{0,2})?|username|скайп\w{0,2}|skype|дискорд\w{0,2}|discord"
    r"|вайбер\w{0,2}|viber|в[оа]тс ?ап\w{0,2}|в[оа]цап\w{0,2}|whats ?app|тик ?ток\w{0,2}"
    r"|tik ?tok|одноклассник\w{1,2}|ок\.ру|директ\w{0,1}|ютуб\w{0,2}|youtube|фейсбук\w{0,2}"
    r"|facebook|тредс\w{0,1}|стим[е]?|твич\w{0,1}|twitch|пинтерест\w{0,1}|pinterest"
    r"|твиттер\w{0,1}|twitter|icq|аська|зум\w{0,1}|рутуб\w{0,1}|мессенджер\w{0,1}"
    # Also words of brands and models («Max Mara», «Zoom H1n»): only as «в Max», «Max:».
    r"|(?:(?<=[вВ] )|(?<=через ))(?:max|макс|steam|zoom|signal|сигнал|threads)"
    r"|(?<![a-z\d] )(?:max|макс|steam|zoom|signal|сигнал|threads)(?= ?[:-] | "
    r"(?-i:[a-z]{2,20}[._][a-z\d])))"
)
_FILLER = (
    r"(?:(?i:я|как|в|есть|это|так\w{2,3}|русскими|английскими|латинскими|буквами|латиницей"
    r"|кириллицей|называется|называюсь|подписан\w?|через|мой|моя|меня|мы|наш|ник\w{0,2}"
    r"|канал\w{0,2}|аккаунт|акк|группа|группе|там|тут|по|под|пишите|пиши|найд[её]те"
    r"|найди\w{0,2}|ищите|имя|вот|это|там же|id|айди|зовут|профиль|добавляйте|логин|стиме|вк|тг"
    r"|телеге|инсте|дискорде)[ :,-]{1,3}){0,4}"
)
_NO_NICK = (
    r"(?!(?i:v\.?\d|whats|viber|telegram|instagram|skype|max\b|vk\b|avito|https?|iphone|ipad"
    r"|samsung"
    r"|android|xiaomi|huawei|honor|redmi|google|yandex|web\b|wi-?fi|online|desktop|premium"
    r"|business|shop\b|pro\b|plus\b|messenger|nick\b|name\b))"
)
_NICK = (
    rf"{_NO_NICK}(?:id\d{{4,12}}|live:[\w.]{{3,40}}|[A-Za-z][\w.]{{2,31}}#\d{{4}}"
    r"|(?=[\w.-]{0,31}[A-Za-z])[A-Za-z][\w.-]{3,31}(?<![.-]))"
)
_CYRILLIC_NICK = (
    r"(?=[А-ЯЁа-яё\d.]{1,30}_)[А-ЯЁа-яё][\w.]{3,31}(?<!\.)|[А-ЯЁа-яё][А-ЯЁа-яё\w.]{2,31}#\d{4}"
    r"|[А-ЯЁа-яё]{2,20}\d{2,6}(?![\w-])|(?=[A-Za-z]{0,10}[А-яЁё]{1,20}\d|[А-яЁё]{1,10}[A-Za-z])"
    r"[A-Za-zА-яЁё\d_]{5,31}"
)
_ACCOUNT_WORD = (
    r"(?i:ник\w{0,4}|логин\w{0,2}|акк\w{0,8}|профил\w{1,2}|найд[её]\w{1,4}|найти|ищ[иу]\w{0,2}"
    r"|подпи[сш]\w{1,8}|добавля\w{1,5}|стучи\w{0,3})"
)
_SAID_MARK = r"(?i:точка|dot|дефис|тире|(?:нижнее )?подч[её]ркивание|underscore|андерскор)"
# A Latin name in parts («lash.by.zarema»), and one spelled with the names of its signs.
_DOTTED = (
    r"(?=[a-z\d._-]{4,40}(?![\w-]))[A-Za-z][A-Za-z\d]{1,20}"
    r"(?:[._-]{1,2}[A-Za-z\d]{1,20}){1,5}(?!\w|\.\w)"
)
_LETTERS_ASIDE = (
    r"(?: (?i:(?:маленьк|больш|строчн|заглавн|латинск|английск|русск)\w{2,3} букв\w{1,3}"
    r"|слитно|латиницей))?"
)
_SAID_JOINT = rf"{_LETTERS_ASIDE}(?: потом| дальше| затем)? {_SAID_MARK}(?: потом| дальше| затем)? "
_UNDERSCORE = r"(?i:подч[её]ркивание|underscore|андерскор)"
# One mark between Russian words is plain speech («группа точка выдачи»), an underscore is not.
_SPELLED = (
    rf"(?:(?:(?i:эт|ат|at|собак[аи]|собачка) )[A-Za-zА-Яа-яё\d]{{2,20}}"
    rf"(?:{_SAID_JOINT}[A-Za-zА-Яа-яё\d]{{1,20}}){{1,5}}"
    rf"|[A-Za-z\d]{{2,20}}(?:{_SAID_JOINT}[A-Za-z\d]{{1,20}}){{1,5}}"
    rf"|(?=[^\0\n]{{0,60}}{_UNDERSCORE}|(?:[^\0\n]{{0,30}} {_SAID_MARK} ){{2}})"
    rf"[A-Za-zА-Яа-яё\d]{{2,20}}(?:{_SAID_JOINT}[A-Za-zА-Яа-яё\d]{{1,20}}){{1,5}}){_LETTERS_ASIDE}"
)
_CALLED = r"(?i:звучит|называется|читается|пишется|пишусь|зовусь|значусь|произносится)"
_DOT, _SLASH = r" ?(?:\.|(?i:точка|dot)) ?", r" ?(?:/|(?i:сл[еэ]ш|слаш|slash|дробь|косая)) ?"

_UNDERSCORED = r"(?=[^\W_]{1,20}_[\w.]{0,30}[^\W\d_])[^\W\d_][\w.]{3,31}(?<!\.)"

LINK_FINDERS = (
    ("АДРЕС", finder(r"\[геолокация: (?P<v>[^\]]{1,300})\]")),
    ("ССЫЛКА", finder(rf"(?<![A-Za-z])(?i:https?://|www\.){_REST_OF_LINK}")),
)
LINK_HINT = in_lower(r"\[геолокация|//|www\.")
HANDLE_HINT = in_lower(
    r"\.\w|@|[a-z]{3}|id\d|_|#\d|соба[кч]|(?<!\w)т\.?г\b"
    r"|(?:телег|телегр|инст|дискорд|ник\w{0,2}|вк)[ :]"
)
HANDLE_FINDERS = (
    (
        "ССЫЛКА",
        finder(
            rf"(?<![\w@.-])(?:[A-Za-zА-яё0-9-]{{1,63}}\.){{1,5}}{ZONE}(?![\w-]|\.\w)"
            rf"(?:[/?#]{_REST_OF_LINK})?"
        ),
    ),
    (
        "ССЫЛКА",
        finder(
            r"(?<!\w)(?i:t ?[. ]? ?me|т ?\.? ?ме|vk|вк|wa|ok|инстаграм|instagram)"
            rf"(?:{_DOT}(?i:com|ком|ru|ру|me|ми))?{_SLASH}@?[\w.]{{2,40}}"
        ),
    ),
    ("НИК", finder(r"(?<![\w@])@[A-Za-z][\w.]{2,31}(?<!\.)")),
    (
        "НИК",
        finder(rf"(?<!\w)(?:@|(?i:собак[аи]|собачка)) (?P<v>(?=[A-Za-z]){_UNDERSCORED})(?![\w@])"),
    ),
)
NICK_HINT = in_lower(
    r"(?<!\w)(?:теле[гж]|т\.?г|tg|telegr|инст|inst|вк|vk|контакт|ник|юзер|user|скайп|skype|дискорд"
    r"|discord|max|макс|вайбер|viber|в[оа][тц]|whats|тик|tik|однокл|ок\.ру|дирек|ютуб|youtube|фейс"
    r"|faceb|сигнал|signal|тред|thread|стим|steam|твич|twi|пинтер|pinter|твит|icq|аська|зум|zoom"
    r"|рутуб|мессен|логин|акк|профил|най[дт]|ищ[иу]|подпи|добавля|стучи)"
)
NICK_FINDERS = (
    (
        "НИК",
        finder(
            rf"(?<!\w){_MESSENGER}[ :,-]{{1,4}}{_FILLER}"
            rf"(?P<v>{_SPELLED})(?!\w)"
        ),
    ),
    ("НИК", finder(rf"(?<!\w){_MESSENGER}[ :,-]{{1,4}}{_FILLER}@?(?P<v>{_NICK})(?!\w)")),
    ("НИК", finder(rf"(?<!\w){_MESSENGER}[ :,-]{{1,4}}{_FILLER}(?P<v>{_CYRILLIC_NICK})(?!\w)")),
    (
        "НИК",
        finder(
            rf"(?<!\w){_MESSENGER}[ :,-]{{1,4}}(?P<v>(?i:собак[аи]|собачка)"
            rf" [а-яёa-z_\d.]{{3,20}}(?<!\.)(?: {_SAID_MARK} [а-яёa-z\d]{{2,20}}){{0,2}})(?!\w)"
        ),
    ),
    (
        "НИК",
        finder(
            rf"(?<!\w)(?P<v>{_NO_NICK}(?=[A-Za-z.]{{0,30}}[_\d])[A-Za-z][\w.]{{4,31}}(?<!\.))"
            rf"(?= ?(?:[-,(] ?)?(?:это |мой |в |на )?{_MESSENGER}(?!\w))"
        ),
    ),
    (
        "НИК",
        finder(
            rf"(?<!\w)(?:{_MESSENGER}|{_ACCOUNT_WORD})"
            rf"[^\0\n]{{0,40}}?(?<![\w#])(?P<v>{_UNDERSCORED})(?!\w)"
        ),
    ),
    (
        "НИК",
        finder(
            rf"(?<![\w#])(?P<v>{_UNDERSCORED})(?= [^\0\n]{{0,25}}?(?<!\w)"
            rf"(?:{_MESSENGER}|{_ACCOUNT_WORD})(?!\w))"
        ),
    ),
    ("НИК", finder(rf"(?<!\w){_MESSENGER}[^\0\n]{{0,30}}?[ :«\"@(](?P<v>{_DOTTED})")),
    (
        "НИК",
        finder(
            rf"(?<!\w){_MESSENGER}[^\0\n:]{{0,25}}: ?[«\"@]?"
            rf"(?P<v>{_NO_NICK}[A-Za-z][\w.]{{4,31}}(?<!\.))(?!\w)"
        ),
    ),
    (
        "НИК",
        finder(
            rf"(?<!\w)(?:{_MESSENGER}|{_ACCOUNT_WORD})[^\0\n]{{0,40}}?(?<!\w){_CALLED}[ :,-]{{1,3}}"
            r"(?:(?i:как|так)[ :-]{1,3})?(?P<v>[«\"][^«»\"\0\n]{3,40}[»\"]|[A-Za-z][\w.]{3,31}"
            r"(?<!\.))"
        ),
    ),
    (
        "НИК",
        finder(
            rf"\0[^\w\0]{{1,3}}(?:(?i:а|и) )?{_CALLED}[ :-]{{1,3}}(?P<v>[A-Za-z][\w.]{{3,31}}"
            rf"(?<!\.))"
        ),
    ),
)
