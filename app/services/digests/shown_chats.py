"""Select the chats that a mail names: the worst, the best, waiting buyers, and ungraded chats."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypedDict, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import Check, Criterion
from app.domain.critical import describe_fault
from app.domain.grades import Grade
from app.domain.outcomes import Outcome, describe_cause
from app.domain.settling import SettlingSpan
from app.grading.evidence import in_sentence
from app.models import Message
from app.repositories import coverage, messages, report_figures
from app.repositories.report_figures import Row
from app.repositories.report_filter import ReportFilter
from app.services.changed_authors import list_with_changed_authors
from app.services.digests.figures import FailedChat, GoodChat, UngradedChat, WaitingBuyer, WorstChat
from app.services.display_text import display_name, display_title

T = TypeVar("T")

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
    settling: SettlingSpan | None,
) -> ShownChats:
    """Select the chats that the mail shows.

    ``span``: bounds of the messages that make a chat count. ``waiting``: bounds ``since`` and
    ``until`` of the last message of a waiting buyer. ``settling``: the span of the present moment.
    """
    buyers = await coverage.list_waiting_buyers(
        session, since=waiting["since"], until=waiting["until"]
    )
    worst = await report_figures.list_worst(session, wanted, limit=_WORST)
    best = await report_figures.list_best(
        session, wanted, waiting=[buyer["id"] for buyer in buyers], limit=_BEST
    )
    shown = [row["id"] for row in (*worst, *best)]
    changed = await list_with_changed_authors(session, shown)
    best = [row for row in best if row["id"] not in changed]
    messages_by_id = await messages.get_messages(session, set(_list_message_ids(worst, best)))
    ungraded = await asyncio.to_thread(
        _make_each, _make_ungraded_chat, await coverage.list_ungraded(session, span, settling)
    )
    failed = (
        FailedChat(
            account=chat.account,
            chat_id=chat.chat_id,
            chat_title=chat.chat_title,
            reason=chat.reason or "",
        )
        for chat in ungraded
        if chat.status == Outcome.FAILED
    )
    return ShownChats(
        worst=tuple(_make_worst_chat(row, messages_by_id, changed) for row in worst),
        best=tuple(_make_good_chat(row, messages_by_id) for row in best),
        waiting_buyers=await asyncio.to_thread(_make_each, _make_waiting_buyer, buyers),
        failed_chats=tuple(islice(failed, _FAILED)),
        ungraded=ungraded,
    )


def _make_each(make: Callable[[Row], T], rows: Sequence[Row]) -> tuple[T, ...]:
    """Convert rows. Call it in a thread: there may be thousands."""
    return tuple(map(make, rows))


def _list_message_ids(worst: Sequence[Row], best: Sequence[Row]) -> Iterator[int]:
    """Yield the ids of the messages of quotes and advice."""
    for _, quote in (*map(_choose_low_criterion, worst), *map(_choose_high_criterion, best)):
        if quote:
            yield quote["message_id"]
    for advice in map(_get_advice, worst):
        if advice["message_id"] is not None:
            yield advice["message_id"]


def _make_worst_chat(
    row: Row, messages_by_id: Mapping[int, Message], changed: Collection[int]
) -> WorstChat:
    advice = _get_advice(row)
    about = advice["message_id"]
    return WorstChat(
        **_describe_report(row, *_choose_low_criterion(row), messages_by_id),
        advice=advice["text"],
        advice_at=None if about is None else messages_by_id[about].sent_at,
        addressed=row["addressed"],
        author_changed=row["id"] in changed,
        critical=tuple(
            describe_fault(found["fault"]) for found in row["detail"].get("critical", ())
        ),
    )


def _make_good_chat(row: Row, messages_by_id: Mapping[int, Message]) -> GoodChat:
    return GoodChat(**_describe_report(row, *_choose_high_criterion(row), messages_by_id))


def _choose_low_criterion(row: Row) -> tuple[Criterion, Quote | None]:
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


def _choose_high_criterion(row: Row) -> tuple[Criterion, Quote | None]:
    """Return the high criterion with the longest quote: a greeting is no example to learn from."""
    verdicts = row["detail"]["criteria"]
    longest = {
        name: max(verdicts[name]["quotes"], key=lambda quote: len(quote["text"]), default=None)
        for name in Criterion
        if verdicts[name]["grade"] == Grade.HIGH
    }
    return max(longest.items(), key=lambda entry: len(entry[1]["text"]) if entry[1] else 0)


def _describe_report(
    row: Row, criterion: Criterion, quote: Quote | None, messages_by_id: Mapping[int, Message]
) -> dict[str, Any]:
    message = messages_by_id[quote["message_id"]] if quote else None
    return {
        "account": row["account"],
        "report_id": row["id"],
        "chat_id": row["avito_id"],
        "chat_title": row["chat_title"],
        "client_name": row["client_name"],
        "score": row["score"],
        "criterion": criterion.label,
        "quote": in_sentence(quote["text"], message.text) if quote and message else None,
        "quote_side": message.side if message else None,
    }


def _get_advice(row: Row) -> dict[str, Any]:
    return next(iter(row["detail"]["recommendations"]), {"message_id": None, "text": None})


def _make_waiting_buyer(row: Row) -> WaitingBuyer:
    return WaitingBuyer(
        **_describe_chat(row),
        since=row["waiting_since"],
        missed_call=row["missed_call"],
        answered_by=row["answered_by"],
    )


def _make_ungraded_chat(row: Row) -> UngradedChat:
    reason = describe_cause(row["code"], row["detail"])
    return UngradedChat(**_describe_chat(row), status=row["current_outcome"], reason=reason)


def _describe_chat(row: Row) -> dict[str, Any]:
    return {
        "account": row["account"],
        "chat_id": row["avito_id"],
        "chat_title": display_title(row["item_title"]),
        "client_name": display_name(row["client_name"]),
    }
