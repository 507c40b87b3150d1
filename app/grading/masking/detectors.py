"""Find personal data in a Russian text: the most certain kinds first.

Look-alikes are found as well, so that no later finder takes them for personal data.
"""

import re
from collections.abc import Iterator

from app.grading.masking.address_chains import (
    CHAIN_FINDERS,
    CHAIN_HINT,
    QUARTER_OF_YEAR,
)
from app.grading.masking.address_tails import TAIL_FINDERS, TAIL_HINT
from app.grading.masking.addresses import HOUSE_FINDERS, HOUSE_HINT, STREET_FINDERS, STREET_HINT
from app.grading.masking.bare_streets import (
    BARE_STREET_FINDERS,
    BARE_STREET_HINT,
    KIND_STREET_FINDERS,
    KIND_STREET_HINT,
)
from app.grading.masking.birthdays import BIRTHDAY_FINDERS, BIRTHDAY_HINT
from app.grading.masking.coordinates import PLACE_FINDERS, PLACE_HINT
from app.grading.masking.dictated_letters import dictated_letters
from app.grading.masking.documents import (
    CAR_FINDERS,
    CAR_HINT,
    CARD_FINDERS,
    CARD_HINT,
    ISSUE_FINDERS,
    ISSUE_HINT,
    PAPER_FINDERS,
    PAPER_HINT,
)
from app.grading.masking.finders import Finder, Found, Hint, blanked, finder, in_lower, uniform
from app.grading.masking.handles import (
    HANDLE_FINDERS,
    HANDLE_HINT,
    LINK_FINDERS,
    LINK_HINT,
    NICK_FINDERS,
    NICK_HINT,
)
from app.grading.masking.mailboxes import MAIL_HINT, MAIL_PATTERNS
from app.grading.masking.phones import PHONE_FINDERS
from app.grading.masking.spoken_numbers import may_be_spoken, spoken_numbers

_LABELLED = (
    r"(?i:объявлени[ея] (?:номер|№)|объявлени[ея]|лот|артикул|арт\.?|oem|парт-?номер|код товара"
    r"|код тн ?вэд|тн ?вэд|окпд\w?|id|ид|трек(?:-?номер|-?код)?|накладная|посылка|отправление"
    r"|заказ\w?(?: №)?|imei|sku|isbn|штрих-?код|каталожный номер|серийный номер|модель|s/n"
    r"|инв\.?)[ №:#-]{1,4}"
)
_MONEY_OR_KM = r"(?i:₽|руб|р\b|т\.? ?р|тыс|\$|€|км\b)"
_NUMBER = r"(?!\+?[78][ (-]{1,2}[3-9])"
# The kind of a look-alike is None. No later finder may take it for personal data.
_LOOK_ALIKES: tuple[tuple[None, Finder], ...] = tuple(
    (None, finder(pattern))
    for pattern in (
        rf"(?<!\w){_LABELLED}{_NUMBER}[A-Z\d][A-Z\d-]{{4,19}}\b(?!@)",
        rf"(?<!\w){_LABELLED}{_NUMBER}\d{{1,7}}(?:[ -]\d{{2,7}}){{1,4}}(?!\d)",
        rf"(?<![\d+])(?<!\+ )\d{{1,3}}(?:[ .]\d{{3}}){{1,4}} ?{_MONEY_OR_KM}",
        r"(?<![\d+])(?<!\+ )\d{1,3}(?: \d{3}){0,3} 000(?!\d)(?![ -]\d\d)",
        r"(?<!\d)(?:\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d\d-\d\d)(?!\d)",
        r"(?<!\d)(?<!\d:)\d{1,2}:\d\d(?::\d\d)?(?: ?- ?\d{1,2}:\d\d)?(?!\d|:\d)",
    )
)
_ANY, _DIGIT = re.compile(""), re.compile(r"\d")
_FIVE_DIGITS = re.compile(r"\d(?:[^\d\n]{0,4}\d){4}")

