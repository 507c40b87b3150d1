"""Find streets with a house but without a flat, in any letter case.

The kind of the street or a word of going there must stand beside them.
"""

import re
from collections.abc import Iterator

from app.grading.masking.address_chains import (
    HOUSE_NUMBER,
    SPOKEN_NUMBER,
    STREET_ENDING,
    STREET_WORD,
    USUAL_STREET,
    may_name_street,
)
from app.grading.masking.finders import Finder, finder, in_lower, plain_key
from app.grading.masking.number_words import SPOKEN_WORD
from app.grading.masking.words import read_word

_PLAIN_NAME_WORD = (
    r"(?<![А-ЯЁа-яё-])(?!(?i:дом[ауе]?|корпус|кв|квартира|строение|челны)(?!\w))"
    r"[А-ЯЁа-яё][А-ЯЁа-яё-]{2,30}"
)
_NAME_WORD = (
    r"(?:[А-ЯЁ]\. ?|(?i:бр|акад|ген|марш|адм|проф|кап|пос|больш|мал|стар|нов|ср)\. ?)?"
    rf"{_PLAIN_NAME_WORD}"
)
_LOWER_KIND = (
    r"(?i:ул|улиц[аеыу]|пр|пр-к?т|проспект[аеу]?|просп|пер|переул(?:ок|ке|ка)|ш|шоссе"
    r"|тракт[ае]?|бульвар[ае]?|б-р|наб|набережн(?:ая|ой|ую)|пр-д|тупик[ае]?|алле[яею]"
    r"|просек[аеу]|микрорайон[ае]?|мкр)"
)
_ORDINAL = r"(?:\d{1,3}(?:-?(?:[йя]|[аоы][йя])|[ -]лет(?:ия)?|(?= [А-ЯЁа-яё]{3,20}ая(?!\w))) )"
_PLACE_WORD = (
    r"(?<!\w)(?i:адрес\w{0,4}|жив[уеё]\w{0,3}|находимся|самовывоз\w{0,2}|приезжай\w{0,2}"
    r"|подъезжай\w{0,2}|подъед\w{1,4}|приед\w{1,4}|забрать|забер\w{1,4}|доставк\w{1,2}"
    r"|достав\w{2,4}|привез\w{1,5}|вез[иу]\w{0,3}|прописан\w?|еду|ехать|куда|встреч\w{1,6}|жду"
    r"|склад|магазин)"
)


def _of_street(pattern: str, *, is_strict: bool = False) -> Finder:
    """Return a finder of the group `v` if every word of the group `street` may name a street.

    `is_strict`: lower-case words of the dictionary are no streets, except names that every town
    uses.
    """
    compiled = re.compile(pattern)

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for match in compiled.finditer(text):
            words = [
                word
                for word in re.findall(_PLAIN_NAME_WORD, match["street"])
                if not STREET_WORD.fullmatch(word)
            ]
            is_kind = len(words) < len(re.findall(r"[А-ЯЁа-яё-]{2,30}", match["street"]))
            if (
                words
                and not (len(words) == 1 and _is_town(words[0]))
                and all(
                    may_name_street(word, is_kind) and not (is_strict and is_no_street_alone(word))
                    for word in words
                )
            ):
                yield *match.span("v"), plain_key(match["v"])

    return find


def is_no_street_alone(word: str) -> bool:
    """Return whether a word is a street only beside other parts of an address."""
    reading = read_word(word)
    is_common = (
        word.islower() and reading.is_common and not re.search("(?:ск|цк)(?:ая|ой|ую)$", word)
    )
    is_street = bool(STREET_ENDING.fullmatch(word)) or (reading.is_surname and reading.is_genitive)
    return not USUAL_STREET.fullmatch(word) and (is_common or not is_street)


def _is_town(word: str) -> bool:
    return read_word(word).is_place and not STREET_ENDING.fullmatch(word)


