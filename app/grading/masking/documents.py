"""Find numbers of cards, accounts, wallets, identity papers and cars."""

import re

from app.grading.masking.finders import END, FREE, Finder, digits_of, finder, in_lower
from app.grading.masking.ibans import IBAN_FINDERS
from app.grading.masking.number_words import SPOKEN_WORD

_FROM_KEYWORD = r"[^\d\0\n]{0,25}"


def _keyword(words: str) -> str:
    return rf"(?<!\w)(?i:{words})(?!\w)"


def _passes_luhn(text: str) -> bool:
    doubled = [
        int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits_of(text)))
    ]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _passes_snils(text: str) -> bool:
    digits = [int(digit) for digit in digits_of(text)]
    return (
        sum(digit * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True))
        % 101
        % 100
        == digits[9] * 10 + digits[10]
    )


def _passes_inn12(text: str) -> bool:
    digits = [int(digit) for digit in text]
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    first = (
        sum(digit * weight for digit, weight in zip(digits[:10], weights[1:], strict=True))
        % 11
        % 10
    )
    second = (
        sum(digit * weight for digit, weight in zip(digits[:11], weights, strict=True)) % 11 % 10
    )
    return digits[10:] == [first, second] and text[:2] != "00"


def _is_no_date(text: str) -> bool:
    return not re.match(r"\d{1,2}[. -]\d{1,2}[. -](?:19|20)\d\d(?!\d)", text)


def _has_digits_and_letters(text: str) -> bool:
    return len(digits_of(text)) >= 3 and any(char.isalpha() for char in text)


