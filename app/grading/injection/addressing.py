"""Find the messages of a window that address the grader."""

from collections.abc import Sequence

from app.domain.messages import ChatMessage, Side
from app.grading.injection.detect import addressing_messages

MAX_ADDRESSING = 5


def list_addressing(window: Sequence[ChatMessage]) -> tuple[int, ...]:
    """Return the ids of the first messages that are addressed to the grader.

    The first such message of each side is included, however many the other side wrote before.
    """
    by_side = [_list_addressing_of(window, side) for side in Side]
    first_of_side = {ids[0] for ids in by_side if ids}
    found = {message_id for ids in by_side for message_id in ids}
    ids = [message.id for message in window if message.id in found]
    kept = sorted(ids, key=lambda message_id: message_id not in first_of_side)[:MAX_ADDRESSING]
    return tuple(message_id for message_id in ids if message_id in kept)


def _list_addressing_of(window: Sequence[ChatMessage], side: Side) -> list[int]:
    own = [message for message in window if message.side is side]
    return [own[place].id for place in addressing_messages([message.text for message in own])]
