"""Reports as REST gives them: any number in flat memory, in an order that new ones do not disturb;
and one with all behind it.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime

from app.database.engine import Database
from app.errors import (
    DatabaseRefusedError,
    DatabaseUnavailableError,
    FieldError,
    InvalidRequestError,
    NotFoundError,
)
from app.models import Account, Delivery, Digest, Message, Report, Review
from app.repositories import deliveries, digests, messages, report_bodies, reports, reviews
from app.repositories.report_bodies import Position, ReportBody, ReportFilter

CHUNK = 500
_OUTAGE_SECONDS = 10.0
"""How long an answer under way waits for the database to come back, as after a crash and its
recovery.
"""


async def read_page(
    database: Database, wanted: ReportFilter, *, after: Position | None, limit: int
) -> tuple[list[ReportBody], Position | None]:
    """At most ``limit`` reports, newest first, and the position to go on from where there are more."""
    async with database.session() as session:
        newest_id = after.newest_id if after else await report_bodies.newest_report_id(session)
        found = await report_bodies.list_bodies(
            session, wanted, after=after, newest_id=newest_id, limit=limit + 1
        )
    page = found[:limit]
    following = (
        Position(page[-1].created_at, page[-1].id, newest_id) if len(found) > limit else None
    )
    return page, following


async def stream_all(database: Database, wanted: ReportFilter) -> AsyncIterator[list[ReportBody]]:
    """Every report, newest first, in chunks. Each is read in a transaction of its own, so a slow
    reader holds no connection.
    """
    after: Position | None = None
    while True:
        page, following = await _read_chunk(database, wanted, after)
        yield page
        if following is None:
            return
        after = following


async def _read_chunk(
    database: Database, wanted: ReportFilter, after: Position | None
) -> tuple[list[ReportBody], Position | None]:
    """The next chunk; over a short outage it is read again, once at least: the pool replaces
    connections that have proven dead.
    """
    give_up_at, pause = time.monotonic() + _OUTAGE_SECONDS, 0.0
    while True:
        try:
            return await read_page(database, wanted, after=after, limit=CHUNK)
        except DatabaseRefusedError:
            raise
        except DatabaseUnavailableError:
            if pause and time.monotonic() + pause > give_up_at:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, 1.0) or 0.1


async def in_chunks(page: list[ReportBody]) -> AsyncIterator[list[ReportBody]]:
    """A page that is here already, in chunks between which others get their turn."""
    for start in range(0, len(page), CHUNK):
        yield page[start : start + CHUNK]
        await asyncio.sleep(0)


async def count_up_to(database: Database, wanted: ReportFilter, most: int) -> int:
    """How many reports there are; ``most`` where there are more."""
    async with database.session() as session:
        return await report_bodies.count_bodies(session, wanted, most=most)


async def as_json_array(chunks: AsyncIterator[list[ReportBody]]) -> AsyncIterator[bytes]:
    """The chunks as the text of one JSON array."""
    opening = "["
    async for chunk in chunks:
        if chunk:
            yield (opening + ",".join(body.json for body in chunk)).encode()
            opening = ","
    yield b"]" if opening == "," else b"[]"


def write_cursor(position: Position) -> str:
    """A position as an opaque word for an address."""
    plain = json.dumps([position.created_at.isoformat(), position.id, position.newest_id])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Position:
    """The position that a word of ours stands for.

    Raises:
        InvalidRequestError: it is not one of ours.
    """
    try:
        padded = (cursor + "=" * (-len(cursor) % 4)).encode()
        written = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = Position(_cursor_moment(written[0]), *map(_cursor_id, written[1:]))
        if write_cursor(position) != cursor:
            raise ValueError("another spelling")
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        message = "возьмите его из заголовка Link прошлого ответа"
        raise InvalidRequestError(
            f"Неверные параметры запроса: cursor — {message}.", (FieldError("cursor", message),)
        ) from error
    return position


def _cursor_moment(written: str) -> datetime:
    """Years at the ends of the calendar leave it when they are converted to UTC for Postgres."""
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None or not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("no moment of a report")
    return moment


def _cursor_id(written: int) -> int:
    if type(written) is not int or not 0 <= written < 2**63:
        raise ValueError("no number of a report")
    return written


@dataclass(frozen=True)
class ReportCard:
    """A report with what it points to: the messages by number, a person's word on it, the mail that
    carried it first and who got that.
    """

    report: Report
    account: Account
    messages: Mapping[int, Message]
    review: Review | None
    mail: Digest | None
    deliveries: list[Delivery]


async def read_report(database: Database, report_id: int) -> ReportCard:
    """A report of any kind by its number.

    Raises:
        NotFoundError: there is none.
    """
    async with database.session() as session:
        found = await reports.get_report(session, report_id)
        if found is None:
            raise NotFoundError(
                f"Отчёта {report_id} нет: номера отчётов — в поле id ответа GET /reports."
            )
        report, account = found
        named = await messages.get_messages(session, set(_named_messages(report)))
        review = await reviews.get_review(session, report.id)
        mail = await digests.get_digest(session, report.digest_id) if report.digest_id else None
        ledger = await deliveries.list_by_digest(session, [mail.id]) if mail else []
    return ReportCard(report, account, named, review, mail, ledger)


def grader_addressed_by(report: Report) -> list[int]:
    """The messages that speak to the grader; none of a report from before they were kept, whatever
    its flags say.
    """
    return list(report.detail.get("grader_addressed_by", []))


def _named_messages(report: Report) -> Iterator[int]:
    yield report.first_message_id
    yield report.last_message_id
    if objection := report.detail["objection"]:
        yield objection["message_id"]
    yield from grader_addressed_by(report)
    for verdict in report.detail["criteria"].values():
        yield from (quote["message_id"] for quote in verdict["quotes"])
