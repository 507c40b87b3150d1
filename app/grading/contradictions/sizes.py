"""Tell whether a size contradicts that of the listing."""

import re

from app.domain.contradiction import ContradictionKind
from app.grading.contradictions import words
from app.grading.contradictions.amount import Amount
from app.grading.contradictions.clauses import Subject
from app.grading.contradictions.comparison import agree, are_comparable
from app.grading.contradictions.readings import is_near
from app.grading.contradictions.statements import Statement
from app.grading.contradictions.units import Unit

_BED = re.compile(r"кроват|матрас|матрац")
WHEELS = re.compile(r"шин|резин|диск|колес|покрышк")
_IS_IN_STOCK = re.compile(r"(?<!\w)(?<!то )есть(?!\w)")
_PLANE = 2
_LEAST_PRICE, _LEAST_SURE_PRICE = 500, 1_000
"""A number beside a size from which it is a price: with a word for a price, and without."""
_PART = re.compile(r"столешниц|каркас|крышк|(?<!\w)рам[аыу](?!\w)|основани")
_PART_TOLERANCE = 0.06
_ADDED = frozenset({Unit.AREA, Unit.LAND, Unit.VOLUME, Unit.STORAGE})
_LEAST_NEAR, _MOST_NEAR = 0.45, 1.6


def is_other_size(
    statement: Statement, known: list[Amount], subject: Subject, wide: Subject
) -> bool:
    """Return whether a size that differs from all known ones is that of the listing's thing."""
    if _is_doubtful(statement, known, subject):
        return False
    if statement.amount.unit is Unit.WHEEL:
        return bool(WHEELS.search(wide.folded))
    return statement.amount.unit is not Unit.LENGTH or _is_other_length(statement, known, subject)


def _is_doubtful(statement: Statement, known: list[Amount], subject: Subject) -> bool:
    """Return whether a size may be that of a part, a variant or another thing."""
    around = words.drop_excluded(statement.around)
    if _BED.search(subject.folded):
        around = around.replace("спальн", "")
    is_asked = not statement.buyer_values.isdisjoint(statement.amount.values)
    return (
        not statement.is_certain
        or _is_priced(statement)
        or _is_listed(statement)
        or _is_beside_quoted(statement)
        or _is_of_several(statement, known)
        or subject.lacks(words.OTHER_PART, statement.question)
        or bool(_IS_IN_STOCK.search(statement.text))
        or (is_asked and statement.has_contrast)
        or (is_asked and bool(_IS_IN_STOCK.search(statement.question)))
        or subject.lacks(words.OTHER_SIZE, around)
    )


def _is_priced(statement: Statement) -> bool:
    """Return whether a price is beside, which may be that of a variant: «140х200 стоит 14 000»."""
    has_cue = words.PRICE_CUE.search(statement.text)
    return any(
        one.unit is Unit.ROUBLE
        or (
            one.unit is Unit.BARE
            and bool(one.values)
            and (
                one.values[0] >= _LEAST_PRICE
                if has_cue
                else one.values[0] >= _LEAST_SURE_PRICE and one.values[0] % 10 == 0
            )
        )
        for one in statement.beside
    )


def _is_of_several(statement: Statement, known: list[Amount]) -> bool:
    """Return whether a size is a multiple of the known one, and several things are named."""
    if statement.amount.unit not in _ADDED or not words.SEVERAL.search(
        f"{statement.sentence} {statement.question}"
    ):
        return False
    values = statement.amount.values[:1]
    return any(
        stated > own and stated % own == 0
        for one in known
        for own in one.values
        for stated in values
    )


def _is_beside_quoted(statement: Statement) -> bool:
    """Return whether a size of the buyer is beside: «65 дюймов это 145 см»."""
    sizes = (one for one in statement.beside if one.kind is ContradictionKind.SIZE)
    return any(not statement.buyer_values.isdisjoint(one.values) for one in sizes)


def _is_listed(statement: Statement) -> bool:
    """Return whether a size is one of several of the same class, but not of sides."""
    amount = statement.amount
    if words.list_sides(statement.sentence):
        return False
    same = [one for one in statement.message if are_comparable(one, amount)]
    return any(
        len(one.values) == 1
        and not agree(one, amount)
        and (bool(one.letters) or is_near(one.values[0], [amount], amount.unit))
        for one in same
    )


def _is_other_length(statement: Statement, known: list[Amount], subject: Subject) -> bool:
    """Return whether a length is one of the sides that the listing names."""
    amount = statement.amount
    known = [one for one in known if len(one.values) == len(amount.values)] or known
    if _PART.search(statement.text) and any(_is_close(amount, one) for one in known):
        return False
    if len(known) != 1:
        return False
    if len(amount.values) == len(known[0].values) == 1:
        return _is_of_side(statement, known[0], subject)
    if len(amount.values) == 1 and len(known[0].values) == _PLANE:
        return _is_of_plane(statement, known[0])
    return len(amount.values) > 1 and len(known[0].values) > 1


def _is_close(amount: Amount, known: Amount) -> bool:
    """Return whether a part has about the size of the whole."""
    pairs = zip(sorted(amount.values), sorted(known.values), strict=False)
    return all(abs(stated - own) <= own * _PART_TOLERANCE for stated, own in pairs)


def _is_of_side(statement: Statement, known: Amount, subject: Subject) -> bool:
    """Return whether a single length is of the side that the listing has."""
    asked, own = words.list_sides(statement.question), words.list_sides(subject.folded)
    stated = words.list_sides(statement.text) or asked
    if own:
        return stated == own or not stated
    main = words.list_main_sides(subject.folded)
    return (
        not stated
        or bool(main & stated)
        or (stated == {"length"} and not main)
        or (stated == {"width"} and asked == {"diameter"})
        or (stated == asked and known.values[0] in statement.buyer_values)
    )


def _is_of_plane(statement: Statement, known: Amount) -> bool:
    """Return whether a width or length is one of the sides of «140х200»."""
    sides = words.list_sides(statement.text) or words.list_sides(statement.question)
    value = statement.amount.values[0]
    near = [_LEAST_NEAR <= value / side <= _MOST_NEAR for side in known.values]
    asked = words.list_sides(statement.question)
    return bool(sides) and asked | sides <= {"width", "length"} and any(near)
