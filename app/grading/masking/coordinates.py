"""Find coordinates: degrees, decimals, words, and codes of maps."""

import re

from app.grading.masking.finders import digits_of, finder


def _may_be_russian(text: str) -> bool:
    """Return whether both numbers are degrees of Russia and its neighbours."""
    first, second = (
        float(number.replace(",", ".")) for number in re.findall(r"\d{1,3}[.,]\d{4,9}", text)
    )
    return 35 <= first <= 82 and 19 <= second <= 180


_DEGREES = (
    r"\d{1,3}(?:[.,]\d{1,7})?[°º˚] ?(?:\d{1,2}(?:[.,]\d{1,4})?['′’] ?)?"
    r"(?:\d{1,2}(?:[.,]\d{1,4})?(?:[\"″”]|''|′′) ?)?"
)
_SIDE = r"[NSEWСЮВЗ]"
_LATITUDE = r"(?i:с\.? ?ш\.?|сев\w{0,4}\.? шир\w{0,3}\.?)"
_LONGITUDE = r"(?i:в\.? ?д\.?|вост\w{0,5}\.? долг\w{0,3}\.?)"
_DECIMAL = r"\d{1,3}[.,]\d{4,9}"
_PLACE_WORD = (
    r"(?<!\w)(?i:координат\w{0,2}|геолокаци\w|геопозици\w|геоточк\w|геометк\w|метк\w|точк\w|гео"
    r"|gps|жпс|локаци\w|навигатор\w{0,2}|вбей\w{0,2}|коорды)"
)
PLACE_HINT = re.compile(
    r"[°º˚]|\d[.,]\d{2}|[NS] ?\d{1,3} \d|градус|\d ?с\.? ?ш|[A-Z\d]{2}\+[A-Z\d]|///"
).search
PLACE_FINDERS = tuple(
    ("АДРЕС", find)
    for find in (
        finder(r"(?<![\d.,])-?\d{1,3}\.\d{4,9}[,;/ ]{1,3}-?\d{1,3}\.\d{4,9}(?!\d)"),
        finder(
            rf"(?<![\d.,])-?{_DECIMAL}(?:[,;/ ]{{1,3}}| (?i:и|на|-) )-?{_DECIMAL}(?!\d)",
            accept=_may_be_russian,
        ),
        finder(rf"(?<!\w){_SIDE} ?{_DECIMAL}[,;/ ]{{0,3}}{_SIDE} ?{_DECIMAL}(?!\d)"),
        finder(rf"(?<![\w.,]){_DECIMAL} ?{_SIDE}[,;/ ]{{0,3}}{_DECIMAL} ?{_SIDE}(?!\w)"),
        finder(
            r"(?<![\w.,])\d{1,3}[.,]\d{2,9} ?"
            rf"{_LATITUDE}[,; ]{{0,3}}\d{{1,3}}[.,]\d{{2,9}} ?{_LONGITUDE}"
        ),
        finder(
            r"(?<!\w)(?i:широта|шир\.?|lat\w{0,6}|с\.? ?ш\.?|долгота|долг?\.?|lon\w{0,8}|lng"
            r"|в\.? ?д\.?)[ :=]{1,3}(?P<v>\d{1,3}[.,]\d{2,9})(?!\d)"
        ),
        finder(
            r"(?<![\d.])\d{1,3} \d{1,2}(?: \d{1,2}(?:[.,]\d{1,3})?)? ?"
            rf"{_LATITUDE}[,; ]{{0,3}}\d{{1,3}} \d{{1,2}}"
            rf"(?: \d{{1,2}}(?:[.,]\d{{1,3}})?)? ?{_LONGITUDE}"
        ),
        finder(rf"(?<!\w){_SIDE} ?{_DEGREES}[,; ]{{0,3}}{_SIDE} ?{_DEGREES}(?!\w)"),
        finder(
            rf"(?<![\w°]){_DEGREES}(?:{_SIDE}|{_LATITUDE})?[,; ]{{0,3}}{_DEGREES}"
            rf"(?:{_SIDE}|{_LONGITUDE})(?!\w)"
        ),
        finder(
            rf"(?<!\w){_SIDE} ?\d{{1,3}} \d{{1,2}}[.,]\d{{1,4}},? "
            rf"{_SIDE} ?\d{{1,3}} \d{{1,2}}[.,]\d{{1,4}}(?!\d)"
        ),
        finder(
            rf"{_PLACE_WORD}[^\d\0]{{0,15}}(?P<v>\d{{1,3}}[.,]\d{{2,9}}"
            r"(?:[,; ]{1,3}| (?i:и|на) )\d{1,3}[.,]\d{2,9})(?!\d)",
            accept=lambda text: len(digits_of(text)) >= 7,
        ),
        finder(
            r"(?<![\w+])(?=[A-Z\d]{0,8}\d)"
            r"[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}(?!\w)"
            r"(?:,? [А-ЯЁ][а-яё-]{2,30})?"
        ),
        finder(r"(?<!\S)///[a-zа-яё]{3,20}\.[a-zа-яё]{3,20}\.[a-zа-яё]{3,20}(?!\w)"),
    )
)
