"""Compare two amounts of one class."""

from app.grading.contradictions.amount import Amount, Bound
from app.grading.contradictions.units import Unit

_TOLERANCE = 0.011
"""Prices and sizes are rounded: «5 тысяч» for 4,990."""
_ABOUT = 0.15
_SCALES = (1.0, 10.0, 100.0, 0.1, 0.01)


def are_comparable(one: Amount, other: Amount) -> bool:
    """Return whether both amounts are of one class and kind of size."""
    return one.unit is other.unit and bool(one.letters) is bool(other.letters)


def agree(stated: Amount, known: Amount) -> bool:
    """Return whether a stated amount may be the known one, or one of its sides."""
    if stated.letters or known.letters:
        return stated.letters == known.letters
    if stated.bound is Bound.RANGE:
        return known.bound is not Bound.RANGE or _overlap(stated, known)
    if stated.is_aged:
        return abs(stated.values[0] - known.values[0]) <= 1
    if known.unit is Unit.YEAR:
        return stated.values == known.values or _is_between(stated, known)
    if known.bound is not Bound.EXACT and len(stated.values) == 1:
        return _is_within(stated.values[0], known)
    scales: tuple[float, ...] = (1.0,)
    if known.unit is Unit.LENGTH and not (stated.is_scaled and known.is_scaled):
        scales = _SCALES
    if known.unit is Unit.STORAGE:
        scales = (1.0, 1000 / 1024, 1024 / 1000)
    return any(_are_sides(stated, known, scale) for scale in scales)


def _overlap(stated: Amount, known: Amount) -> bool:
    return stated.values[0] <= known.values[-1] and known.values[0] <= stated.values[-1]


def _is_between(stated: Amount, known: Amount) -> bool:
    return known.bound is Bound.RANGE and known.values[0] <= stated.values[0] <= known.values[-1]


def _is_within(value: float, known: Amount) -> bool:
    low, high = known.values[0], known.values[-1]
    match known.bound:
        case Bound.FROM:
            return value >= low * (1 - _TOLERANCE)
        case Bound.UP_TO:
            return value <= high * (1 + _TOLERANCE)
        case Bound.RANGE:
            return low * (1 - _TOLERANCE) <= value <= high * (1 + _TOLERANCE)
        case _:
            return abs(value - low) <= low * _ABOUT


def _are_sides(stated: Amount, known: Amount, scale: float) -> bool:
    """Return whether each stated value is one of the known ones, or the reverse."""
    few, many = sorted((stated.values, known.values), key=len)
    factor = scale if few is stated.values else 1 / scale
    left = list(many)
    for value in few:
        near = [other for other in left if _are_near(value * factor, other)]
        if not near:
            return False
        left.remove(near[0])
    return True


def _are_near(one: float, other: float) -> bool:
    return abs(one - other) <= max(abs(one), abs(other)) * _TOLERANCE
