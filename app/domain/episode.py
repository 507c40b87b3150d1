"""Which messages of a chat are graded, and when there is nothing to grade."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate, dropwhile, pairwise

from app.domain.messages import ChatMessage, Side
from app.domain.outcomes import SkipReason
from app.domain.visible_text import keep_visible

WINDOW_LIMIT = 200
WINDOW_CHARACTERS = 100_000
"""Of all the texts in a window together."""


def latest_episode(messages: Sequence[ChatMessage], gap: timedelta) -> list[ChatMessage]:
    """The people's messages since the last beginning of an episode; `messages` come oldest first.

    An episode begins with the client's message that ends a silence longer than `gap` which follows
    a message of the company. A silence that the company's late answer ends, or that follows the
    client's own message, splits nothing: it is the worst service and must be seen. System messages
    belong to neither side: they break no silence and are left out.
    """
    people = [message for message in messages if message.side is not Side.SYSTEM]
    start = 0
    for index, (before, after) in enumerate(pairwise(people), start=1):
        client_returns = before.side is Side.COMPANY and after.side is Side.CLIENT
        if client_returns and after.sent_at - before.sent_at > gap:
            start = index
    return people[start:]


def window(
    messages: Sequence[ChatMessage], gap: timedelta, limit: int = WINDOW_LIMIT
) -> list[ChatMessage]:
    """What is graded: the last messages of the latest episode, oldest first, at most `limit` and
    with at most WINDOW_CHARACTERS.
    """
    last = latest_episode(messages, gap)[-limit:]
    lengths = list(accumulate(len(message.text) for message in reversed(last)))
    return last[len(last) - bisect_right(lengths, WINDOW_CHARACTERS) :]


def why_ungradeable(window: Sequence[ChatMessage]) -> SkipReason | None:
    """Why this window cannot be graded, or None.

    An answer is what the company wrote after the client's first message: an offer sent to somebody
    who then got no answer is none. Text is asked of the company only: a buyer who sends pictures
    and voice can be answered well or badly in words, while an answer made of pictures, calls and
    voice leaves the judge no word of the seller's to grade or to quote.
    """
    since_client = list(dropwhile(lambda message: message.side is not Side.CLIENT, window))
    if not since_client:
        return SkipReason.NO_CLIENT_MESSAGE
    answers = [message for message in since_client if message.side is Side.COMPANY]
    if not answers:
        return SkipReason.NO_COMPANY_ANSWER
    if not any(message.has_text and keep_visible(message.text).strip() for message in answers):
        return SkipReason.NO_TEXT
    return None
