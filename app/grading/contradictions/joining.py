"""Join neighbouring amounts of a text: «метр восемьдесят», «три на четыре метра», «5-6 тысяч»."""

import re
from collections.abc import Sequence
from dataclasses import replace

from app.grading.contradictions.amount import Amount, Bound
from app.grading.contradictions.units import RANGE, Unit

_SPACE = re.compile(r" ?")
_TIMES = re.compile(r" ?(?:на|x|х|×) ?")
_ENDS_IN_METRES = re.compile(r"(?:метр(?:а|ов)?|\dм| м)$")
_LENGTHS = frozenset({Unit.BARE, Unit.LENGTH})
_DIGIT = re.compile(r"\d")
_MOST_METRES = 300
_WIDEST_WORN, _WIDEST = 12, 50


def join_amounts(text: str, amounts: Sequence[Amount]) -> list[Amount]:
    """Return the amounts with those joined that are one."""
    return _join_ranges(text, _join_sides(text, _join_metres(text, amounts)))


def _join_metres(text: str, amounts: Sequence[Amount]) -> list[Amount]:
    """Join metres and centimetres: «метр восемьдесят», «четыре пятьдесят» is 4.5."""
    joined: list[Amount] = []
    for amount in amounts:
        last = joined[-1] if joined else None
        if last is not None and _is_rest_of_metres(text, last, amount):
            part = 1.0 if last.unit is Unit.LENGTH else 0.01
            values = (last.values[0] + amount.values[0] * part,)
            joined[-1] = replace(last, values=values, end=amount.end)
        else:
            joined.append(amount)
    return joined


def _is_rest_of_metres(text: str, last: Amount, amount: Amount) -> bool:
    if not _SPACE.fullmatch(text, last.end, amount.start) or amount.unit is not Unit.BARE:
        return False
    if len(last.values) != 1 or len(amount.values) != 1 or not 10 <= amount.values[0] < 100:
        return False
    if last.unit is Unit.LENGTH:
        is_short = last.values[0] <= _MOST_METRES and amount.values[0] % 5 == 0
        return is_short and bool(_ENDS_IN_METRES.search(text[last.start : last.end]))
    is_worded = not _DIGIT.search(text, last.start, amount.end)
    return last.unit is Unit.BARE and 1 <= last.values[0] < 10 and is_worded


def _join_sides(text: str, amounts: Sequence[Amount]) -> list[Amount]:
    """Join the sides of «три на четыре метра»."""
    joined: list[Amount] = []
    for amount in amounts:
        last = joined[-1] if joined else None
        if (
            last is not None
            and _TIMES.fullmatch(text, last.end, amount.start)
            and {last.unit, amount.unit} <= _LENGTHS
            and len(last.values) == len(amount.values) == 1
        ):
            is_metres = _ENDS_IN_METRES.search(text[amount.start : amount.end])
            factor = 100 if is_metres and last.unit is Unit.BARE else 1
            joined[-1] = replace(
                amount,
                unit=Unit.LENGTH,
                values=(last.values[0] * factor, amount.values[0]),
                start=last.start,
                is_scaled=amount.unit is Unit.LENGTH,
            )
        else:
            joined.append(amount)
    return joined


def _join_ranges(text: str, amounts: Sequence[Amount]) -> list[Amount]:
    """Join two amounts with a dash, «до» or «или» between them to one range."""
    joined: list[Amount] = []
    for amount in amounts:
        last = joined[-1] if joined else None
        if (
            last is not None
            and RANGE.fullmatch(text, last.end, amount.start)
            and len(last.values) == len(amount.values) == 1
            and not _are_far(last, amount)
            and (last.unit in (amount.unit, Unit.BARE, Unit.YEAR) or _are_worn(last, amount))
        ):
            values = _scale_alike(last.values[0], amount.values[0]), amount.values[0]
            joined[-1] = replace(
                amount,
                unit=Unit.WEAR if last.unit is Unit.WEAR else amount.unit,
                values=(min(values), max(values)),
                start=last.start,
                bound=Bound.RANGE,
            )
        else:
            joined.append(amount)
    return joined


def _are_far(last: Amount, amount: Amount) -> bool:
    """Return whether two numbers are no range: «12 — 10 500 рублей»."""
    low, high = sorted((_scale_alike(last.values[0], amount.values[0]), amount.values[0]))
    return low * _WIDEST < high


def _are_worn(last: Amount, amount: Amount) -> bool:
    """Return whether a size of clothes and a number form a range: «размер 44-48»."""
    is_bare = last.unit is Unit.WEAR and amount.unit is Unit.BARE
    return is_bare and last.values[0] < amount.values[0] <= last.values[0] + _WIDEST_WORN


def _scale_alike(first: float, second: float) -> float:
    """Return the first number of «5-6 тысяч» in the unit of the second."""
    return first * 1000 if first < 1000 <= second and first * 1000 <= second else first
