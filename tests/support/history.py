"""A long history in the database, and the number of rows that an operation reads.

The history is made of the chats, reports, runs and mails that a stage already has: old copies of
them. Each day has the same number.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from math import floor

from sqlalchemy import text

from app.database.engine import Database
from app.models import Base, Chat, Delivery, Digest, Message, Report, Run
from tests.support.stage import Stage

_FIRST = 1_000_000
"""The ids of the history start here. The copied rows are below it, later rows above the history."""


async def add_history(stage: Stage, copies: range, *, a_day: float) -> None:
    """Copy the graded chats of the stage, with their messages, reports and runs, into the past.

    ``copies``: the numbers of the copies, from 0. ``a_day``: so many of them are of the same day,
    the first ones of yesterday. Each day has one mail, which carried its reports, and a daily run.
    """
    mails = range(_count_days(copies.start, a_day), _count_days(copies.stop, a_day))
    first = _FIRST * (1 + copies.start)  # the ids between were given to rows of the present
    async with stage.service.database.transaction() as session:
        for statement, numbers in (
            (_copy(Chat, _CHANGED_IN_CHATS), copies),
            (_copy(Message, _CHANGED_IN_MESSAGES), copies),
            (_copy(Run, _CHANGED_IN_RUNS), copies),
            (_copy(Digest, _CHANGED_IN_DIGESTS), mails),
            (_copy(Delivery, _CHANGED_IN_DELIVERIES), mails),
            (_copy(Report, _CHANGED_IN_REPORTS), copies),
        ):
            values = {"start": numbers.start, "stop": numbers.stop, "first": first, "a_day": a_day}
            await session.execute(text(statement), values)
        for table in (Chat, Message, Run, Digest, Delivery, Report):
            name = table.__tablename__
            await session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}")  # noqa: S608
            )
    await stage.change(_ADD_DAILY_RUNS)
    await stage.change(_ADD_COVERED_DATES)
    await stage.change("UPDATE accounts SET chats_read = (SELECT count(*) FROM chats)")
    await stage.change("ANALYZE")


async def list_scans(stage: Stage, work: Callable[[], Awaitable[object]], *, rows: int) -> set[str]:
    """Return the tables of which some work reads more than ``rows`` rows without an index."""
    before = await _read_scanned_rows(stage.service.database)
    await work()
    after = await _read_scanned_rows(stage.service.database)
    return {table for table, scanned in after.items() if scanned - before.get(table, 0) > rows}


async def count_rows_read(stage: Stage, work: Callable[[], Awaitable[object]]) -> int:
    """Return the number of rows that Postgres reads for some work, in tables and by indexes."""
    before = await _read_counter(stage.service.database)
    await work()
    return await _read_counter(stage.service.database) - before


def _count_days(copies: int, a_day: float) -> int:
    return floor((copies - 1) / a_day + 1e-6) + 1


def _copy_id(table: type[Base], column: str, copy: str = "n") -> str:
    """Return the id of a copy. Those of one copy follow each other."""
    return f"CAST(:first AS bigint) + {copy} * {_count(table)} + old.{column}"


def _count(table: type[Base]) -> str:
    return f"(SELECT max(id) FROM {table.__tablename__} WHERE id < {_FIRST})"  # noqa: S608


_A_DAY = "CAST(:a_day AS float8)"
_DAYS_BEFORE = f"CAST(floor(n / {_A_DAY} + 1e-6) AS int)"
"""How many days before yesterday a copy is. The copies of a mail are numbered by these days."""
_FIRST_OF_DAY = f"CAST(ceil(n * {_A_DAY} - 1e-6) AS bigint)"
"""The number of the first copy of a mail's day."""


def _move_back(*columns: str, days: str = _DAYS_BEFORE) -> dict[str, str]:
    return {name: f"old.{name} - (1 + {days}) * interval '1 day'" for name in columns}


