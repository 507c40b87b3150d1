"""Estimate the chats, tokens and cost of a grading run from the windows that it would send."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from app.clients.deepseek import Usage
from app.clients.deepseek.tokens import estimate_tokens
from app.database.engine import Database
from app.domain.episode import why_ungradeable, window
from app.domain.listing import Listing
from app.domain.messages import ChatMessage
from app.domain.outcomes import OutcomeCode
from app.domain.steadiness import is_repeated
from app.grading.masking.masker import Masker, Masking
from app.grading.prompt import user_message
from app.repositories import due_chats, listings, messages, reports
from app.repositories.grading_scope import Scope
from app.services.analysis.grader import Grader
from app.services.analysis.grading_pool import READ_AHEAD
from app.services.analysis.transcript import convert_messages

_NO_RUN = 0
_NONCE = "f3Kd9QzV1xW7mBt5RhYp2LnC"
"""As long as a nonce of a question, and with as many letters and digits."""
_USUAL_ANSWER_TOKENS = 700
"""The estimate while there are no past answers."""


class PlannedGrading(NamedTuple):
    """A window that would be sent with its listing, and whether it would be graded twice."""

    window: Sequence[ChatMessage]
    listing: Listing | None
    is_repeated: bool = False


@dataclass
class Estimate:
    """Number of windows, skipped chats by reason, settling chats, expected tokens, US dollars.

    ``repeats``: the windows that would be graded twice. ``usd`` and ``most_usd`` are None for a
    model without a price. ``most_usd`` is the sum that the daily budget would reserve.
    """

    windows: int = 0
    repeats: int = 0
    skipped: Counter[OutcomeCode] = field(default_factory=Counter)
    settling: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: Decimal | None = None
    most_usd: Decimal | None = None


async def estimate_due(
    database: Database, grader: Grader, scope: Scope, limit: int | None
) -> Estimate:
    """Estimate the grading of the due chats. No chat is claimed and nothing is written."""
    skipped: Counter[OutcomeCode] = Counter()
    estimate = await estimate_windows(
        database, grader, _plan_due(database, grader, scope, limit, skipped)
    )
    estimate.skipped = skipped
    async with database.session() as session:
        estimate.settling = await due_chats.count_settling(session, scope, _NO_RUN)
    return estimate


async def estimate_windows(
    database: Database, grader: Grader, planned: AsyncIterator[PlannedGrading]
) -> Estimate:
    """Estimate these gradings from the length of past answers."""
    async with database.session() as session:
        answer_tokens = await reports.get_mean_completion_tokens(session)
    estimate, system = Estimate(), estimate_tokens(grader.system)
    expected = round(answer_tokens or _USUAL_ANSWER_TOKENS)
    most = Decimal(0)
    async for graded, listing, is_graded_twice in planned:
        question = _count_question(grader, graded, listing)
        for _ in range(1 + is_graded_twice):
            # The system message is cached for all but the first question.
            is_cached = estimate.usage != Usage()
            estimate.usage += (
                Usage(system, question, expected)
                if is_cached
                else Usage(0, system + question, expected)
            )
            most += grader.most_usd(graded)
        estimate.windows += 1
        estimate.repeats += is_graded_twice
    estimate.usd = grader.cost_usd(estimate.usage)
    estimate.most_usd = None if estimate.usd is None else most
    return estimate


def _count_question(grader: Grader, graded: Sequence[ChatMessage], listing: Listing | None) -> int:
    """Return the tokens of the question about a window, whose personal data is not masked here."""
    context = grader.make_context(graded[-1].sent_at, listing=listing)
    text = user_message(graded, Masker((), level=Masking.OFF), context, _NONCE)
    return estimate_tokens(text)


async def _plan_due(
    database: Database,
    grader: Grader,
    scope: Scope,
    limit: int | None,
    skipped: Counter[OutcomeCode],
) -> AsyncIterator[PlannedGrading]:
    after: due_chats.DuePosition | None = None
    left = limit
    while left is None or left > 0:
        most = READ_AHEAD if left is None else min(left, READ_AHEAD)
        async with database.session() as session:
            due = await due_chats.list_due(session, scope, _NO_RUN, after=after, limit=most)
            ids = [chat.chat_id for chat in due]
            stored = await messages.list_words(session, ids)
            snapshots = await listings.list_snapshots(session, ids)
        if not due:
            return
        for chat in due:
            graded = window(convert_messages(stored[chat.chat_id]), grader.episode_gap)
            reason = why_ungradeable(graded, company_is_buyer=chat.company_is_buyer)
            if reason is None:
                yield PlannedGrading(
                    graded,
                    snapshots.get(chat.chat_id),
                    is_repeated(chat.chat_id, graded[-1].id, grader.steadiness_share),
                )
            else:
                skipped[reason] += 1
        after = due[-1]
        left = None if left is None else left - len(due)