_ACCOUNT_WORD = _keyword(r"сч[её]т|р/с|рс|к/с|л/с|расч[её]тн\w{2,4}|лицев\w{2,3}")
_BIK_WORD = _keyword(r"бик")
_REGISTER_WORD = _keyword(r"огрн(?:ип)?|кпп|окпо")
_WALLET_WORD = _keyword(r"кошел[её]к\w{0,3}|usdt|btc|trc-?20|erc-?20|ton|биткоин\w{0,2}")
_DIVISION_WORD = _keyword(r"код подр\w{0,12}|подразделени\w{1,3}")
_POLICY_WORD = _keyword(r"полис\w{0,2}|омс|енп|дмс")
_CAR_POLICY_WORD = _keyword(r"осаго|каско")
_SNILS_WORD = _keyword(
    r"снилс\w{0,2}|страхов\w{2,3} (?:номер|свидетельств)\w{0,2}|пенсионн\w{2,3}(?: \w{5,14})?"
)
_SNILS_ALONE = _keyword(r"снилс")
_INN_WORD = _keyword(r"инн")
_VIN_WORD = _keyword(r"vin|вин(?:-?код)?")
_BODY_WORD = _keyword(r"кузов\w{0,2}|шасси|рам[аы]|двигател\w{1,2}")
_CARD_WORD = _keyword(
    r"карт[аеуы]\w{0,3}|карточк\w{1,2}|сбер\w{0,6}|тиньк\w{0,6}|тинек\w{0,2}|альф\w{1,2}|втб"
    r"|мир|виза|visa|mastercard|маэстро|maestro"
)
_CARDS = (
    finder(
        rf"{FREE}[2-6]\d{{3}}([ ._|:-]{{1,3}})\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{2,3}})?{END}"
        r"(?! ?\d)",
        digits_of,
    ),
    finder(
        rf"{FREE}[2-6](?:[ ._-]{{0,3}}\d){{15}}(?:(?:[ ._-]?\d){{2,3}})?{END}",
        digits_of,
        _passes_luhn,
    ),
    finder(
        rf"{_CARD_WORD}{_FROM_KEYWORD}(?<!\d)(?P<v>[2-6](?:[ ,._/|:-]{{0,3}}\d){{15,18}}){END}",
        digits_of,
    ),
    finder(rf"(?<!\d)(?P<v>[2-6](?:[ ._-]{{0,3}}\d){{15,18}})[ ,(-]{{1,3}}{_CARD_WORD}", digits_of),
    finder(
        rf"{_CARD_WORD}(?=[^\d\0\n]{{0,40}}(?i:последн|цифр|заканч|оканч|конча|конец|конце"
        r"|хвост))[^\d\0\n]{0,60}(?<!\d)(?P<v>\d{4})(?!\d)"
    ),
    finder(
        rf"(?:{_CARD_WORD}[^\d\0\n]{{0,15}}|(?<!\w))(?P<v>(?<![\d*])[*•xх]{{1,4}} ?\d{{4}})"
        r"(?![\d*-])",
        accept=lambda text: text[0] != "х",
    ),
    finder(
        r"(?<!\w)(?i:последние|последних)(?: (?:четыре|4))?(?: цифр\w)?[ :—-]{1,3}(?P<v>\d{4})"
        r"(?!\d)"
    ),
    finder(
        rf"(?i:последн\w{{1,3}}(?: четыре| 4)? (?:цифр\w{{0,2}} )?)(?:{_CARD_WORD})"
        r"[^\d\0\n]{0,15}(?P<v>\d{4})(?!\d)"
    ),
)
_TERM = r"(?:0[1-9]|1[0-2]) ?/ ?(?:20)?[2-3]\d"
_CARD_DETAILS = (
    finder(
        rf"(?<!\w)(?i:срок(?: действия)?(?: карты)?)[ :]{{1,3}}(?:(?i:до) )?(?P<v>{_TERM})(?!\d)"
    ),
    finder(rf"\0[^\d\0]{{0,25}}(?P<v>{_TERM})(?!\d)"),
    finder(
        r"(?<!\w)(?i:cvv|cvc|цвв|свв|код с оборота|код на обороте)2?[ :—-]{1,3}(?P<v>\d{3})(?!\d)"
    ),
    finder(r"\0[ ,]{1,3}(?i:код)[ :]{1,3}(?P<v>\d{3})(?!\d)"),
)
_ACCOUNTS = (
    finder(rf"{FREE}(?:30|4[0-2])(?:[ .-]?\d){{18}}{END}", digits_of),
    finder(rf"{_ACCOUNT_WORD}{_FROM_KEYWORD}(?<!\d)(?P<v>\d(?:[ .-]?\d){{19}}){END}", digits_of),
    finder(rf"{_BIK_WORD}[^\d\0]{{0,12}}(?P<v>0\d(?: ?\d){{7}}){END}", digits_of),
    finder(rf"{_REGISTER_WORD}[^\d\0]{{0,12}}(?P<v>\d{{8,15}}){END}", digits_of),
    finder(rf"{FREE}4100\d{{10,12}}{END}", digits_of),
    finder(
        rf"{FREE}(?:T[1-9A-HJ-NP-Za-km-z]{{33}}|bc1[a-z0-9]{{25,60}}|0x[0-9A-Fa-f]{{40}}"
        rf"|[UE]Q[\w-]{{46}}){END}"
    ),
    finder(rf"{FREE}[13][1-9A-HJ-NP-Za-km-z]{{25,34}}{END}", accept=_has_digits_and_letters),
    finder(
        rf"{_WALLET_WORD}[^\w\0]{{0,3}}(?:\w{{2,8}} ){{0,3}}"
        rf"(?P<v>(?=\w{{0,40}}\d)[A-Za-z0-9]{{24,64}}){END}"
    ),
)
_ROMAN = r"[IVXLCХУМ1-9lІ]{1,6}"
_NUMBER_SIGN = r"(?:(?:№|(?i:n|номер\w{0,2}|ном\.?))[ :]{0,2})?"
_PASSPORT = (
    rf"\d{{2}}[ .,;:/|-]{{0,2}}\d{{2}}[ ,.;:|/\\_*-]{{0,4}}{_NUMBER_SIGN}\d{{3}}[ .-]?\d{{3}}"
)
_PASSPORT_WORD = _keyword(
    r"паспорт\w{0,6}|пасп\.?|загран\w{0,12}|сери[яиюей]{1,2}|сер\.|водительск\w{1,4}|в/у|права"
    r"|удостоверени\w{1,3}|ву|документ\w{0,3}|стс|птс|эпт?с|свидетельств\w{1,3}|св-во"
    r"|военник\w{0,2}|военн\w{1,3} билет\w{0,2}|внж|вид\w{0,2} на жительство|рвп|патент\w{0,2}"
)
_PAPERS = (
    finder(rf"{_PASSPORT_WORD}[^\d\0\n]{{0,40}}(?P<v>{_PASSPORT})(?!\d)", digits_of, _is_no_date),
    finder(rf"{_PASSPORT_WORD}[^\d\0\n]{{0,40}}(?P<v>\d\d[ -]?(?:№ ?)?\d{{7}})(?!\d)", digits_of),
    finder(rf"{_PASSPORT_WORD}[^\d\0\n]{{0,40}}(?P<v>\d\d ?[А-ЯA-Zа-я]{{2}} ?№? ?\d{{6}})(?!\d)"),
    finder(
        rf"{_PASSPORT_WORD}[^\d\0\n]{{0,40}}?"
        rf"(?P<v>(?<!\w){_ROMAN} ?- ?[А-ЯA-Zа-я]{{2}},? ?(?:№|N|номер)? ?\d{{6}})(?!\d)"
    ),
    finder(r"(?<!\w)[IVXLC]{1,5}-[А-Я]{2} ?№? ?\d{6}(?!\d)"),
    finder(
        rf"{_PASSPORT_WORD}[^\d\0\n]{{0,30}}?(?P<v>(?<!\w)(?:[A-ZА-Я]{{1,2}} ?№? ?)\d{{7,8}})(?!\d)"
    ),
    finder(rf"(?<!\d)(?P<v>{_PASSPORT})[ ,(-]{{1,3}}{_PASSPORT_WORD}", digits_of, _is_no_date),
    finder(
        r"(?<!\w)(?i:выдан\w{0,2}|кем выдан)[ :—-]{1,3}"
        r"(?P<v>(?:[\d.\0]{1,10}(?: ?г\.?)?,? )?(?:[^\W\d]{2,20} ){0,3}?"
        r"(?i:(?:г?у ?)?м?вд|о?у?фмс|о?увд|умвд|ровд|ов[дм]|гибдд|гаи|мрэо|тп|отдел\w{0,5}"
        r"|паспортн\w{2,3})"
        r"(?!\w)[^\0\n,;()]{3,80}?)"
        r"(?=,|;|(?<=[а-яё]{3})\.(?: |$)| ?\(| ?\0| (?i:код|дата|от|в)(?!\w) ?\w{0,6} ?[\d\0:]"
        r"|\s{0,3}$| \d\d\.)"
    ),
    finder(r"\0[^\d\0\n]{0,20}(?<!\w)(?i:код)[ :]{1,3}(?P<v>\d{3}-\d{3})(?!\d)"),
    finder(rf"{_DIVISION_WORD}[^\d\0]{{0,12}}(?P<v>\d{{3}}[ -]?\d{{3}})(?!\d)", digits_of),
    finder(
        rf"{_POLICY_WORD}[^\d\0\n]{{0,25}}(?P<v>(?:[ХX]{{3}} ?)?\d(?:[ -]?\d){{8,15}})(?!\d)",
        digits_of,
        _is_no_date,
    ),
    finder(rf"{_CAR_POLICY_WORD}[^\d\0\n]{{0,15}}(?P<v>[А-ЯA-Z]{{3}} ?\d{{10}})(?!\d)", digits_of),
)
_SNILS = (
    finder(
        rf"{_SNILS_WORD}[^\d\0]{{0,20}}(?P<v>\d{{3}}[ -]?\d{{3}}[ -]?\d{{3}}[ -]?\d{{2}})(?!\d)",
        digits_of,
    ),
    finder(
        r"(?<!\d)(?P<v>\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2})"
        rf"[ ,(-]{{1,3}}(?i:это )?{_SNILS_ALONE}",
        digits_of,
    ),
    finder(rf"{FREE}\d{{3}}[ -]\d{{3}}[ -]\d{{3}}[ -]\d{{2}}{END}", digits_of, _passes_snils),
)
_INNS = (
    finder(
        rf"{_INN_WORD}[^\d\0]{{0,20}}(?P<v>\d{{12}}|\d{{10}}|\d{{4}} \d{{6}}(?: \d\d)?)(?!\d)",
        digits_of,
    ),
    finder(
        rf"(?<!\d)(?P<v>\d{{12}}|\d{{10}})[ ,(-]{{1,3}}(?i:это )?(?i:мой )?{_INN_WORD}", digits_of
    ),
    finder(rf"{FREE}(?<!\+)\d{{12}}{END}", digits_of, _passes_inn12),
)

