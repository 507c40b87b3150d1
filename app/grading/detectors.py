"""Small finders of personal data in a Russian text, most certain first, and of the look-alikes that have to stay.

A finder takes the text with digits and dashes in one spelling (`uniform`), what was found before as NULs, and yields (start, end, key);
equal keys are the same thing written differently.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise

from app.grading.spoken_numbers import spoken_phones

Finder = Callable[[str], Iterator[tuple[int, int, str]]]

_ZERO_LETTERS = re.compile(r"(?<=\d)[ОоOo]+(?![^\W\d_])|(?<![^\W\d_])[ОоOo]+(?=\d)")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_BLANK = re.compile(r"[^\S ]")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_FREE = r"(?<![A-Za-z\d])"  # a figure glued to Latin letters is a part number
_END = r"(?![A-Za-z\d])"
_SEP = r"[\s().\-_*\ufe0f\u20e3]{0,4}"  # the last two make a keycap of a digit
_PHONE_END = r"[\ufe0f\u20e3]*(?![A-Za-z\d])"


def uniform(text: str) -> str:
    """The text with any script's digits as 0-9, «О» among digits as 0, any dash as "-", any blank as " "; no character moves."""
    plain = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), _BLANK.sub(" ", text.translate(_DASHES)))
    return _ZERO_LETTERS.sub(lambda match: "0" * len(match[0]), plain)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _finder(pattern: str, key: Callable[[str], str] = _plain, accept: Callable[[str], bool] = lambda _: True) -> Finder:
    """Finds group `v` of the pattern, or all of it, where `accept` takes the value."""
    compiled = re.compile(pattern)
    group = "v" if "v" in compiled.groupindex else 0

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for match in compiled.finditer(text):
            if accept(match[group]):
                yield *match.span(group), key(match[group])

    return find


def _passes_luhn(text: str) -> bool:
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(_digits(text)))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _passes_snils(text: str) -> bool:
    digits = [int(digit) for digit in _digits(text)]
    return sum(digit * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True)) % 101 % 100 == digits[9] * 10 + digits[10]


def _passes_inn12(text: str) -> bool:
    digits = [int(digit) for digit in text]
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    first = sum(digit * weight for digit, weight in zip(digits[:10], weights[1:], strict=True)) % 11 % 10
    second = sum(digit * weight for digit, weight in zip(digits[:11], weights, strict=True)) % 11 % 10
    return digits[10:] == [first, second] and text[:2] != "00"


def _phone_key(text: str) -> str:
    digits = _digits(text)
    return digits[-10:] if len(digits) == 11 and digits[0] in "78" else digits


