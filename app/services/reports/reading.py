"""Read reports for REST: lists and single reports with their context.

A list needs constant memory and does not change while new reports are written.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from app.database.engine import Database
from app.errors import DatabaseRefusedError, DatabaseUnavailableError, NotFoundError
from app.grading.rubric import Rubric
from app.models import Account, Delivery, Digest, Report, Review
from app.repositories import (
    deliveries,
    digests,
    messages,
    prompts,
    report_list,
    reports,
    reviews,
)
from app.repositories.report_list import Page, ReportList
from app.repositories.report_order import Position
from app.services.changed_authors import list_with_changed_authors
from app.services.shown_messages import ShownMessage, show_messages

T = TypeVar("T")

CHUNK, ROWS = 1000, 250
"""Reports that are read at a time, and rows of a table that are written at a time."""
_OUTAGE_SECONDS = 10.0
"""How long a started answer waits for the database to recover from a crash."""


async def stream_pages(
    database: Database, listed: ReportList, after: Position | None, limit: int | None
) -> AsyncIterator[Page]:
    """Yield the reports after a position in pages, at most ``limit``; None: all.

    Each page has its own transaction, so a slow client holds no connection. Other tasks run between
    the pages.
    """
    left = math.inf if limit is None else limit
    while left > 0:
        size = min(CHUNK, left)
        page = await _retry(partial(report_list.read_page, database, listed, after, int(size)))
        yield page
        if page.following is None:
            return
        after, left = page.following, left - size


async def read_page(
    database: Database, listed: ReportList, after: Position | None, limit: int
) -> Page:
    """Return at most ``limit`` reports after a position as one page."""
    pages = [page async for page in stream_pages(database, listed, after, limit)]
    return Page([body for page in pages for body in page.bodies], pages[-1].following)


async def stream_rest(
    database: Database, listed: ReportList, after: Position | None
) -> AsyncIterator[Page]:
    """Yield all pages after a position; None: there are none."""
    if after is not None:
        async for page in stream_pages(database, listed, after, None):
            yield page


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


def make_json_array(bodies: list[bytes]) -> bytes:
    """Return reports as one array. It is written once: a long one is slow to copy."""
    parts = [b","] * (2 * len(bodies) - 1)
    parts[::2] = bodies
    return b"".join([b"[", *parts, b"]"])


async def stream_json_array(first: Page, others: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    """Encode pages as one array."""
    yield b"[" + b",".join(first.bodies)
    async for page in others:
        if page.bodies:
            yield b"," + b",".join(page.bodies)
    yield b"]"


async def split_pages(first: Page, others: AsyncIterator[Page]) -> AsyncIterator[list[bytes]]:
    """Yield the reports of pages in parts for a table. Other tasks run between them."""
    page: Page | None = first
    while page is not None:
        for start in range(0, len(page.bodies), ROWS):
            yield page.bodies[start : start + ROWS]
            await asyncio.sleep(0)
        page = await anext(others, None)


async def count_up_to(database: Database, listed: ReportList, most: int) -> int:
    """Count the reports, up to ``most``."""
    async with database.session() as session:
        return await report_list.count_bodies(session, listed, most=most)


@dataclass(frozen=True)
class ReportCard:
    """A report with its context.

    ``rubric``: that of the report; None for a report from before rubrics were stored.
    ``messages``: those that the report refers to, by id. ``mail``: the first mail that carried the
    report. ``deliveries``: those of that mail. ``author_changed``: a message of the company has got
    another author since.
    """

    report: Report
    rubric: Rubric | None
    account: Account
    messages: Mapping[int, ShownMessage]
    review: Review | None
    mail: Digest | None
    deliveries: list[Delivery]
    author_changed: bool


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
        shown = await show_messages(session, list(referenced.values()))
        review = await reviews.get_review(session, report.id)
        changed = await list_with_changed_authors(session, [report.id])
        mail = await digests.get_digest(session, report.digest_id) if report.digest_id else None
        mail_deliveries = await deliveries.list_by_digest(session, [mail.id]) if mail else []
    rubric = Rubric.model_validate(prompt.rubric) if prompt else None
    by_id = {message.id: message for message in shown}
    return ReportCard(
        report, rubric, account, by_id, review, mail, mail_deliveries, report.id in changed
    )


def grader_addressed_by(report: Report) -> list[int]:
    """Return the IDs of messages that address the grader.

    Reports of early versions contain no IDs, even if they are flagged.
    """
    return list(report.detail.get("grader_addressed_by", []))


def list_objections(report: Report) -> list[dict[str, Any]]:
    """Return the objections. Those of reports of early versions are without ``answered``."""
    return list(report.detail.get("objections", ()))


def _list_message_ids(report: Report) -> Iterator[int]:
    yield report.first_message_id
    yield report.last_message_id
    for place in (*list_objections(report), *report.detail.get("critical", ())):
        yield place["message_id"]
    yield from (late["message_id"] for late in report.detail.get("late_answers", ()))
    yield from grader_addressed_by(report)
    for verdict in report.detail["criteria"].values():
        yield from (quote["message_id"] for quote in verdict["quotes"])
