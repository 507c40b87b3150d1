r"""Find what stands beside an address that is already found, and codes of doors.

The text holds \x01 in place of each character of an address.
"""

import re
from collections.abc import Iterator

from app.grading.masking.address_chains import SPOKEN_NUMBER, USUAL_STREET, may_name_street
from app.grading.masking.bare_streets import is_no_street_alone
from app.grading.masking.finders import Finder, finder, in_lower, plain_key
from app.grading.masking.number_words import SPOKEN_WORD
from app.grading.masking.words import read_word

_DOOR = (
    r"(?i:двер\w{1,2}|подъезд\w{0,2}|домофон\w{0,2}|калитк\w{1,2}|ворот\w{0,2}|шлагбаум\w{0,2}"
    r"|парадн\w{1,2}|зам(?:ок|ка|ке)|тамбур\w{0,2}|консьерж\w{0,2}|вход\w{0,2}|сейф\w{0,2}"
    r"|ключниц\w{1,2})"
)
_KEY = r"(?i:реш[её]тк\w|зв[её]здочк\w|ключ\w?|ключик|хэш|х[эе]ш|диез|вызов|кей|звонок|к|в)(?!\w)"
_SPOKEN_CODE = rf"(?:{SPOKEN_WORD}|{_KEY}|\d{{1,4}})"
_CODE_WORD = (
    r"(?<!\w)(?i:код\w{0,2}|парол\w{1,2}|набирай\w{0,2}|набер\w{1,5}|нажм\w{1,4}|жми\w{0,2})"
)
_CODE = (
    r"[#*]\d{2,8}[#*]?|\d{2,8}[#*]|\d{1,4} ?[КкKkВвBbCcСс#] ?\d{2,6}|\d{1,4} (?i:ключ|key) \d{2,6}"
)
_ORDINAL = (
    r"(?:(?i:двадцать|тридцать|сорок|пятьдесят|шестьдесят|семьдесят|восемьдесят|девяносто|сто) )?"
    r"(?i:перв|втор|трет|четв[её]рт|пят|шест|седьм|восьм|девят|десят|[а-яё]{3,8}надцат|двадцат"
    r"|тридцат|сороков|пятидесят)(?i:ый|ой|ий|ая|ом|ем|ье|ья)"
)
_SENTENCE_END = r"(?=\s{0,3}$|[.;!)](?:\s|$)|\n)"
_KIND = (
    r"(?i:улица|переулок|проезд|тупик|линия|микрорайон|мкр|квартал|просека|аллея|проспект|разъезд"
    r"|ряд|рабочая)"
)
_PLACE = r"[А-ЯЁ][а-яё-]{2,30}"
TAIL_HINT = in_lower(
    rf"\x01|(?<!\w)дом (?:\d|{SPOKEN_WORD})|(?<!\w)(?:код|парол|домофон|двер|калитк|шлагбаум"
    rf"|тамбур|набер|набир|нажм|жми)"
    rf"|(?<!\w)\d{{1,3}}(?:-?(?:[йя]|[аоы][йя]))?[а-г]? {_KIND},"
)


def _find_said_street(text: str) -> Iterator[tuple[int, int, str]]:
    """Find a street that other words separate from its house («по карла маркса, там дом 5»)."""
    for match in _SAID_STREET.finditer(text):
        words = match["v"].split()
        while words and not (
            may_name_street(words[-1])
            and not is_no_street_alone(words[-1])
            and (len(words) == 1 or _may_begin_street(words[0]))
        ):
            words.pop()
        if words:
            end = match.start("v") + len(" ".join(words))
            yield match.start("v"), end, plain_key(text[match.start("v") : end])


def _may_begin_street(word: str) -> bool:
    reading = read_word(word)
    return reading.is_genitive or reading.is_first_name or reading.is_adjective


