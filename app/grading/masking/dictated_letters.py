"""Find car plates and VINs dictated letter by letter: «у пять пять восемь ве эн сто два»."""

import re
from collections.abc import Iterator

from app.grading.masking.finders import Finder, Found, blanked, finder, in_lower, plain_key
from app.grading.masking.number_words import SPOKEN_WORD

_JOINT = r"[ ,.-]{1,3}"
# «а как анна»
_EXAMPLE = r"(?: как [а-яё]{2,12})?"
_PLATE_LETTER = rf"(?:[авекмнорстух]|вэ|ве|ка|эм|эн|эр|эс|тэ|те|ха|хэ|икс){_EXAMPLE}(?!\w)"
_DIGITS = rf"(?:\d{{1,3}}|{SPOKEN_WORD})(?:{_JOINT}(?:\d|{SPOKEN_WORD}(?!\w))){{0,3}}"
_PLATE = (
    rf"(?i:{_PLATE_LETTER}{_JOINT}{_DIGITS}{_JOINT}{_PLATE_LETTER}{_JOINT}{_PLATE_LETTER}"
    rf"(?:{_JOINT}(?:регион{_JOINT})?{_DIGITS}(?!\w))?)"
)
_CAR_WORD = (
    r"(?<!\w)(?i:номер\w{0,3}|госномер\w{0,3}|госник\w{0,3}|грз|знак\w{0,2}|машин\w{1,3}|авто"
    r"|тачк\w{1,3}|приед\w{1,3}|подъед\w{1,3}|шлагбаум\w{0,2}|пропуск\w{0,2})"
)
_LETTER_NAME = (
    r"(?i:[a-zа-яё]|эй|би|би[йи]|си|ди|эф|джи|эйч|аш|ай|джей|кей|ка|эль|эл|эм|эн|оу|пи|кью|ку|ар"
    r"|эр|эс|ти|тэ|та|ю|ви|вэ|ве|дабл ю|дабл-ю|дабл|дубль вэ|икс|экс|уай|игрек|зет|зэт|зед|бэ|гэ|дэ"
    r"|жэ|зэ|пэ|хэ|ха|це|че|я)(?!\w)"
)
_VIN_ITEM = (
    rf"(?:{_LETTER_NAME}{_EXAMPLE}|\d{{1,6}}(?!\w)|{SPOKEN_WORD}(?!\w)|[A-Z\d]{{2,8}}(?!\w))"
)
_VIN = re.compile(
    r"(?<!\w)(?i:vin|вин(?:-?код\w{0,2})?|номер кузова|кузов\w{0,2}|шасси)(?!\w)[^\0\n]{0,30}?"
    r"(?<!\w)"
    rf"(?P<v>{_VIN_ITEM}(?:{_JOINT}{_VIN_ITEM}){{7,24}})"
)
_LEAST_NUMBERS = 3
_NUMBER = re.compile(rf"\d|(?<!\w){SPOKEN_WORD}(?!\w)")


def _find_vins(text: str) -> Iterator[tuple[int, int, str]]:
    """Return runs of letter names and numbers after the word "VIN" in an ordinary chat text."""
    for match in _VIN.finditer(text):
        if len(_NUMBER.findall(match["v"])) >= _LEAST_NUMBERS:
            yield *match.span("v"), plain_key(match["v"])


_HINT = in_lower(
    rf"вин(?:-?код\w{{0,2}})?(?!\w)|(?<!\w)vin|кузов|шасси|{_PLATE_LETTER}{_JOINT}{_PLATE_LETTER}"
)
_FINDERS: tuple[Finder, ...] = (
    _find_vins,
    finder(rf"{_CAR_WORD}[^\d\0\n]{{0,25}}?(?<!\w)(?P<v>{_PLATE})"),
)


def dictated_letters(text: str) -> Iterator[Found]:
    """Return (start, end, kind, key) of each plate and VIN; they precede numbers in words."""
    if not _HINT(text):
        return
    for find in _FINDERS:
        found = [(start, end, "АВТО", key) for start, end, key in find(text)]
        yield from found
        text = blanked(text, found)
