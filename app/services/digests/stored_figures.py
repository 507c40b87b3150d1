"""Parse the figures of a mail as they are stored."""

from collections.abc import Mapping
from typing import Any

from app.services.digests.figures import DigestFigures, UngradedChat, WaitingBuyer


def parse_figures(stored: Mapping[str, Any]) -> DigestFigures:
    """Return the figures. Call it in a thread: there may be thousands of chats.

    The chats are parsed one by one, because no other thread runs while the library parses a value.
    """
    lists: dict[str, tuple[Any, ...]] = {
        "waiting_buyers": tuple(
            WaitingBuyer.model_validate(buyer) for buyer in stored["waiting_buyers"]
        ),
        "ungraded": tuple(UngradedChat.model_validate(chat) for chat in stored.get("ungraded", ())),
    }
    figures = DigestFigures.model_validate({**stored, **dict.fromkeys(lists, ())})
    return figures.model_copy(update=lists)