_HOUSE = (
    rf",? (?:(?i:дом|д)\.? ?)?(?:(?!\d{{4}}){HOUSE_NUMBER}"
    rf"|{SPOKEN_NUMBER}(?!\w)(?! (?i:руб|тыс|шт|метр|час|том|комн|этаж|кварт|спал|дом)))"
    r"(?: (?:с|стр|к) ?\d{1,2}(?=\W{0,3}$))?"
)
_DATE_STREET = (
    r"(?:\d{1,2} (?i:января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября"
    r"|декабря)|19\d\d года)"
)
_END = (
    r"(?=\W{0,3}$|[,.;!?)]|(?i: (?:домофон|подъезд|кв|этаж|код|с торца|вход|во двор|со двора"
    r"|жду|вот|там|угол)))"
)
_STREET = rf"(?P<street>{_ORDINAL}?{_NAME_WORD}(?: {_NAME_WORD})?)"
_CAPITAL_STREET = rf"(?P<street>{_ORDINAL}?[А-ЯЁ][а-яё-]{{3,30}}(?: [А-ЯЁа-яё][а-яё-]{{3,30}})?)"
_NUMBER_HINT = rf"(?:(?:дом|д\.?) ?)?(?:\d|{SPOKEN_WORD}(?!\w))"
_WORDS = rf"{_ORDINAL}?(?:[а-яё.-]{{3,30}},? ){{1,2}}"
BARE_STREET_HINT = in_lower(
    rf"^\W{{0,3}}(?:\d{{6}},? )?(?:[а-яё.]{{1,5}} ?)?{_WORDS}{_NUMBER_HINT}"
    rf"|(?<!\w){_PLACE_WORD}[ :,-]{{1,3}}(?:(?:на|по|с|в|до|от) )?{_WORDS}{_NUMBER_HINT}"
    rf"|(?<!\w)(?:дома?|доме|у|возле|на|по|с|от|до|напротив|угол) {_WORDS}{_NUMBER_HINT}"
    rf"|(?<!\w)(?:дом номер |дом {SPOKEN_WORD})|[,;:] {_WORDS}\d"
)
KIND_STREET_HINT = in_lower(
    rf"(?<!\w)(?:{_LOWER_KIND}|проезд[ае]?|площад[ьи]|пл|\d{{1,3}}[- ]лет"
    r"|\d{1,2} [а-я]{2,7}[ая])(?![а-яё])"
)
KIND_STREET_FINDERS: tuple[Finder, ...] = (
    finder(
        r"(?<![\w.])(?:(?i:ул|улиц[аеу])\.? )?\d{2,3}[- ](?i:лет|летия)"
        rf" [А-ЯЁа-яё]{{3,20}}{_HOUSE}"
    ),
    finder(
        rf"(?<![\w.])(?:(?i:ул|улиц[аеу])\.? {_DATE_STREET}{_HOUSE}"
        rf"|{_DATE_STREET} \d{{1,3}}[а-г]?(?:[/-]\d{{1,4}})?(?=[, ]{{1,3}}(?i:кв|под|корп|дом)))"
    ),
    finder(
        rf"(?<!\w)(?i:площад[ьи]|пл\.?) (?i:{USUAL_STREET.pattern.removeprefix('(?i)')}|труда"
        rf"|победы|мира|революции|свободы|октября|космонавтов|восстания|согласия){_HOUSE}"
    ),
    _of_street(
        rf"(?<![\w-])(?P<v>(?P<street>{_ORDINAL}?{_NAME_WORD} (?:{_LOWER_KIND}|(?i:проезд[ае]?))"
        rf"){_HOUSE})"
    ),
    _of_street(
        rf"(?<![\w-])(?P<v>(?P<street>{_LOWER_KIND}\.? (?:имени )?{_ORDINAL}?{_NAME_WORD}"
        rf"(?: {_NAME_WORD})?){_HOUSE})"
    ),
)
BARE_STREET_FINDERS: tuple[Finder, ...] = (
    _of_street(
        rf"{_PLACE_WORD}[ :,-]{{1,3}}(?:(?i:на|по|с|в|до|от) )?(?P<v>{_STREET}{_HOUSE}){_END}"
    ),
    _of_street(rf"{_PLACE_WORD}[^\0\x01\n]{{0,40}}?[,:] (?P<v>{_CAPITAL_STREET}{_HOUSE}){_END}"),
    _of_street(rf"^\W{{0,3}}(?P<v>{_STREET}{_HOUSE}){_END}", is_strict=True),
    _of_street(
        rf"(?<!\d)[1-6]\d{{5}},? (?:[а-яёА-ЯЁ-]{{3,30}},? ){{0,2}}(?P<v>{_STREET}{_HOUSE}){_END}"
    ),
    _of_street(
        rf"^\W{{0,3}}[А-ЯЁа-яё-]{{3,30}},? (?P<v>(?P<street>{_NAME_WORD}){_HOUSE}){_END}",
        is_strict=True,
    ),
    _of_street(rf"(?<=[,;:] )(?P<v>{_CAPITAL_STREET}{_HOUSE}){_END}", is_strict=True),
    _of_street(
        r"(?<!\w)(?i:дома|доме|напротив|угол|рядом с)"
        rf" (?P<v>{_STREET}{_HOUSE})(?=\W{{0,3}}$|[,.;!?)]| и )",
        is_strict=True,
    ),
    _of_street(
        rf"(?<!\w)(?i:дома?|доме|у|возле|на|по|с|от|до) (?P<v>{_CAPITAL_STREET}{_HOUSE}){_END}"
    ),
    _of_street(
        rf"(?<!\w)(?i:дом) (?P<v>(?:номер )?{SPOKEN_NUMBER})"
        r" (?=(?i:по|на) (?P<street>[А-ЯЁ][а-яё-]{3,30}))"
    ),
)
"""Streets with a house but without a flat, where the words around leave no doubt."""
