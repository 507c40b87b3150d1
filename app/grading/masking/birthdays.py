"""Find dates of birth in figures and in words."""

import re
from collections.abc import Iterator

from app.grading.masking.finders import finder, in_lower, plain_key
from app.grading.masking.words import read_word


def _keyword(words: str) -> str:
    return rf"(?<!\w)(?i:{words})(?!\w)"


_MONTH = r"(?i:январ|феврал|март|апрел|ма[йя]|июн|июл|август|сентябр|октябр|ноябр|декабр)[а-я]{0,2}"
_DAY = r"\d{1,2}(?:-?(?:го|ого|ое|е))?"
_YEAR = r"(?:19|20)?\d{2}(?!\d)(?:-?(?:го|ого))?(?: (?i:года?|г\.?)(?!\w))?"
_TENS = r"(?i:двадцать|тридцать|сорок|пятьдесят|шестьдесят|семьдесят|восемьдесят|девяносто)"
_ORDINAL = (
    r"(?i:перв|втор|треть|четв[её]рт|пят|шест|седьм|восьм|девят|десят|[а-яё]{3,8}надцат|двадцат"
    r"|тридцат|сороков|пятидесят|шестидесят|семидесят|восьмидесят|девяност|двухтысячн)"
    r"(?:ого|его|ый|ой|ое|ье|ий|ом|е|го)"
)
_SPOKEN_DATE = (
    rf"(?:{_TENS} )?{_ORDINAL} {_MONTH}(?: (?:(?i:одна |две )?(?i:тысяч[аи]) )?"
    rf"(?:(?i:девятьсот) )?(?:{_TENS} )?{_ORDINAL}(?: (?i:года?|г\.?)(?!\w))?| {_YEAR})?"
)
_FIGURES = (
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})(?!\d)(?:-?(?:го|ого))?(?: (?i:года|г\.?)(?!\w))?"
    r"|(?:19|20)\d\d-\d\d-\d\d(?!\d)"
)
_DATE = rf"(?:{_FIGURES}|{_DAY} {_MONTH}(?: {_YEAR})?|{_SPOKEN_DATE})"
_DATE_WITH_YEAR = rf"(?:{_FIGURES}|{_DAY} {_MONTH} {_YEAR}|{_SPOKEN_DATE})"
_BORN = _keyword(
    r"д\.? ?р\.?|д/р|дат[аыуе] рожд\w{0,5}|год рожд\w{0,5}|дн[её]м рожд\w{0,5}"
    r"|д(?:ень|ня|р) рожд\w{0,5}|днюх\w{1,2}|именинни\w{1,3}|исполн\w{2,6}"
)
_WAS_BORN = _keyword(r"родил\w{1,4}|рожд[её]н\w{0,3}|день рожд\w{0,5}|народжен\w{0,3}")
_MINE = (
    r"(?i:[,:—-]{0,2} ?(?:(?:это|у|меня|н[её]е|него|мой|моя|моего|сына|дочки|дочери|мужа|жены"
    r"|ребенка) ){0,3})"
)
_AGE = r"\d{1,3}(?:-?(?:й|ти|летие))?"
_YEARS = r"(?i:лет|годик\w{0,2}|года?)"


def _find_name_and_date(text: str) -> Iterator[tuple[int, int, str]]:
    """Find the date of a guest or driver («Ахмедханова Патимат, 30/01/1983») by the name before."""
    for match in _NAME_AND_DATE.finditer(text):
        words = re.findall("[А-ЯЁ][а-яё-]{1,30}", match["name"])[-2:]
        readings = [read_word(word) for word in words]
        if any(
            reading.is_first_name or reading.is_surname or reading.is_patronymic
            for reading in readings
        ) and not any(reading.is_common and not reading.is_surname for reading in readings):
            yield *match.span("v"), plain_key(match["v"])


_NAME_AND_DATE = re.compile(
    r"(?<![\w-])(?P<name>[А-ЯЁ][а-яё-]{1,30}(?: [А-ЯЁ][а-яё-]{1,30}| [А-ЯЁ]\.){1,3})[ ,:(—-]{1,3}"
    r"(?P<v>(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:19[2-9]\d|20[01]\d)"
    r"|(?:19[2-9]\d|20[01]\d)-\d\d-\d\d)(?!\d)"
)
BIRTHDAY_HINT = in_lower(
    r"\d[./-]\d\d?[./-]\d\d|"
    r"рожд|родил|(?<!\w)д\.? ?р(?!\w)|(?<!\w)д/р|г\.? ?р(?!\w)|г/р|днюх|именин|исполн"
    r"|\d-?го года|народж"
)
BIRTHDAY_FINDERS = tuple(
    ("ДАТА", find)
    for find in (
        finder(rf"{_BORN}[^\d\0\n]{{0,20}}(?<!\w)(?P<v>{_DATE})"),
        finder(
            rf"{_BORN}[ :—-]{{1,3}}(?:(?i:у меня|у сына|у дочки|мой|моя) )?"
            r"(?P<v>\d{1,2}\.\d{1,2})(?![.\d])"
        ),
        finder(rf"{_WAS_BORN}[^\d\0\n]{{0,20}}(?<!\w)(?P<v>{_DATE_WITH_YEAR})"),
        finder(
            rf"(?:{_BORN}|{_WAS_BORN})[^\d\0\n]{{0,12}}(?P<v>(?:19|20)\d\d)(?= ?(?i:г|$|[,.)]))"
        ),
        finder(
            r"(?<!\d)(?P<v>(?:\d{1,2}[./-]\d{1,2}[./-])?(?:(?:19|20)\d\d|\d\d)(?:-?го)?)"
            r" ?(?i:г\.? ?р\.?(?!\w)|года? рождения|г\. ?рожд\w{0,5}|г/р)"
        ),
        finder(rf"(?<!\w)(?P<v>{_DATE}) ?(?i:г\.? ?р\.?(?!\w)|(?:года )?рождения|рожд\.)"),
        finder(r"(?<!\w)(?i:я|сам|сама|мы) (?:с )?(?P<v>(?:19)?\d\d-?го)(?= года)"),
        finder(rf"(?<!\w)(?P<v>{_DATE}) ?{_MINE}(?:{_BORN}|{_WAS_BORN})"),
        finder(rf"(?<!\w)(?P<v>{_AGE}) (?:{_YEARS} )?(?=(?i:исполн\w{{2,6}})[^\d\0\n]{{0,20}}\0)"),
        finder(rf"(?i:исполн\w{{2,6}}) (?P<v>{_AGE} (?:{_YEARS})?[ ,]{{1,3}}{_DATE})"),
        finder(
            rf"\0[ ,]{{1,3}}(?i:исполн\w{{2,6}}) (?P<v>\d{{1,3}}(?: {_YEARS})?)(?!\w)"
            r"(?! ?(?i:мес|нед|дн|\d))"
        ),
        _find_name_and_date,
    )
)
