"""Selection of the messages of a chat that are graded, and reasons to skip a chat."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate, dropwhile, pairwise

from app.domain.messages import ChatMessage, Side
from app.domain.outcomes import OutcomeCode
from app.domain.substitutes import Substitute
from app.domain.visible_text import keep_visible

WINDOW_LIMIT = 200
"""The most messages in a window."""
WINDOW_CHARACTERS = 100_000
"""The most characters in all texts of a window together."""


def latest_episode(messages: Sequence[ChatMessage], gap: timedelta) -> list[ChatMessage]:
    """Return the messages of the latest episode without system messages, oldest first.

    Messages of bots are part of it, but neither begin nor end a silence.

    ``messages`` are sorted, oldest first. A new episode begins when the buyer writes after a
    silence longer than ``gap`` (EPISODE_GAP_HOURS, 72 by default) in which no buyer waited. Other
    silences do not begin an episode: if the company answers late, or the buyer repeats a question,
    grading must see the wait. System messages do not interrupt a silence.
    """
    written = [message for message in messages if message.side is not Side.SYSTEM]
    people = [entry for entry in enumerate(written) if entry[1].is_by_person]
    start, waits = 0, False
    for (_, before), (place, after) in pairwise(people):
        waits = before.begins_wait or (waits and not before.ends_wait)
        client_returns = not waits and after.side is Side.CLIENT
        if client_returns and after.sent_at - before.sent_at > gap:
            start = place
    return written[start:]


def window(
    messages: Sequence[ChatMessage], gap: timedelta, limit: int = WINDOW_LIMIT
) -> list[ChatMessage]:
    """Return the messages to grade: the last ones of the latest episode, oldest first.

    At most ``limit`` messages, with at most WINDOW_CHARACTERS of text together.
    """
    last = latest_episode(messages, gap)[-limit:]
    lengths = list(accumulate(len(message.text) for message in reversed(last)))
    return last[len(last) - bisect_right(lengths, WINDOW_CHARACTERS) :]


def why_ungradeable(
    window: Sequence[ChatMessage],
    *,
    company_is_buyer: bool = False,
    substitute: Substitute | None = None,
) -> OutcomeCode | None:
    """Return the code of why this window cannot be graded, or None.

    ``company_is_buyer``: the listing of the chat belongs to another account. The side ``client`` is
    then the seller, and the company has nobody to serve. ``substitute``: who has answered the
    buyer in place of a person, if any.

    An answer is a message of a person of the company after the buyer's first message, or a
    completed call. An offer that the company sent earlier is not an answer. Only the company's
    answers must contain visible text: the grader needs words to grade and to quote. The buyer may
    send only pictures or voice messages. A window without messages of people is a lead without a
    message.
    """
    if company_is_buyer:
        return OutcomeCode.COMPANY_IS_BUYER
    if not any(message.is_by_person for message in window):
        return OutcomeCode.NOTHING_WRITTEN
    since_client = list(dropwhile(lambda message: message.side is not Side.CLIENT, window))
    if not since_client:
        return OutcomeCode.NO_CLIENT_MESSAGE
    answers = [message for message in since_client if message.ends_wait]
    if not answers:
        return _ANSWERED_ONLY_BY.get(substitute, OutcomeCode.NO_COMPANY_ANSWER)
    if not any(message.side is Side.COMPANY and _has_visible_text(message) for message in answers):
        return OutcomeCode.NO_TEXT
    return None


_ANSWERED_ONLY_BY: dict[Substitute | None, OutcomeCode] = {
    Substitute.BOT: OutcomeCode.ONLY_BOT_ANSWERED,
    Substitute.ASSISTANT: OutcomeCode.ONLY_ASSISTANT_ANSWERED,
}


def _has_visible_text(message: ChatMessage) -> bool:
    return message.has_text and bool(keep_visible(message.text).strip())
