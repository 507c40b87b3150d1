"""When a mail is delivered again to a recipient, and when a delivery fails for good."""

from datetime import datetime, timedelta

RETRY_FOR = timedelta(days=3)
"""How long delivery is retried while the mail server temporarily rejects the recipient."""
MIN_TRIES = 4
"""A delivery does not fail for good before this many tries.

A clock that is briefly ahead can make three days pass at once.
"""
MAX_REFUSALS = 3
"""A rejection of the recipient (5xx) is final after the first call and two more calls."""
FIRST_RETRY = timedelta(minutes=5)
"""The first pause. It is doubled after each further try."""
LONGEST_RETRY = timedelta(hours=6)
# More doublings exceed the longest pause, and finally the range of a timedelta.
_MAX_DOUBLINGS = (LONGEST_RETRY // FIRST_RETRY).bit_length()


def find_pause(tries: int) -> timedelta:
    """Return the pause after the given number of tries, 1 or more."""
    doubled: timedelta = FIRST_RETRY * (1 << min(tries - 1, _MAX_DOUBLINGS))
    return min(doubled, LONGEST_RETRY)


def has_expired(first_tried_at: datetime | None, now: datetime, tries: int) -> bool:
    """Return whether a delivery without a rejection of the recipient fails for good."""
    return now - (first_tried_at or now) >= RETRY_FOR and tries >= MIN_TRIES


def is_final_refusal(refusals: int) -> bool:
    """Return whether a delivery fails for good at this number of rejections of the recipient."""
    return refusals >= MAX_REFUSALS
