"""Read a number without a unit as what the words, the listing and the facts make it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.grading.contradictions import words
from app.grading.contradictions.amount import Amount
from app.grading.contradictions.questions import asks_price
from app.grading.contradictions.units import Unit
from app.grading.masking.words import parse_word

_LARGE_ENOUGH = 100
"""A number without a unit from which it may be a price."""
_LEAST_AREA_CM = 1_000
_THOUSAND, _MILLION = 1_000.0, 1_000_000.0
_LEAST_RATIO, _MOST_RATIO = 0.4, 2.5
"""A number beyond these shares of a known amount is not read as one of its kind."""
_LETTER = re.compile(r"[а-яa-z]{4}")
_NEXT_WORD = re.compile(r" ([а-я]{3,40})(?!\w)")
_BEFORE_TIME = re.compile(r"(?<!\w)(?:в|во|к|ко|после|до|с|со|на|через|из) ?$")
_NEAR_WORN = 0.2
_NEWEST = 35
"""The latest short year of this century."""


@dataclass(frozen=True)
class Words:
    """The words around an amount. ``lead``, ``tail``: of its clause, before and after it.

    ``text``: of its clause and of one that it continues; ``question``: of the buyer.
    ``asked``: the amounts of the question.
    """

    lead: str
    tail: str
    text: str
    question: str
    asked: Sequence[Amount] = ()


def read_amount(
    amount: Amount, around: Words, known: Sequence[Amount]
) -> tuple[Amount | None, bool]:
    """Return the amount with the unit that it has here, and whether the unit is certain.

    ``known``: the amounts of the listing and the facts.
    """
    text, question = around.text, around.question
    if amount.unit is Unit.YEAR and not amount.is_scaled:
        return _read_year_or_price(amount, around, known)
    if amount.letters and not amount.is_scaled:
        return amount, bool(words.ASKS_SIZE.search(f"{question} {text}"))
    if amount.unit is Unit.LENGTH:
        return _read_area(amount, f"{question} {text}", known), True
    return _read_bare(amount, around, known) if amount.unit is Unit.BARE else (amount, True)


def is_near(value: float, known: Iterable[Amount], unit: Unit) -> bool:
    """Return whether a value is of the same order of magnitude as a known amount of the unit."""
    own = (one for one in known if one.unit is unit)
    return any(_LEAST_RATIO * x <= value <= _MOST_RATIO * x for one in own for x in one.values)


def _read_year_or_price(
    amount: Amount, around: Words, known: Sequence[Amount]
) -> tuple[Amount | None, bool]:
    text, question = around.text, around.question
    as_price = replace(amount, unit=Unit.ROUBLE, is_scaled=True)
    prices = [one for one in known if one.unit is Unit.ROUBLE]
    if words.PRICE_CUE.search(text) or _read_like_quoted(amount, around.asked, prices):
        return as_price, True
    own = f"{around.lead} , {around.tail}"
    if words.ASKS_YEAR.search(question) or words.ASKS_YEAR.search(own) or words.MADE.search(text):
        return replace(amount, is_scaled=True), True
    is_price = asks_price(question) and is_near(amount.values[0], known, Unit.ROUBLE)
    if is_price:
        return as_price, True
    is_year = words.ASKS_YEAR.search(text)
    return (replace(amount, is_scaled=True), True) if is_year else (None, False)


def _read_area(amount: Amount, text: str, known: Sequence[Amount]) -> Amount:
    """Return «70 метров» of an area as square metres."""
    if len(amount.values) != 1 or amount.values[0] < _LEAST_AREA_CM or not amount.is_scaled:
        return amount
    area = amount.values[0] / 100
    is_area = words.ASKS_AREA.search(text) or (
        not any(one.unit is Unit.LENGTH for one in known)
        and not words.list_sides(text)
        and is_near(area, known, Unit.AREA)
    )
    return replace(amount, unit=Unit.AREA, values=(area,)) if is_area else amount


def _read_bare(
    amount: Amount, around: Words, known: Sequence[Amount]
) -> tuple[Amount | None, bool]:
    if len(amount.values) != 1 or _is_count(around.tail):
        return None, False
    if amount.is_ordinal:
        return _read_ordinal(amount, around.text, around.question, known)
    read = _read_cued(amount, around, known) or _read_like_quoted(amount, around.asked, known)
    return (read, True) if read else _read_large(amount, around, known)


def _read_cued(amount: Amount, around: Words, known: Sequence[Amount]) -> Amount | None:
    """Return the amount as the price or size that its clause, else the question, is about.

    «Метр 260» after a question for the price is a price.
    """
    is_asked = asks_price(around.question)

    def is_priced(text: str) -> bool:
        return bool(words.PRICE_CUE.search(text) or (is_asked and words.list_units(text)))

    cues = (around.text, is_priced), (around.question, asks_price)
    for text, is_price in cues:
        price = _read_price(amount, around.lead, known) if is_price(text) else None
        if read := price or _read_size(amount, text, known):
            return read
    return None


def _read_like_quoted(
    amount: Amount, asked: Sequence[Amount], known: Sequence[Amount]
) -> Amount | None:
    """Return the amount in the unit of a known one that the buyer quotes: «48?» — «46»."""
    quoted = {one.values for one in asked}
    for one in known:
        if one.unit is Unit.ROUBLE:
            short = tuple(value / _THOUSAND for value in one.values)
            price = _read_price(amount, "", [one]) if {one.values, short} & quoted else None
            if price is not None:
                return price
        elif one.values in quoted and is_near(amount.values[0], [one], one.unit):
            return replace(amount, unit=one.unit, is_scaled=one.is_scaled)
    return None


def _read_large(
    amount: Amount, around: Words, known: Sequence[Amount]
) -> tuple[Amount | None, bool]:
    """Return a large number as a price: it is one if it alone answers «ещё продаёте?»."""
    value = amount.values[0]
    is_large = value >= _LARGE_ENOUGH and value % 10 == 0
    if not is_large or words.ASKS_SIZE.search(around.question):
        return None, False
    is_alone = not _LETTER.search(around.lead + around.tail)
    is_offer = words.ASKS_STOCK.search(around.question) and is_near(value, known, Unit.ROUBLE)
    return replace(amount, unit=Unit.ROUBLE), is_alone and bool(is_offer)


def _is_count(tail: str) -> bool:
    """Return whether a noun in the genitive follows, of which the number is a count."""
    word = _NEXT_WORD.match(tail)
    if word is None:
        return False
    parses = parse_word(word[1])
    return bool(parses) and "gent" in parses[0].tag and parses[0].tag.POS == "NOUN"


def _read_ordinal(
    amount: Amount, text: str, question: str, known: Sequence[Amount]
) -> tuple[Amount | None, bool]:
    """Return «тринадцатый» as a year, «сорок четвёртый» as a size."""
    value = amount.values[0]
    if words.ASKS_YEAR.search(question) or words.MADE.search(text):
        full = value if value > _THOUSAND else value + (2000 if value <= _NEWEST else 1900)
        return replace(amount, unit=Unit.YEAR, values=(full,)), True
    size = _read_size(amount, f"{text} {question}", known)
    if size is not None and size.unit is Unit.WHEEL:
        return size, True
    worn = [x for one in known if one.unit is Unit.WEAR for x in one.values]
    if any(abs(value - x) <= _NEAR_WORN * x for x in worn):
        return replace(amount, unit=Unit.WEAR), True
    return None, False


def _read_price(amount: Amount, lead: str, known: Sequence[Amount]) -> Amount | None:
    """Return the amount as a price; «четыреста» beside 350 000 ₽ is 400 000 ₽."""
    value = amount.values[0]
    factors = (1.0,) if _BEFORE_TIME.search(lead) else (1.0, _THOUSAND, _MILLION)
    for factor in factors:
        is_short = factor == 1 or value < _THOUSAND
        if is_short and is_near(value * factor, known, Unit.ROUBLE):
            return replace(amount, unit=Unit.ROUBLE, values=(value * factor,))
    is_large = value >= _LARGE_ENOUGH and value % 10 == 0
    return replace(amount, unit=Unit.ROUBLE) if is_large else None


def _read_size(amount: Amount, text: str, known: Sequence[Amount]) -> Amount | None:
    """Return the amount in the measure that the words name, if something known has it."""
    value = amount.values[0]
    for unit, pattern in words.MEASURES:
        if not pattern.search(text):
            continue
        for factor in (1.0, 100.0, 0.1) if unit is Unit.LENGTH else (1.0,):
            if is_near(value * factor, known, unit):
                is_scaled = unit is not Unit.LENGTH or factor == 100
                return replace(amount, unit=unit, values=(value * factor,), is_scaled=is_scaled)
    is_worn = value == int(value) and is_near(value, known, Unit.WEAR)
    return replace(amount, unit=Unit.WEAR) if is_worn and words.IS_SIZE.search(text) else None
