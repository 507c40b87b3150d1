"""Select the chats that a mail names: the worst, the best, waiting buyers, and ungraded chats."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypedDict

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import Check, Criterion
from app.domain.grades import Grade
from app.domain.outcomes import Outcome, describe_cause
from app.grading.evidence import in_sentence
from app.models import Message
from app.repositories import coverage, messages, report_figures
from app.repositories.report_figures import Row
from app.repositories.report_filter import ReportFilter
from app.services.digests.figures import FailedChat, GoodChat, UngradedChat, WaitingBuyer, WorstChat
from app.services.display_text import display_name, display_title

_WORST, _BEST, _FAILED = 5, 3, 5

Quote = dict[str, Any]


class ShownChats(TypedDict):
    """The fields of :class:`DigestFigures` that hold chats."""

    worst: tuple[WorstChat, ...]
    best: tuple[GoodChat, ...]
    waiting_buyers: tuple[WaitingBuyer, ...]
    failed_chats: tuple[FailedChat, ...]
    ungraded: tuple[UngradedChat, ...]


async def select_shown_chats(
    session: AsyncSession,
    wanted: ReportFilter,
    *,
    span: Mapping[str, Any],
    waiting: Mapping[str, datetime],
) -> ShownChats:
    """Select the chats. ``span``: the period of the counted chats. ``waiting``: bounds ``since``
    and ``until`` for the last message of a waiting buyer.
    """
    buyers = await coverage.list_waiting_buyers(
        session, since=waiting["since"], until=waiting["until"]
    )
    worst = await report_figures.list_worst(session, wanted, limit=_WORST)
    best = await report_figures.list_best(
        session, wanted, waiting=[buyer["id"] for buyer in buyers], limit=_BEST
    )
    written = await messages.get_messages(session, set(_shown_messages(worst, best)))
    ungraded = tuple(_ungraded_chat(row) for row in await coverage.list_ungraded(session, span))
    failed = (
        FailedChat(chat_id=chat.chat_id, chat_title=chat.chat_title, reason=chat.reason or "")
        for chat in ungraded
        if chat.status == Outcome.FAILED
    )
    return ShownChats(
        worst=tuple(_worst_chat(row, written) for row in worst),
        best=tuple(GoodChat(**_shown(row, *_high_point(row), written)) for row in best),
        waiting_buyers=tuple(_waiting_buyer(row) for row in buyers),
        failed_chats=tuple(islice(failed, _FAILED)),
        ungraded=ungraded,
    )


def _shown_messages(worst: Sequence[Row], best: Sequence[Row]) -> Iterator[int]:
    """Yield the ids of the messages of quotes and advice."""
    for _, quote in (*map(_low_point, worst), *map(_high_point, best)):
        if quote:
            yield quote["message_id"]
    for advice in map(_advice, worst):
        if advice["message_id"] is not None:
            yield advice["message_id"]


def _worst_chat(row: Row, written: Mapping[int, Message]) -> WorstChat:
    advice = _advice(row)
    about = advice["message_id"]
    return WorstChat(
        **_shown(row, *_low_point(row), written),
        advice=advice["text"],
        advice_at=None if about is None else written[about].sent_at,
        addressed=row["addressed"],
    )


def _low_point(row: Row) -> tuple[Criterion, Quote | None]:
    """Return the low criterion with most failed checks, preferably one with a quote."""
    verdicts = row["detail"]["criteria"]
    low = [name for name in Criterion if verdicts[name]["grade"] == Grade.LOW]
    criterion = max(
        low,
        key=lambda name: (
            bool(verdicts[name]["quotes"]),
            list(verdicts[name]["checks"].values()).count(Check.NO),
        ),
    )
    return criterion, next(iter(verdicts[criterion]["quotes"]), None)


def _high_point(row: Row) -> tuple[Criterion, Quote | None]:
    """Return the high criterion with the longest quote: a greeting is no example to learn from."""
    verdicts = row["detail"]["criteria"]
    longest = {
        name: max(verdicts[name]["quotes"], key=lambda quote: len(quote["text"]), default=None)
        for name in Criterion
        if verdicts[name]["grade"] == Grade.HIGH
    }
    return max(longest.items(), key=lambda entry: len(entry[1]["text"]) if entry[1] else 0)


def _shown(
    row: Row, criterion: Criterion, quote: Quote | None, written: Mapping[int, Message]
) -> dict[str, Any]:
    return {
        "report_id": row["id"],
        "chat_id": row["avito_id"],
        "chat_title": row["chat_title"],
        "client_name": row["client_name"],
        "score": row["score"],
        "criterion": criterion.label,
        "quote": in_sentence(quote["text"], written[quote["message_id"]].text) if quote else None,
        "quote_side": written[quote["message_id"]].side if quote else None,
    }


def _advice(row: Row) -> dict[str, Any]:
    return next(iter(row["detail"]["recommendations"]), {"message_id": None, "text": None})


def _waiting_buyer(row: Row) -> WaitingBuyer:
    return WaitingBuyer(**_named(row), since=row["waiting_since"])


def _ungraded_chat(row: Row) -> UngradedChat:
    reason = describe_cause(row["code"], row["detail"])
    return UngradedChat(**_named(row), status=row["status"], reason=reason)


def _named(row: Row) -> dict[str, Any]:
    return {
        "account": row["account"],
        "chat_id": row["avito_id"],
        "chat_title": display_title(row["item_title"]),
        "client_name": display_name(row["client_name"]),
    }
