"""For a pooler in transaction mode: no session state, every statement in a transaction.

`make check-real` runs a day through a real pgbouncer.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.database.engine import Database
from app.database.migrate import migrate
from app.database.pooler_errors import (
    describe_pooler_outage,
    describe_pooler_refusal,
    is_pooler_full,
)
from app.sandbox.server import Sandbox
from tests.support.checkout import CHECKOUT
from tests.support.stage import Stage, on_stage

SESSION_STATE = """
    SELECT (SELECT count(*) FROM pg_prepared_statements) AS statements,
           (SELECT count(*) FROM pg_cursors WHERE name <> '') AS cursors,
           (SELECT count(*) FROM pg_listening_channels()) AS channels,
           (SELECT count(*) FROM pg_locks
            WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
           (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()) AS tables
"""


@pytest_asyncio.fixture
async def pool(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url)
    await migrate(database)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def day(pool: Database, postgres_url: str) -> AsyncIterator[Stage]:
    async with Sandbox() as sandbox, on_stage(postgres_url, sandbox, pool=pool) as stage:
        yield stage


async def run_day(stage: Stage) -> None:
    await stage.sync()
    await stage.analyze(limit=5)
    assert (await stage.mail())["send_reports"] == 5
    assert len(await stage.reports(sort="score")) == 5
    summary = await stage.rest.get(
        "/api/v1/reports/summary?start_date=2020-01-01&end_date=2099-12-31"
    )
    assert summary.status_code == 200


async def test_a_day_leaves_nothing_in_a_session(day: Stage) -> None:
    await run_day(day)
    pool = day.service.database
    async with pool.session() as first, pool.session() as second:
        states = [(await session.execute(text(SESSION_STATE))).one() for session in (first, second)]
    assert [tuple(state) for state in states] == [(0, 0, 0, 0, 0)] * 2


@pytest.mark.parametrize("parameters", ["", "&pgbouncer=true&connection_limit=1&pool_timeout=5"])
async def test_no_statement_is_kept_whatever_the_address(
    postgres_url: str, parameters: str
) -> None:
    database = Database(postgres_url + parameters)
    try:
        async with database.session() as session:
            for _ in range(3):
                await session.execute(text("SELECT 1"))
            kept = await session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
        assert (kept, database.pool_size) == (0, 1 if parameters else 10)
    finally:
        await database.close()


def list_session_statements(source: str) -> list[str]:
    """Return the statements of a source that change the session.

    ``restore`` removes a line with ``SET transaction_timeout`` from a dump.
    """
    pattern = (
        r"pg_(?:try_)?advisory_(?:lock|unlock)|(?:^|[;\"'])\s*SET (?!LOCAL|transaction_timeout)"
        r"|\bLISTEN [a-z]|CREATE TEMP|WITH HOLD|\bDEALLOCATE|set_config\([^)]*false"
        r"|get_raw_connection|driver_connection\.(?:fetch|execute)"
    )
    return [match.group() for match in re.finditer(pattern, source, re.MULTILINE)]


@pytest.mark.parametrize(
    "statement",
    [
        'text("SET statement_timeout = 1")',
        '"SELECT pg_advisory_lock(1)"',
        '"SELECT pg_try_advisory_lock(1)"',
        '"LISTEN runs"',
        '"CREATE TEMP TABLE a (b int)"',
        "\"SELECT set_config('a', 'b', false)\"",
        "await connection.get_raw_connection()",
    ],
)
def test_session_statements_are_recognised(statement: str) -> None:
    assert list_session_statements(statement)


def list_sources() -> list[Path]:
    return [path for folder in ("app", "migrations") for path in (CHECKOUT / folder).rglob("*.py")]


def test_no_source_changes_the_session() -> None:
    found = {
        str(path.relative_to(CHECKOUT)): statements
        for path in list_sources()
        if (statements := list_session_statements(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("no more connections allowed (max_client_conn)", "все соединения пулера заняты"),
        ("client connections exceeded (max_user_client_connections)", "все соединения пулера"),
        ("query_wait_timeout", "свободного не дождались"),
        ("server login has been failing, try again later (server_login_retry)", "не может подкл"),
        ("sorry, too many clients already", "все соединения сервера за пулером заняты"),
        ("pooler is shutting down", "останавливается"),
    ],
)
def test_outages_of_the_pooler(message: str, reason: str) -> None:
    error = asyncpg.ProtocolViolationError(message)
    assert reason in (describe_pooler_outage(error) or "")
    assert is_pooler_full(error) == ("все соединения" in reason or "не дождались" in reason)


def test_connection_that_the_pooler_closed_while_waiting() -> None:
    error = asyncpg.ConnectionDoesNotExistError(
        "connection was closed in the middle of operation: query_wait_timeout"
    )
    assert is_pooler_full(error)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("no such database: nowhere", "такой базы у пулера нет"),
        ('database "nowhere" does not exist', "такой базы нет"),
        ("no such user", "такого пользователя у пулера нет"),
        ("SASL authentication failed", "неверные имя или пароль"),
        ("SSL required", "sslmode=require"),
        ("transaction blocks not allowed in statement pooling mode", "pool_mode transaction"),
        ("unsupported startup parameter: options", "ignore_startup_parameters"),
    ],
)
def test_refusals_of_the_pooler(message: str, reason: str) -> None:
    assert reason in (describe_pooler_refusal(asyncpg.ProtocolViolationError(message)) or "")


def test_other_errors_are_not_the_poolers() -> None:
    for error in (asyncpg.ProtocolViolationError("bad packet"), asyncpg.DataError("no such user")):
        assert describe_pooler_outage(error) is None
        assert describe_pooler_refusal(error) is None
