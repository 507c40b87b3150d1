"""The reports of a period with their graded messages, for a regrading and for its estimate."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.domain.episode import latest_episode
from app.domain.listing import Listing
from app.domain.messages import ChatMessage
from app.repositories import messages, model_exchanges, regrades
from app.repositories.messages import MessageWords
from app.repositories.regrades import Original
from app.services.analysis.exchange import select_window
from app.services.analysis.grading_pool import READ_AHEAD, GradingCase
from app.services.analysis.transcript import convert_messages, select_people_between
from app.services.run_params import RegradePeriod


async def count_originals(
    database: Database, period: RegradePeriod, *, done_by: Collection[int]
) -> int:
    """Count the reports to grade again, except those that the runs ``done_by`` have graded."""
    async with database.session() as session:
        found = await regrades.count_originals(session, period.start, period.end)
        done = await regrades.count_regraded(session, done_by)
    return (found if period.limit is None else min(found, period.limit)) - done


async def list_originals(
    database: Database, period: RegradePeriod, gap: timedelta, *, done_by: Collection[int] = ()
) -> AsyncIterator[GradingCase[Original]]:
    """Yield the same reports with their windows, newest first, few in memory at a time.

    ``gap``: the silence that separates episodes.
    """
    before: Original | None = None
    left = period.limit
    while left is None or left > 0:
        most = READ_AHEAD if left is None else min(left, READ_AHEAD)
        async with database.session() as session:
            found = await regrades.list_originals(
                session, period.start, period.end, before=before, limit=most
            )
            cases = await _read_cases(session, found, gap, done_by)
        if not found:
            return
        for case in cases:
            yield case
        before = found[-1]
        left = None if left is None else left - len(found)


async def _read_cases(
    session: AsyncSession,
    found: Sequence[Original],
    gap: timedelta,
    done_by: Collection[int],
) -> list[GradingCase[Original]]:
    """Read the windows of the reports that the runs ``done_by`` have not graded."""
    done = await regrades.list_regraded(session, [original.id for original in found], done_by)
    to_grade = [original for original in found if original.id not in done]
    stored = await messages.list_words(session, {original.chat_id for original in to_grade})
    questions = await model_exchanges.list_questions(session, [entry.id for entry in to_grade])
    return [
        _make_case(original, stored[original.chat_id], questions.get(original.id, {}), gap)
        for original in to_grade
    ]


def _make_case(
    original: Original,
    stored: Sequence[MessageWords],
    question: Mapping[str, Any],
    gap: timedelta,
) -> GradingCase[Original]:
    """Make the case as it was: judged at the moment of the report, with its own episode.

    ``question``: the one to the model; empty for reports of earlier versions.
    """
    messages = convert_messages(stored)
    window = select_window(messages, question or _describe_window(original, messages))
    names = (original.client_name,) if original.client_name else ()
    earlier = question.get("earlier")
    if earlier is None:
        earlier = _count_earlier(messages, window, gap)
    listing = Listing.from_json(question.get("listing"))
    return GradingCase(original, window, names, earlier, original.created_at, listing)


def _describe_window(original: Original, messages: Sequence[ChatMessage]) -> dict[str, Any]:
    graded = select_people_between(messages, original.first_message_id, original.last_message_id)
    return {"messages": [message.id for message in graded]}


def _count_earlier(
    messages: Sequence[ChatMessage], window: Sequence[ChatMessage], gap: timedelta
) -> int:
    """Count the messages of the episode before the window."""
    places = {message.id: place for place, message in enumerate(messages)}
    up_to_last = messages[: places[window[-1].id] + 1]
    return max(len(latest_episode(up_to_last, gap)) - len(window), 0)
