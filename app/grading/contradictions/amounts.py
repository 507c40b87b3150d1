"""Find prices, sizes and years with their units in a text."""

import re
from collections.abc import Iterator
from dataclasses import replace

from app.grading.contradictions import units
from app.grading.contradictions.amount import Amount, Bound
from app.grading.contradictions.joining import join_amounts
from app.grading.contradictions.numbers import Number, list_numbers
from app.grading.contradictions.units import Unit

_LATIN = str.maketrans("хлс", "xls")
_OLDEST, _NEWEST = 1900, 2035
_AROUND = 60
_LARGEST_AGE = 40
_LEAST_PRICE = 100
_LEAST_WORN = 15


def list_amounts(text: str) -> list[Amount]:
    """Return the amounts of a lower-case text, each once, in their order."""
    found: list[Amount] = []
    for amount in _list_patterns(text):
        _add_free(found, amount)
    for number in list_numbers(text):
        _add_free(found, _read_amount(text, number))
    found.sort(key=lambda amount: amount.start)
    return join_amounts(text, [_mark_bound(text, amount) for amount in found])


def _add_free(found: list[Amount], amount: Amount) -> None:
    """Add an amount unless its place is taken."""
    if not any(one.start < amount.end and amount.start < one.end for one in found):
        found.append(amount)


def _list_patterns(text: str) -> Iterator[Amount]:
    """Yield amounts of several numbers, sizes in letters, numbers of rooms and wheels."""
    for pattern in (units.TIRE, units.MEMORY, units.SIDES):
        for match in pattern.finditer(text):
            if (amount := _read_pattern(text, match)) is not None:
                yield amount
    yield from _list_words(text)
    for match in units.LETTER_SIZE.finditer(text):
        start, end, is_bare = *match.span(), bool(match[3])
        letters = (match[1] or match[2] or match[3]).translate(_LATIN)
        yield Amount(Unit.WEAR, (), start, end, letters=letters, is_scaled=not is_bare)
    for pattern, value in units.ROOMS:
        for match in pattern.finditer(text):
            number = float(match[1]) if value is None else float(value)
            yield Amount(Unit.ROOMS, (number,), *match.span())
    for match in units.WHEEL.finditer(text):
        if not _is_money(text, match.end()):
            yield Amount(Unit.WHEEL, (float(match[1] or match[2]),), *match.span())


def _list_words(text: str) -> Iterator[Amount]:
    """Yield sizes in one word: «терабайт», «шестиметровая», «эска»."""
    for pattern, unit, value in units.LONE:
        for match in pattern.finditer(text):
            yield Amount(unit, (value,), *match.span())
    for match in units.COMPOUND.finditer(text):
        unit, factor = units.COMPOUND_UNITS[match[2]]
        number = units.PREFIXES.get(match[1]) or float(match[1].rstrip("- ").replace(",", "."))
        yield Amount(unit, (number * factor,), *match.span())
    for match in units.LETTER_WORD.finditer(text):
        yield Amount(Unit.WEAR, (), *match.span(), letters=units.LETTER_WORDS[match[1]])


def _is_money(text: str, end: int) -> bool:
    return bool(
        units.UNITS[0][2].match(text, end)
        or re.match(r" ?(?:тыс|к(?!\w)|т\.)", text[end : end + 6])
    )


def _read_pattern(text: str, match: re.Match[str]) -> Amount | None:
    if match.re is units.TIRE:
        values = tuple(float(group) for group in match.groups())
        return Amount(Unit.WHEEL, values, match.start(), match.end())
    if match.re is units.MEMORY:
        is_memory = float(match[2]) in (32, 64, 128, 256, 512, 1024) and float(match[1]) <= 64
        values = (float(match[1]), float(match[2]))
        return Amount(Unit.STORAGE, values, match.start(), match.end()) if is_memory else None
    if _is_money(text, match.end()) or re.match(
        r" ?(?:шт|кг|л\b|мл|гб|км)", text[match.end() :][:4]
    ):
        return None
    return _read_sides(match)


