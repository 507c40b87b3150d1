"""What a chat has led to: a contact of one side, or an agreed meeting."""

from dataclasses import dataclass
from enum import StrEnum


class ContactKind(StrEnum):
    """Whose contact was left, or that a meeting was agreed. Stored by its value."""

    BUYER = "buyer"
    SELLER = "seller"
    MEETING = "meeting"


@dataclass(frozen=True)
class Contact:
    """The most valuable contact of a chat and the message in which it is found."""

    kind: ContactKind
    message_id: int

    @property
    def as_json(self) -> dict[str, str | int]:
        """The contact as it is stored with a report."""
        return {"kind": self.kind.value, "message_id": self.message_id}
