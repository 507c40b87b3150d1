"""An amount of a text: a price, a size or a year."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.contradiction import ContradictionKind
from app.grading.contradictions.units import Unit


class Bound(StrEnum):
    """How an amount is limited by the words around it."""

    EXACT = "exact"
    FROM = "from"
    UP_TO = "up_to"
    ABOUT = "about"
    RANGE = "range"


@dataclass(frozen=True)
class Amount:
    """An amount, or several of one thing: «120х60». ``is_scaled``: the unit is certain."""

    unit: Unit
    values: tuple[float, ...]
    start: int
    end: int
    bound: Bound = Bound.EXACT
    is_negated: bool = False
    is_scaled: bool = True
    is_ordinal: bool = False
    is_aged: bool = False
    """The year follows from an age."""
    letters: str = ""
    """The size of clothes in letters."""

    @property
    def kind(self) -> ContradictionKind | None:
        """The kind of contradiction that the amount can take part in."""
        if self.unit is Unit.ROUBLE:
            return ContradictionKind.PRICE
        if self.unit in (Unit.YEAR, Unit.AGE):
            return ContradictionKind.YEAR
        return None if self.unit is Unit.BARE else ContradictionKind.SIZE
