"""How steady a model is: chats that are graded twice, and answers that are equal for all chats."""

import math
from hashlib import sha256
from typing import NamedTuple

ENOUGH_ANSWERS = 10
"""Fewer reports show nothing about the model."""
ENOUGH_FAULTLESS = 30
"""Fewer reports without a fault show nothing: good sellers exist."""
MOST_EQUAL = 0.5
"""The largest share of reports that may have equal answers with a fault."""
MOST_FAULTLESS = 0.9
"""The largest share of reports that may have the same answers without a fault."""
_NORMAL_95 = 1.959964


class Interval(NamedTuple):
    """A confidence interval of 95 %."""

    low: float
    high: float


def is_repeated(chat_id: int, last_message_id: int, share: float) -> bool:
    """Return whether a chat belongs to the share that is graded twice.

    The choice is the same in every process and independent of the chat's text.
    """
    digest = sha256(f"{chat_id} {last_message_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def are_suspicious(vector: str, equal: int, reports: int) -> bool:
    """Return whether a model seems to answer without reading.

    ``vector``: the commonest answers to all checks. ``equal``: reports that have them.
    """
    has_fault = "n" in vector.split()
    enough = ENOUGH_ANSWERS if has_fault else ENOUGH_FAULTLESS
    most = MOST_EQUAL if has_fault else MOST_FAULTLESS
    return reports >= enough and equal > most * reports


def wilson_interval(count: int, of: int) -> Interval | None:
    """Return the Wilson score interval of a proportion; None for an empty sample."""
    if not of:
        return None
    share, z = count / of, _NORMAL_95
    scale = 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / scale
    return Interval(max(middle - half, 0.0), min(middle + half, 1.0))