def _read_sides(match: re.Match[str]) -> Amount:
    """Return lengths in centimetres; a missing unit is that of the next number."""
    numbers = [match[place] for place in (1, 3, 5)]
    units = [match[place] for place in (2, 4, 6)]
    factor, values, is_scaled = 0.0, list[float](), False
    for number, unit in zip(reversed(numbers), reversed(units), strict=True):
        if unit:
            factor = 0.1 if unit.startswith(("мм", "милл")) else 1.0 if unit[0] == "с" else 100.0
            is_scaled = True
        if number:
            values.append(float(number.replace(",", ".")) * (factor or 1.0))
    return Amount(
        Unit.LENGTH, tuple(reversed(values)), match.start(), match.end(), is_scaled=is_scaled
    )


def _read_amount(text: str, number: Number) -> Amount:
    before = text[max(0, number.start - _AROUND) : number.start]
    for unit, factor, pattern in units.UNITS:
        if after := pattern.match(text, number.end):
            value = number.value
            if unit not in (Unit.ROUBLE, Unit.AREA, Unit.LENGTH) and number.last_group is not None:
                value = number.last_group
            return Amount(unit, (value * factor,), number.start, after.end())
    is_age = number.value <= _LARGEST_AGE and not number.is_ordinal
    if is_age and units.AGE_AFTER.match(text, number.end):
        return Amount(Unit.AGE, (number.value,), number.start, number.end)
    is_priced = number.value >= _LEAST_PRICE and units.PRICED_TIME.match(text, number.end)
    if units.OTHER_UNIT.match(text, number.end) and not is_priced:
        return Amount(Unit.BARE, (), number.start, number.end)
    if (year := _read_year(text, number, before)) is not None:
        return year
    if number.has_scale:
        return Amount(Unit.ROUBLE, (number.value,), number.start, number.end)
    return _read_bare(text, number, before)


def _read_year(text: str, number: Number, before: str) -> Amount | None:
    value, start, end = number.value, number.start, number.end
    after = units.YEAR_AFTER.match(text, end)
    if value == int(value) and _OLDEST <= value <= _NEWEST and number.last_group is None:
        if after or units.YEAR_BEFORE.search(before):
            return Amount(Unit.YEAR, (value,), start, after.end() if after else end)
        return Amount(Unit.YEAR, (value,), start, end, is_scaled=False)
    is_short = (number.is_ordinal and after) or units.SHORT_YEAR_AFTER.match(text, end)
    if is_short and value == int(value) and 0 < value <= 99:
        full = value + (2000 if value <= 35 else 1900)
        return Amount(Unit.YEAR, (full,), start, after.end() if after else end)
    return None


def _read_bare(text: str, number: Number, before: str) -> Amount:
    """Return an amount whose unit follows from the words before and after it."""
    value, start, end = number.value, number.start, number.end
    after = units.SIZE_AFTER.match(text, end)
    last = value if number.last_group is None else number.last_group
    if after or units.SIZE_BEFORE.search(before):
        if _LEAST_WORN <= last <= 70 or (number.last_group is None and 74 <= last <= 188):
            return Amount(Unit.WEAR, (last,), start, after.end() if after else end)
        return Amount(Unit.LENGTH, (last,), start, end, is_scaled=False)
    if units.SIDE_BEFORE.search(before):
        return Amount(Unit.LENGTH, (value,), start, end, is_scaled=False)
    if units.DIAGONAL_BEFORE.search(before):
        return Amount(Unit.INCH, (value,), start, end)
    return Amount(Unit.BARE, (value,), start, end, is_ordinal=number.is_ordinal)


def _mark_bound(text: str, amount: Amount) -> Amount:
    before = text[max(0, amount.start - _AROUND) : amount.start]
    for bound, pattern in (
        (Bound.ABOUT, units.ABOUT),
        (Bound.FROM, units.FROM),
        (Bound.UP_TO, units.UP_TO),
    ):
        if pattern.search(before):
            return replace(amount, bound=bound)
    return replace(amount, is_negated=bool(units.NEGATION.search(before)))