_Families = tuple[tuple[Hint, tuple[tuple[str | None, Finder], ...]], ...]
# (hint, finders): the finders of a family search only a text that matches its hint. Most messages
# match none.
_OF_LETTERS: _Families = (
    (LINK_HINT, LINK_FINDERS),
    (MAIL_HINT, tuple(("ПОЧТА", finder(pattern)) for pattern in MAIL_PATTERNS)),
    (HANDLE_HINT, HANDLE_FINDERS),
    (NICK_HINT, NICK_FINDERS),
    (BIRTHDAY_HINT, BIRTHDAY_FINDERS),
    (ISSUE_HINT, ISSUE_FINDERS),
)
_OF_NUMBERS: _Families = ((CAR_HINT, CAR_FINDERS),)
_OF_DIGITS: _Families = (
    (CARD_HINT, CARD_FINDERS),
    *_OF_NUMBERS,
    (PLACE_HINT, PLACE_FINDERS),
)
_OF_MANY_DIGITS: _Families = (
    (_ANY.search, _LOOK_ALIKES),
    (PAPER_HINT, PAPER_FINDERS),
    (_ANY.search, tuple(("ТЕЛЕФОН", find) for find in PHONE_FINDERS)),
)
_OF_STREETS: _Families = ((STREET_HINT.search, tuple(("АДРЕС", find) for find in STREET_FINDERS)),)
_OF_CHAINS: _Families = (
    (in_lower(r"[1-4ivх][а-я-]{0,3} ?кв"), ((None, QUARTER_OF_YEAR),)),
    (CHAIN_HINT, tuple(("АДРЕС", find) for find in CHAIN_FINDERS)),
    (KIND_STREET_HINT, tuple(("АДРЕС", find) for find in KIND_STREET_FINDERS)),
    (BARE_STREET_HINT, tuple(("АДРЕС", find) for find in BARE_STREET_FINDERS)),
)
_OF_HOUSES: _Families = (
    (HOUSE_HINT.search, tuple(("АДРЕС", find) for find in HOUSE_FINDERS)),
    (TAIL_HINT, tuple(("АДРЕС", find) for find in TAIL_FINDERS)),
)
_BETWEEN_PARTS = re.compile(r"[,.; ]{0,3}")
_KEYCAP = re.compile("[\ufe0f\u20e3]{0,2}")
_MERGED = "АДРЕС"


def personal_data(text: str) -> Iterator[Found]:
    """Yield (start, end, kind, key) of each personal datum; none overlap.

    The parts of one address are one datum.
    """
    yield from _merged(text, sorted(_parts(text)))


def _parts(text: str) -> Iterator[Found]:
    rest = uniform(text)
    has_digits, is_spoken = bool(_DIGIT.search(rest)), may_be_spoken(rest)
    numbers = list(_dictated(rest, is_spoken=is_spoken)) if has_digits or is_spoken else []
    yield from numbers
    rest = blanked(rest, numbers)
    for hint, finders in _families(rest, has_digits=has_digits, is_spoken=is_spoken):
        for kind, find in finders if hint(rest) else ():
            found = [(start, end, kind or "", key) for start, end, key in find(rest)]
            if kind is not None:
                yield from found
            rest = blanked(rest, found, "\x01" if kind == _MERGED else "\0")


def _dictated(text: str, *, is_spoken: bool) -> Iterator[Found]:
    letters = list(dictated_letters(text))
    yield from letters
    if is_spoken:
        yield from spoken_numbers(blanked(text, letters))


def _families(text: str, *, has_digits: bool, is_spoken: bool) -> _Families:
    """Return the families whose data may be in the text."""
    of_digits = _OF_DIGITS if has_digits else _OF_NUMBERS if is_spoken else ()
    of_many_digits = _OF_MANY_DIGITS if _FIVE_DIGITS.search(text) else ()
    of_places = (*_OF_CHAINS, *_OF_HOUSES) if has_digits or is_spoken else ()
    return (*_OF_LETTERS, *of_digits, *of_many_digits, *_OF_STREETS, *of_places)


def _merged(text: str, parts: list[Found]) -> Iterator[Found]:
    last: Found | None = None
    for start, end, kind, key in parts:
        keycap = _KEYCAP.match(text, end)
        part = (start, keycap.end() if keycap else end, kind, key)
        if last and _are_one_address(text, last, part):
            last = (last[0], part[1], kind, f"{last[3]} {key}")
            continue
        if last:
            yield last
        last = part
    if last:
        yield last


def _are_one_address(text: str, left: Found, right: Found) -> bool:
    return left[2] == right[2] == _MERGED and bool(
        _BETWEEN_PARTS.fullmatch(text, left[1], right[0])
    )
