"""A statement of the company that contradicts the listing or the company's facts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ContradictionKind(StrEnum):
    """What the statement is about. Stored by its value."""

    PRICE = "price"
    SIZE = "size"
    YEAR = "year"


@dataclass(frozen=True)
class Contradiction:
    """Words of a message, and the words of the listing or of the facts that differ."""

    kind: ContradictionKind
    message_id: int
    quote: str
    source_quote: str

    @property
    def as_json(self) -> dict[str, Any]:
        """The contradiction as it is stored with a report."""
        return {
            "kind": self.kind.value,
            "said": {"message_id": self.message_id, "quote": self.quote},
            "source": {"quote": self.source_quote},
        }