_PLATE = "[АВЕКМНОРСТУХABEKMHOPCTYX]"
_CAR_WORD = _keyword(
    r"(?:гос\.? ?)?ном(?:ер\w{0,4}|\.)|госномер\w{0,3}|грз|машин\w{1,3}|авто|тачк\w{1,3}"
    r"|приед\w{1,3}|подъед\w{1,3}|буду|газел\w{1,3}|мотоцикл\w{0,2}|мопед\w{0,2}|мото"
    r"|проходн\w{2}|шлагбаум\w{0,2}|кпп|охран\w{1,3}|моргну|заеду|бел\w{2,3}|ч[её]рн\w{2,3}"
    r"|сер\w{2,3}|син\w{2,3}|красн\w{2,3}|серебрист\w{2,3}|прицеп\w{0,2}|такси|фур\w{1,2}"
    r"|пропуск\w{0,2}|знак\w{0,2}|водител\w{1,2}|кам[а]з\w{0,2}|регион"
)
_SPOKEN = rf"{SPOKEN_WORD}(?: {SPOKEN_WORD}){{0,2}}"
_SPOKEN_HUNDREDS = (
    r"(?i:сто|двести|триста|четыреста|пятьсот|шестьсот|семьсот|восемьсот|девятьсот|ноль)"
    rf"(?: {SPOKEN_WORD}){{0,2}}"
)
_LITTLE_WORD = r"(?i:на|не|то|но|он|от|со|во|ну|мы|вы|ты|та|ту|те|ко)(?!\w)"
_CARS = (
    finder(rf"(?<!\w){_PLATE}\d{{3}}{_PLATE}{{2}} ?\d{{2,3}}(?: ?(?i:rus?|рус))?(?!\w)"),
    finder(
        rf"(?<!\w)(?i:{_PLATE})[ -]?\d{{3}}[ -]?(?!(?i:см|мм|кг|тт|мс)(?!\w))"
        rf"(?i:{_PLATE}){{2}}[ -/]{{0,3}}\d{{2,3}}(?: ?(?i:rus?|рус|регион))?(?![\w%])"
    ),
    finder(
        rf"{_CAR_WORD}[^\d\0\n]{{0,25}}?(?<!\w)"
        rf"(?P<v>(?i:{_PLATE})[ -]?\d{{3}}[ -]?(?i:{_PLATE}){{2}}"
        r"(?:[ -/]{0,3}\d{2,3}(?: ?(?i:rus?|рус|регион))?)?)(?![\w%])"
    ),
    finder(
        rf"{_CAR_WORD}[^\d\0\n]{{0,25}}?(?<!\w)"
        rf"(?P<v>\d{{4}} ?(?i:{_PLATE}){{2}} ?\d{{2,3}}"
        rf"|(?i:{_PLATE}){{2}} ?\d{{3,4}} ?\d{{2,3}})(?!\w)"
    ),
    finder(rf"(?<!\w)(?i:{_PLATE}) ?\d{{3}} ?(?i:{_PLATE}){{2}}(?=[, ]{{1,3}}(?i:регион))"),
    finder(r"\0[ ,]{1,3}(?i:регион) (?P<v>\d{2,3})(?!\d)"),
    finder(
        rf"(?<!\w)(?i:{_PLATE}) {_SPOKEN_HUNDREDS} (?!{_LITTLE_WORD})(?i:{_PLATE}){{2}}"
        rf"(?: (?:\d{{2,3}}|{_SPOKEN})(?!\w))?"
    ),
    finder(rf"{FREE}(?=[A-Z\d]{{0,16}}[A-Z])(?=(?:[A-Z]{{0,16}}\d){{3}})[A-HJ-NPR-Z\d]{{17}}{END}"),
    finder(
        rf"{_VIN_WORD}[^\w\0]{{0,3}}(?:(?i:код|номер) )?[^\w\0]{{0,3}}"
        r"(?P<v>(?=[\w]{0,16}\d)[A-Za-zАВЕКМНОРСТУХ\d]{17})(?!\w)"
    ),
    finder(
        rf"{_BODY_WORD}(?: (?i:номер|№))?[ :№-]{{1,3}}"
        r"(?P<v>(?=[\w-]{0,20}\d{5})[A-Za-zА-Я\d]{2,10}(?:-\d{5,8})?(?:\d{0,8}))"
        r"(?![\w-])"
    ),
)