_TODAY = f"(SELECT max(day) FROM digests WHERE id < {_FIRST})"  # noqa: S608
_CHANGED_IN_CHATS = {
    "id": _copy_id(Chat, "id"),
    "avito_id": "old.avito_id || '-' || n",
    **_move_back(
        *("avito_created_at", "avito_updated_at", "messages_read_at", "last_message_at"),
        *("last_person_at", "outcome_at", "unanswered_since"),
    ),
    **{
        name: _copy_id(Message, name)
        for name in ("last_person_message_id", "seen_message_id", "outcome_message_id")
    },
    "outcome_run_id": _copy_id(Run, "outcome_run_id"),
}
_CHANGED_IN_MESSAGES = {
    "id": _copy_id(Message, "id"),
    "chat_id": _copy_id(Chat, "chat_id"),
    "avito_id": "old.avito_id || '-' || n",
    **_move_back("sent_at", "read_at"),
}
_CHANGED_IN_RUNS = {
    "id": _copy_id(Run, "id"),
    "slot": "CASE WHEN old.kind = 'sync' THEN 'interval ' || n || '-' || old.id END",
    **_move_back("created_at", "started_at", "finished_at"),
}
_CHANGED_IN_DIGESTS = {
    "id": _copy_id(Digest, "id"),
    "day": "old.day - 1 - n",
    "run_id": _copy_id(Run, "run_id", _FIRST_OF_DAY),
    "mime": "NULL",
    **_move_back("period_start", "period_end", "created_at", "first_sent_at", days="n"),
}
_CHANGED_IN_DELIVERIES = {
    "id": _copy_id(Delivery, "id"),
    "digest_id": _copy_id(Digest, "digest_id"),
    "message_id": "n || '-' || old.message_id",
    **_move_back("first_tried_at", "sent_at", days="n"),
}
_CHANGED_IN_REPORTS = {
    "id": _copy_id(Report, "id"),
    "chat_id": _copy_id(Chat, "chat_id"),
    "run_id": _copy_id(Run, "run_id"),
    "digest_id": f"(SELECT min(id) FROM digests WHERE day = {_TODAY} - 1 - {_DAYS_BEFORE})",  # noqa: S608
    "first_message_id": _copy_id(Message, "first_message_id"),
    "last_message_id": _copy_id(Message, "last_message_id"),
    **_move_back("created_at", "first_client_at"),
}
_ADD_DAILY_RUNS = f"""
    INSERT INTO runs (kind, slot, state, params, created_at, started_at, finished_at)
    SELECT 'daily', day::text, 'done', '{{}}', min(period_end), min(period_end), min(period_end)
    FROM digests WHERE day < {_TODAY} GROUP BY day ON CONFLICT DO NOTHING
"""  # noqa: S608
_ADD_COVERED_DATES = f"""
    INSERT INTO covered_dates (day, digest_id)
    SELECT day, min(id) FROM digests WHERE day < {_TODAY} GROUP BY day ON CONFLICT DO NOTHING
"""  # noqa: S608


def _copy(table: type[Base], changed: Mapping[str, str]) -> str:
    columns = [column.name for column in table.__table__.columns if column.computed is None]
    values = ", ".join(changed.get(name, f"old.{name}") for name in columns)
    return (
        f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) SELECT {values}"  # noqa: S608
        f" FROM {table.__tablename__} AS old,"
        f" generate_series(CAST(:start AS int), CAST(:stop AS int) - 1) AS n"
        f" WHERE old.id < {_FIRST}"
    )


async def _read_scanned_rows(database: Database) -> dict[str, int]:
    """Return the rows that sequential scans have read since the start, by table."""
    await _read_counter(database)
    async with database.session() as session:
        found = await session.execute(text("SELECT relname, seq_tup_read FROM pg_stat_user_tables"))
        return {row.relname: row.seq_tup_read for row in found}


async def _read_counter(database: Database) -> int:
    """Return the rows read since the start. A connection reports its rows when it is closed."""
    await database.engine.dispose()
    async with database.session() as session:
        seen: list[int] = []
        while len(seen) < _STEADY or len(set(seen[-_STEADY:])) > 1:
            await asyncio.sleep(0.02)
            await session.execute(text("SELECT pg_stat_clear_snapshot()"))
            seen.append(int(await session.scalar(text(_ROWS_READ)) or 0))
    return seen[-1]


_STEADY = 5
"""So many equal figures in a row: all closed connections have reported."""
_ROWS_READ = """
    SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_user_tables
"""