def _is_no_size_list(text: str) -> bool:
    """A row of sizes («8 9 10 11 12 13») grows; a phone number does not."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d)?(?!\d)", text)]
    return len(numbers) < 4 or any(after <= before for before, after in pairwise(numbers))


def _phones(pattern: str) -> Finder:
    return _finder(pattern, _phone_key, _is_no_size_list)


_LABELLED = r"(?i:объявлени[ея] (?:номер|№)|лот|артикул|арт\.|id|ид|трек|накладная|imei|sku|vin|штрих-?код)[ №:#-]{1,4}"
_MONEY_OR_KM = r"(?i:₽|руб|р\b|т\.? ?р|тыс|\$|€|км\b)"

_DOCUMENT = r"(?i:паспорт\w*|пасп\.|сери[яию]|водительск\w+|в/у|удостоверени\w+)"
_PASSPORT = r"\d{2}[ -]?\d{2}[ ,]{0,2}(?:(?i:№|n|номер|ном\.?)[ :]{0,2})?\d{3}[ -]?\d{3}"

_MAILBOX = r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+"
_SPOKEN_AT = r"(?i:\(at\)|\[at\]|\(собака\)|собак[аи]|собачка)"
_ZONE = r"(?i:ru|su|com|net|org|info|me|io|pro|shop|store|site|online|app|link|cc|by|kz|ua|xyz|biz|ly|рф|рус|онлайн)"
_REST_OF_LINK = r"[^\s\0\[\]<>«»\"]*[^\s\0\[\]<>«»\".,;:!?)']"
_MESSENGER = r"(?i:телеграмм?\w{0,2}|телег[аеуи]|тг|tg|telegram|инстаграмм?\w{0,2}|инст[ауе]|instagram|вк|vk|ник|скайп|skype)"
_NICK = (
    r"(?!(?i:whats|viber|telegram|instagram|skype|max\b|vk\b|avito|https?|iphone|samsung|android))"
    r"(?=[\w.]*[a-z])[A-Za-z][\w.]{4,31}(?<!\.)"
)

_NAME = r"(?:\d{1,2}-?(?:[яй]|[аоы][яй])? )?[А-ЯЁ][А-ЯЁа-яё\d-]+(?: [А-ЯЁ][а-яё-]+){0,2}"
_ROOM = (
    r"(?i:корпус|корп|к|строение|стр|литера?|лит|квартира|кв|офис|оф|помещение|пом|подъезд|под|этаж|эт|домофон|комната)\.? ?№? ?"
    r"\d{1,4}[а-яА-Я]?(?![\wа-я])(?! ?(?i:м|кв|ч|час\w*|утра|дня|вечера)\b)(?!:)"
)
_NUMBER = r"\d{1,4}(?: ?[а-еА-Е](?!\w))?(?:[/-]\d{1,4})?(?!\d)"
_HOUSE = rf"[, ]*(?:(?i:дом|д)\.? ?)?{_NUMBER}(?:[, ]*{_ROOM})*"
_STREET = (
    r"(?<!\w)(?i:улиц[аеуы]|проспект[ае]?|переул(?:ок|ке|ка)|шоссе|бульвар[ае]?|набережн(?:ая|ой|ую)|площад[ьи]|проезд[ае]?"
    r"|микрорайон[ае]?)"
)
_SHORT_STREET = r"(?<!\w)(?i:ул|пр-к?т|просп|пер|б-р|наб|мкр)(?:\. ?| )"
_SHORT_STREET_WITH_HOUSE = r"(?<!\w)(?i:ул|пр|пр-к?т|просп|пер|ш|мкр|мкрн|пл)(?:\. ?| )"
_STREET_AFTER_NAME = (
    r"(?i:улиц[аеуы]|ул\.?|проспект[ае]?|пр-к?т|шоссе|ш\.|переул(?:ок|ке|ка)|пер\.|проезд[ае]?|бульвар[ае]?|набережн(?:ая|ой))"
)
_PLACE_WORD = r"(?i:адрес\w*|жив[уе]\w*|нахо[жд]\w+|самовывоз\w*|приезжайте|подъезжайте|забрать)"
_BEFORE_PLACE = r"(?i:[ :,-]| с| на| по| по адресу| г\.? ?[а-я-]+,)*"

# None in place of a kind: a look-alike; nothing after it may read it as personal data.
FINDERS: tuple[tuple[str | None, Finder], ...] = (
    ("АДРЕС", _finder(r"\[геолокация: (?P<v>[^\]]+)\]")),
    ("ССЫЛКА", _finder(rf"(?i:https?://|www\.){_REST_OF_LINK}")),
    ("ПОЧТА", _finder(rf"{_MAILBOX}@[A-Za-zА-яё0-9-]+(?:\.[A-Za-zА-яё0-9-]+)*\.[A-Za-zА-яё]{{2,}}")),
    ("ПОЧТА", _finder(rf"{_MAILBOX} ?{_SPOKEN_AT} ?[A-Za-z0-9-]+ ?(?i:\.|точка) ?(?:{_ZONE}|(?i:ру|ком))\b")),
    ("ССЫЛКА", _finder(rf"(?<![\w@.-])(?:[A-Za-zА-яё0-9-]+\.)+{_ZONE}(?![\w-])(?:[/?#]{_REST_OF_LINK})?")),
    ("НИК", _finder(r"(?<![\w@])@[A-Za-z][\w.]{2,31}(?<!\.)")),
    ("НИК", _finder(rf"(?<!\w){_MESSENGER}(?: мой| ник| канал)?[ :-]{{1,3}}(?P<v>{_NICK})")),
    ("СЧЁТ", _finder(rf"{_FREE}(?:30|4[0-2])(?:[ -]?\d){{18}}{_END}", _digits)),
    ("КАРТА", _finder(rf"{_FREE}[2-6]\d{{3}}([ -]{{0,3}})\d{{4}}\1\d{{4}}\1\d{{4}}{_END}", _digits, _passes_luhn)),
    ("КАРТА", _finder(rf"{_FREE}[2-6]\d(?:[ -]?\d){{14}}(?:(?:[ -]?\d){{2,3}})?{_END}", _digits, _passes_luhn)),
    (None, _finder(rf"(?<!\w){_LABELLED}(?!\+?[78][3-9]\d{{9}}\b)[A-Z\d-]{{5,20}}\b")),
    (None, _finder(rf"(?<![\d+])(?<!\+ )\d{{1,3}}(?:[ .]\d{{3}}){{1,4}} ?{_MONEY_OR_KM}")),
    (None, _finder(r"(?<![\d+])(?<!\+ )\d{1,3}(?: \d{3}){0,3} 000(?!\d)(?![ -]\d\d)")),
    (None, _finder(r"(?<!\d)(?:\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?: ?- ?\d{1,2}:\d\d)?)(?!\d)")),
    ("СНИЛС", _finder(r"(?i:снилс)\D{0,20}(?P<v>\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2})(?!\d)", _digits)),
    ("СНИЛС", _finder(rf"{_FREE}\d{{3}}[ -]\d{{3}}[ -]\d{{3}}[ -]\d{{2}}{_END}", _digits, _passes_snils)),
    ("ИНН", _finder(r"(?i:(?<![а-яё])инн)\D{0,15}(?P<v>\d{12}|\d{10})(?!\d)", _digits)),
    ("ИНН", _finder(rf"{_FREE}(?<!\+)\d{{12}}{_END}", _digits, _passes_inn12)),
    ("ПАСПОРТ", _finder(rf"{_DOCUMENT}\D{{0,40}}(?P<v>{_PASSPORT})(?!\d)", _digits)),
    ("ПАСПОРТ", _finder(rf"(?<!\d)(?P<v>{_PASSPORT})[ ,(-]{{1,3}}{_DOCUMENT}", _digits)),
    ("ТЕЛЕФОН", _phones(rf"\+ ?\d(?:{_SEP}\d){{9,13}}{_PHONE_END}")),
    ("ТЕЛЕФОН", _phones(rf"{_FREE}[78]{_SEP}[3-9](?:{_SEP}\d){{9}}{_PHONE_END}")),
    ("ТЕЛЕФОН", _phones(rf"{_FREE}(?<!\d[ -])(?:375|380|99[2-68])(?:{_SEP}\d){{9}}{_PHONE_END}")),
    ("ТЕЛЕФОН", _phones(rf"{_FREE}\(?[3489]\d\d\)?[ .-]{{1,2}}(?!000)\d{{3}}[ .-]?\d\d[ .-]?\d\d{_END}")),
    ("ТЕЛЕФОН", _phones(rf"{_FREE}(?<![\d,.] )9(?:\d{{9}}|(?:[ .-]\d){{9}}){_END}(?! ?\d)")),
    ("ТЕЛЕФОН", spoken_phones),
    ("ТЕЛЕФОН", _phones(r"(?i:тел|звон|номер)\w*\.?\D{0,15}(?<!\d)(?P<v>\d{3}-\d\d-\d\d|\d\d-\d\d-\d\d)(?![\d-])")),
    ("АДРЕС", _finder(rf"{_STREET} {_NAME}(?:{_HOUSE})?")),
    ("АДРЕС", _finder(rf"{_SHORT_STREET}{_NAME}(?:{_HOUSE})?")),
    ("АДРЕС", _finder(rf"{_SHORT_STREET_WITH_HOUSE}(?:{_NAME}|[а-яё-]{{3,}}(?: [а-яё-]{{3,}})?){_HOUSE}")),
    ("АДРЕС", _finder(rf"(?<!\w)[А-ЯЁ][а-яё-]+(?:[аы]я|[иыо]й|о[ем]|ем|ую|а|о) {_STREET_AFTER_NAME}{_HOUSE}")),
    ("АДРЕС", _finder(rf"{_PLACE_WORD}{_BEFORE_PLACE}\s?(?P<v>{_NAME}{_HOUSE})")),
    ("АДРЕС", _finder(rf"(?<!\w)(?:[А-ЯЁ][а-яё-]+,? )?(?i:дом|д|кв|квартира)\.? ?№? ?{_NUMBER}(?:[, ]+{_ROOM})+")),
    ("АДРЕС", _finder(rf"(?<!\w)[А-ЯЁ][а-яё-]+,? {_NUMBER}(?:[, ]+{_ROOM})+")),
)
