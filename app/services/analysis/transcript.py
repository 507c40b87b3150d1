"""A stored chat as grading and reports see it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.messages import ChatMessage, Side
from app.models import Message
from app.repositories.gradings import ClaimedChat
from app.repositories.messages import MessageWords

LONGEST_TEXT = 10_000
"""Characters of one message that are graded: ten times what Avito lets a person write."""


@dataclass(frozen=True)
class Transcript:
    """A chat's messages, oldest first, and what a report tells of the whole chat."""

    messages: tuple[ChatMessage, ...]
    names: tuple[str, ...]
    """People known from the chat."""
    company_messages: int
    client_messages: int
    last_person_id: int
    """The last message that a person wrote: what the grading has seen."""


def chat_messages(stored: Sequence[Message | MessageWords]) -> tuple[ChatMessage, ...]:
    """Stored messages as grading sees them, in the same order; of a very long one the beginning."""
    return tuple(
        ChatMessage(
            id=row.id,
            side=Side(row.side),
            sent_at=row.sent_at,
            text=row.text[:LONGEST_TEXT],
            has_text=row.has_text,
        )
        for row in stored
    )


def people_between(
    messages: Sequence[ChatMessage], first_id: int, last_id: int
) -> tuple[ChatMessage, ...]:
    """What people wrote from one message of a chat to another, both included: the window that a
    report has graded.
    """
    places = {message.id: place for place, message in enumerate(messages)}
    return tuple(
        message
        for message in messages[places[first_id] : places[last_id] + 1]
        if message.side is not Side.SYSTEM
    )


def transcript_of(chat: ClaimedChat, stored: Sequence[Message | MessageWords]) -> Transcript:
    """The transcript of a chat in which at least one person wrote."""
    messages = chat_messages(stored)
    people = [message for message in messages if message.side is not Side.SYSTEM]
    company = sum(message.side is Side.COMPANY for message in people)
    # By the order in which sync finds the last person, where one second holds several messages.
    last = max(people, key=lambda message: (message.sent_at, message.id))
    return Transcript(
        messages=messages,
        names=(chat.client_name,) if chat.client_name else (),
        company_messages=company,
        client_messages=len(people) - company,
        last_person_id=last.id,
    )