def _of_kind(kind: str, finders: tuple[Finder, ...]) -> tuple[tuple[str, Finder], ...]:
    return tuple((kind, find) for find in finders)


CARD_HINT = in_lower(
    r"cvv|cvc|цвв|свв|срок|[a-z]{2}[ -]?\d\d[ -]?[a-z\d]{4}|\d(?:[ ._|:-]{0,3}\d){12}|карт|последн"
    r"|сбер|втб|тин[ье]к|\d{10}|[*•]{2}"
)
CARD_FINDERS = (
    *_of_kind("СЧЁТ", (*IBAN_FINDERS, *_ACCOUNTS[:2])),
    *_of_kind("КАРТА", _CARDS),
    *_of_kind("КАРТА", _CARD_DETAILS),
)
_LOWER_PLATE = "[авекмнорстухabekmhopctyx]"
CAR_HINT = in_lower(
    rf"(?<!\w){_LOWER_PLATE} {SPOKEN_WORD}(?!\w)|\d-\d{{5}}"
    rf"|{_LOWER_PLATE}[ -]?\d{{3}}[ -]?{_LOWER_PLATE}|\d{{3,4}} ?{_LOWER_PLATE}{{2}}"
    rf"|{_LOWER_PLATE}{{2}} ?\d{{3}}|[a-z\d]{{10}}|\d{{7}}"
)
CAR_FINDERS = _of_kind("АВТО", _CARS)
PAPER_HINT = in_lower(
    r"пасп|загран|сери[яиюе]|сер\.|водител|в/у|права|удостов|(?<!\w)ву(?!\w)|документ|стс"
    r"|п?тс(?!\w)|свид|св-во|военн|внж|жительств|рвп|патент|подр|полис|омс|енп|дмс|осаго|каско"
    r"|снилс|выдан|страхов|пенсион|инн|сч[её]т|р/с|рс(?!\w)|к/с|л/с|бик|огрн|кпп|окпо|кошел|usdt"
    r"|btc"
    r"|trc|erc|ton|битк|4100\d|[a-z\d]{24}|[a-z]{2}\d\d|[ivxlc]-[а-я]"
    r"|\d{3}[ -]\d{3}[ -]\d{3}[ -]\d\d|\d{12}"
)
ISSUE_HINT = in_lower(r"выдан|выдач")
ISSUE_FINDERS = _of_kind(
    "ПАСПОРТ",
    (
        finder(
            rf"{_PASSPORT_WORD}[^\0\n]{{0,60}}?(?i:выдан\w{{0,2}}|выдачи)[^\d\0\n]{{0,80}}"
            r"(?P<v>\d\d[./]\d\d[./](?:\d{4}|\d\d))(?!\d)"
        ),
    ),
)
PAPER_FINDERS = (
    *_of_kind("СЧЁТ", _ACCOUNTS),
    *_of_kind("СНИЛС", _SNILS),
    *_of_kind("ИНН", _INNS),
    *_of_kind("ПАСПОРТ", _PAPERS),
)
