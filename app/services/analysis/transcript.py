"""The messages of a stored chat in the form that grading and reports need."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.author_kinds import read_side
from app.domain.listing import Listing
from app.domain.messages import ChatMessage, Side
from app.domain.placeholders import Placeholder, find_placeholder
from app.grading.prompt import LONGEST_TEXT
from app.models import Message
from app.repositories.due_chats import ClaimedChat
from app.repositories.messages import MessageWords

_LOOK_AHEAD = 300
"""Characters after the last one that the model gets: a datum may go on there."""


@dataclass(frozen=True)
class Transcript:
    """A claimed chat with its messages, oldest first, and its counts for the report.

    Transcripts of the same messages are equal, also if the chat or its listing was renamed.
    """

    chat: ClaimedChat = field(compare=False)
    messages: tuple[ChatMessage, ...]
    company_messages: int
    client_messages: int
    last_person_id: int
    """The last message of a person, or the notice of a lead. The chat is graded up to it."""
    listing: Listing | None = field(compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are known from the chat."""
        return (self.chat.client_name,) if self.chat.client_name else ()


def convert_messages(stored: Sequence[Message | MessageWords]) -> tuple[ChatMessage, ...]:
    """Convert stored messages for grading, in the same order. Truncate very long ones."""
    return tuple(
        ChatMessage(
            id=row.id,
            side=read_side(row.side, row.author_kind),
            sent_at=row.sent_at,
            text=row.text[: LONGEST_TEXT + _LOOK_AHEAD],
            has_text=row.has_text,
            type=row.type,
            call_status=row.call_status,
        )
        for row in stored
    )


def select_people_between(
    messages: Sequence[ChatMessage], first_id: int, last_id: int
) -> tuple[ChatMessage, ...]:
    """Return a report's window: messages from ``first_id`` to ``last_id`` without system ones."""
    places = {message.id: place for place, message in enumerate(messages)}
    return tuple(
        message
        for message in messages[places[first_id] : places[last_id] + 1]
        if message.side is not Side.SYSTEM
    )


def build_transcript(
    chat: ClaimedChat, stored: Sequence[Message | MessageWords], listing: Listing | None = None
) -> Transcript:
    """Build the transcript of a chat with at least one message of a person or notice of a lead."""
    messages = convert_messages(stored)
    client = sum(message.side is Side.CLIENT for message in messages)
    system = sum(message.side is Side.SYSTEM for message in messages)
    people = [message for message in messages if message.is_by_person]
    # The same order as in sync, for several messages in one second. A sync may have found out
    # since the claim that a bot wrote all of them.
    last = max(
        people or _list_lead_notices(messages) or messages,
        key=lambda message: (message.sent_at, message.id),
    )
    return Transcript(
        chat=chat,
        messages=messages,
        company_messages=len(messages) - client - system,
        client_messages=client,
        last_person_id=last.id,
        listing=listing,
    )


def _list_lead_notices(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    notice = Placeholder.NOTHING_WRITTEN
    return [message for message in messages if find_placeholder(message.text) is notice]
