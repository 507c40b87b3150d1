"""Read reports for REST: lists and single reports with their context.

A list needs constant memory and does not change while new reports are written.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from app.database.engine import Database
from app.errors import DatabaseRefusedError, DatabaseUnavailableError, NotFoundError
from app.grading.rubric import Rubric
from app.models import Account, Delivery, Digest, Message, Report, Review
from app.repositories import deliveries, digests, messages, prompts, reports, reviews
from app.repositories.report_filter import ReportFilter
from app.repositories.report_order import Position, ReportSort
from app.repositories.reports import ReportBody

T = TypeVar("T")

CHUNK = 500
_OUTAGE_SECONDS = 10.0
"""How long a started answer waits for the database to recover from a crash."""


async def read_page(
    database: Database,
    wanted: ReportFilter,
    zone: ZoneInfo,
    *,
    sort: ReportSort | None = None,
    scored: bool = False,
    after: Position | None,
    limit: int,
) -> tuple[list[ReportBody], Position | None]:
    """Return at most ``limit`` reports in this order, and the next position if there are more.

    ``scored``: with their scores.
    """
    async with database.session() as session:
        newest_id = after.newest_id if after else await reports.get_newest_report_id(session)
        found = await reports.list_bodies(
            session,
            wanted,
            zone,
            sort=sort,
            scored=scored,
            after=after,
            newest_id=newest_id,
            limit=limit + 1,
        )
    page = found[:limit]
    return page, _get_position(page[-1], newest_id, sort) if len(found) > limit else None


def _get_position(last: ReportBody, newest_id: int, sort: ReportSort | None) -> Position:
    return Position(last.created_at, last.id, newest_id, last.score if sort else None)


async def stream_all(
    database: Database,
    wanted: ReportFilter,
    zone: ZoneInfo,
    *,
    sort: ReportSort | None = None,
    scored: bool = False,
) -> AsyncIterator[list[ReportBody]]:
    """Yield all reports in this order, in chunks.

    Each chunk has its own transaction, so a slow client holds no connection.
    """
    read = partial(read_page, database, wanted, zone, sort=sort, scored=scored, limit=CHUNK)
    after: Position | None = None
    while True:
        page, following = await _retry(partial(read, after=after))
        yield page
        if following is None:
            return
        after = following


async def _retry(read: Callable[[], Awaitable[T]]) -> T:
    """Read the next chunk; retry during a short outage.

    There is at least one retry, because the pool replaces dead connections.
    """
    give_up_at, pause = time.monotonic() + _OUTAGE_SECONDS, 0.0
    while True:
        try:
            return await read()
        except DatabaseRefusedError:
            raise
        except DatabaseUnavailableError:
            if pause and time.monotonic() + pause > give_up_at:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, 1.0) or 0.1


async def split_page(page: list[ReportBody]) -> AsyncIterator[list[ReportBody]]:
    """Yield a loaded page in chunks. Other tasks run between them."""
    for start in range(0, len(page), CHUNK):
        yield page[start : start + CHUNK]
        await asyncio.sleep(0)


async def count_up_to(database: Database, wanted: ReportFilter, most: int) -> int:
    """Count the reports, up to ``most``."""
    async with database.session() as session:
        return await reports.count_bodies(session, wanted, most=most)


async def as_json_array(
    chunks: AsyncIterator[list[ReportBody]], *, scored: bool = False
) -> AsyncIterator[bytes]:
    """Encode the chunks as one JSON array. ``scored``: each object ends with its score."""
    opening = "["
    async for chunk in chunks:
        if chunk:
            bodies = map(_add_score, chunk) if scored else (body.json for body in chunk)
            yield (opening + ",".join(bodies)).encode()
            opening = ","
    yield b"]" if opening == "," else b"[]"


def _add_score(body: ReportBody) -> str:
    return f'{body.json[:-1]},"score":{body.score}}}'


@dataclass(frozen=True)
class ReportCard:
    """A report with its context.

    ``rubric``: that of the report; None for a report from before rubrics were stored.
    ``messages``: those that the report refers to, by id. ``mail``: the first mail that carried the
    report. ``deliveries``: those of that mail.
    """

    report: Report
    rubric: Rubric | None
    account: Account
    messages: Mapping[int, Message]
    review: Review | None
    mail: Digest | None
    deliveries: list[Delivery]


async def read_report(database: Database, report_id: int) -> ReportCard:
    """Return a report of any kind.

    Raises:
        NotFoundError: the report does not exist.
    """
    async with database.session() as session:
        found = await reports.get_report(session, report_id)
        if found is None:
            raise NotFoundError(
                f"Отчёта {report_id} нет: номера отчётов — в поле id ответа GET /reports."
            )
        report, account = found
        prompt = await prompts.get_prompt(session, report.prompt_version)
        referenced = await messages.get_messages(session, set(_list_message_ids(report)))
        review = await reviews.get_review(session, report.id)
        mail = await digests.get_digest(session, report.digest_id) if report.digest_id else None
        mail_deliveries = await deliveries.list_by_digest(session, [mail.id]) if mail else []
    rubric = Rubric.model_validate(prompt.rubric) if prompt else None
    return ReportCard(report, rubric, account, referenced, review, mail, mail_deliveries)


def grader_addressed_by(report: Report) -> list[int]:
    """Return the IDs of messages that address the grader.

    Reports of early versions contain no IDs, even if they are flagged.
    """
    return list(report.detail.get("grader_addressed_by", []))


def list_objections(report: Report) -> list[dict[str, Any]]:
    """Return the objections. Reports of early versions have at most one, without ``answered``."""
    first = report.detail["objection"]
    found: list[dict[str, Any]] = report.detail.get("objections", [first] if first else [])
    return found


def _list_message_ids(report: Report) -> Iterator[int]:
    yield report.first_message_id
    yield report.last_message_id
    for place in (*list_objections(report), *report.detail.get("critical", ())):
        yield place["message_id"]
    yield from (late["message_id"] for late in report.detail.get("late_answers", ()))
    yield from grader_addressed_by(report)
    for verdict in report.detail["criteria"].values():
        yield from (quote["message_id"] for quote in verdict["quotes"])
