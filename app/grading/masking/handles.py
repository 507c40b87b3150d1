"""Links, and names of accounts in messengers and social networks."""

import re

from app.grading.masking.finders import finder
from app.grading.masking.mailboxes import ZONE

_REST_OF_LINK = r"[^\s\0\[\]<>«»\"]{0,300}[^\s\0\[\]<>«»\".,;:!?)']"
_MESSENGER = (
    r"(?i:телеграмм?\w{0,2}|телег[аеуи]|тележк[аеуи]|тг|т\.?г\.?|tg|telegram|инстаграмм?\w{0,2}|инст[ауе]|inst|insta|instagram|вк|vk"
    r"|вконтакте|контакте|контакт|ник|никнейм\w{0,2}"
    r"|юзер(?:нейм\w{0,2})?|username|скайп\w{0,2}|skype|дискорд\w{0,2}|discord|max|макс[е]?|вайбер\w{0,2}|viber|в[оа]тс ?ап\w{0,2}"
    r"|в[оа]цап\w{0,2}|whats ?app"
    r"|тик ?ток\w{0,2}|tik ?tok|одноклассник\w{1,2}|ок\.ру|директ\w{0,1}|ютуб\w{0,2}|youtube"
    r"|фейсбук\w{0,2}|facebook|сигнал)"
)
_FILLER = (
    r"(?:(?i:я|мой|моя|меня|мы|наш|ник\w{0,2}|канал\w{0,2}|аккаунт|акк|группа|группе|там|тут|по|под|пишите|пиши|найд[её]те|найди\w{0,2}"
    r"|ищите|имя|вот|это|там же|id|айди|зовут|профиль|добавляйте|логин)[ :,-]{1,3}){0,4}"
)
_NO_NICK = (
    r"(?!(?i:whats|viber|telegram|instagram|skype|max\b|vk\b|avito|https?|iphone|ipad|samsung|android|xiaomi|huawei|honor|redmi|google"
    r"|yandex|web\b|wi-?fi"
    r"|online|desktop|premium|business|shop\b|pro\b|plus\b|messenger|nick\b|name\b))"
)
_NICK = (
    rf"{_NO_NICK}(?:id\d{{4,12}}|live:[\w.]{{3,40}}|[A-Za-z][\w.]{{2,31}}#\d{{4}}"
    rf"|(?=[\w.-]{{0,31}}[A-Za-z])[A-Za-z][\w.-]{{3,31}}(?<![.-]))"
)
_CYRILLIC_NICK = r"(?=[А-ЯЁа-яё\d.]{1,30}_)[А-ЯЁа-яё][\w.]{3,31}(?<!\.)|[А-ЯЁа-яё]{2,20}\d{2,6}(?![\w-])"
_DOT, _SLASH = r" ?(?:\.|(?i:точка|dot)) ?", r" ?(?:/|(?i:сл[еэ]ш|слаш|slash|дробь|косая)) ?"

LINK_FINDERS = (
    ("АДРЕС", finder(r"\[геолокация: (?P<v>[^\]]{1,300})\]")),
    ("ССЫЛКА", finder(rf"(?<![A-Za-z])(?i:https?://|www\.){_REST_OF_LINK}")),
)
LINK_HINT = re.compile(r"\[геолокация|//|www\.", re.IGNORECASE)
HANDLE_HINT = re.compile(r"\.\w|@|[A-Za-z]{3}|id\d|_|соба[кч]|(?<!\w)т\.?г\b", re.IGNORECASE)
HANDLE_FINDERS = (
    ("ССЫЛКА", finder(rf"(?<![\w@.-])(?:[A-Za-zА-яё0-9-]{{1,63}}\.){{1,5}}{ZONE}(?![\w-])(?:[/?#]{_REST_OF_LINK})?")),
    (
        "ССЫЛКА",
        finder(
            rf"(?<!\w)(?i:t[. ]?me|т ?ме|vk|вк|wa|ok|инстаграм|instagram)(?:{_DOT}(?i:com|ком|ru|ру|me"
            rf"|ми))?{_SLASH}@?[\w.]{{2,40}}"
        ),
    ),
    ("НИК", finder(r"(?<![\w@])@[A-Za-z][\w.]{2,31}(?<!\.)")),
    ("НИК", finder(rf"(?<!\w){_MESSENGER}[ :,-]{{1,4}}{_FILLER}@?(?P<v>{_NICK})(?!\w)")),
    ("НИК", finder(rf"(?<!\w){_MESSENGER}[ :,-]{{1,4}}{_FILLER}(?P<v>{_CYRILLIC_NICK})(?!\w)")),
    (
        "НИК",
        finder(
            rf"(?<!\w){_MESSENGER}[ :,-]{{1,4}}(?P<v>(?i:собак[аи]|собачка) [а-яёa-z_]{{3,20}}(?: (?i:точка|подч[её]ркивание"
            rf"|нижнее подч[её]ркивание) [а-яёa-z]{{2,20}}){{0,2}})(?!\w)"
        ),
    ),
    (
        "НИК",
        finder(
            rf"(?<!\w)(?P<v>{_NO_NICK}(?=[A-Za-z.]{{0,30}}[_\d])[A-Za-z][\w.]{{4,31}}(?<!\.))(?= ?(?:[-,(] ?)?(?:это |мой |в "
            rf"|на )?{_MESSENGER}(?!\w))"
        ),
    ),
)