_SAID_STREET = re.compile(
    r"(?<!\w)(?i:по|на|улиц[аеуы]|ул\.?|с) (?P<v>[А-ЯЁа-яё-]{4,30}(?: [А-ЯЁа-яё-]{4,30})?)"
    r"(?=[^\0\x01\n\d]{1,40}\x01)"
)
TAIL_FINDERS: tuple[Finder, ...] = (
    finder(r"\x01 (?P<v>(?i:с|стр|к|корп)\.? ?\d{1,2}[а-г]?)(?=\W{0,3}$|[,;])"),
    finder(r"(?<!\w)(?P<v>(?i:офис|оф|кв|квартира|корпус|подъезд)\.? ?\d{1,4})[, ]{1,3}(?=\x01)"),
    finder(
        r"(?<!\w)(?P<v>(?i:г|город|пгт|пос|пос[её]л(?:ок|ке)|сел[оеа]|с(?=\.)|д(?=\.)|дер"
        r"|деревн[яеию]|станиц[аеы]|ст-ца|хутор\w?|аул\w?|снт)"
        r"[. ] ?[А-ЯЁа-яё][а-яё-]{2,30}(?: [А-ЯЁ][а-яё-]{2,20})?)[, ]{1,3}(?=\x01)"
    ),
    finder(
        r"(?<!\w)(?P<v>[А-ЯЁ][а-яё-]{2,30}(?: [А-ЯЁ][а-яё-]{2,20})?),? (?=\x01)",
        accept=lambda text: (
            read_word(text.split(" ")[-1]).is_place
            or (" " in text and read_word(text.split(" ")[0]).is_adjective)
        ),
    ),
    finder(
        rf"(?<![\w-])(?P<v>(?:{_PLACE} (?i:пос[её]лок|слобода|станция|остров),? )?"
        rf"\d{{1,3}}(?:-?(?:[йяе]|[аоы][йя]))?[А-Га-г]? {_KIND},? ?"
        r"(?:(?i:дом|д)\.? ?)?\d{1,3}[а-г]?(?:[/-]\d{1,4})?"
        r"(?:, (?:(?i:кв|квартира)\.? ?)?\d{1,4})?)(?![\d:%]|[.,]\d| ?(?i:мин|час|руб|эт|тыс|м"
        r"(?!\w)))"
    ),
    finder(rf"(?<!\w)(?P<v>{_ORDINAL} (?i:дом|корпус|квартира|доме|квартире))(?=[ ,]{{1,3}}\x01)"),
    finder(rf"\x01[ ,]{{1,3}}(?P<v>{_ORDINAL} (?i:дом|корпус|квартира|подъезд))(?!\w)"),
    finder(rf"\x01, ?(?P<v>\d{{1,3}}[а-г]?(?:[/-]\d{{1,3}})?){_SENTENCE_END}"),
    finder(
        rf"(?<!\w)(?i:по|на|улиц[аеуы]) (?P<v>(?i:{USUAL_STREET.pattern.removeprefix('(?i)')}"
        rf"|мира|победы"
        r"|труда|советской|октября|космонавтов|строителей)"
        rf")(?=[^\0\x01\n\d]{{1,60}}(?<!\w)(?i:дом) (?:\d|{SPOKEN_WORD}(?!\w)))"
    ),
    finder(
        rf"\x01[^\0\x01\n\d]{{1,60}}(?<!\w)(?P<v>(?i:дом) (?:\d{{1,3}}[а-г]?|{SPOKEN_NUMBER}))"
        rf"(?!\w)"
    ),
    _find_said_street,
    finder(
        r"(?<![\w-])(?P<v>[А-ЯЁ][а-яё]{3,20}(?:ский|ый|ой) (?i:остров|пос[её]лок|городок|район))"
        r"[, ]{1,3}(?=\x01)"
    ),
    finder(
        rf"(?<!\w){_DOOR}[ :,—-]{{1,3}}(?:(?i:код|номер|это|набрать|там)[ :-]{{1,3}})?"
        rf"(?P<v>{_CODE})(?!\w)"
    ),
    finder(rf"{_CODE_WORD}[^\d\0\x01\n#*]{{0,25}}(?<!\w)(?P<v>{_CODE})(?!\w)"),
    finder(
        rf"{_CODE_WORD} (?:(?i:от|на|у|в|для|к) )?(?:[а-яё]{{3,12}} )?{_DOOR}[ :,—-]{{1,3}}"
        rf"(?:(?i:такой|это|там)[ :-]{{1,3}})?(?P<v>{_SPOKEN_CODE}"
        rf"(?:[ ,-]{{1,3}}{_SPOKEN_CODE}){{1,8}})(?!\w)"
    ),
)
