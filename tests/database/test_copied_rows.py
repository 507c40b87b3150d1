"""Rows that COPY reads in one round trip: literals, numbers, moments and limits."""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.database.connection import Limits
from app.database.copied_rows import copy_rows, read_moment
from app.database.engine import Database
from app.database.literals import quote
from app.errors import DatabaseUnavailableError
from tests.support.clusters import fetch_value
from tests.support.stage import until

HOSTILE = [
    "",
    "'",
    "\\",
    "\\'",
    "'; DROP TABLE reports; --",
    "E'\\'",
    "$$ $1 :name ::text %s",
    '"{a,b}"',
    "{NULL,'}",
    "null",
    "строка\nс переносом\tи табуляцией \x01",
    "🙂 \u2028",
]


Row = tuple[tuple[int, ...], bytes]


async def read(database: Database, sql: str, numbers: int = 0, **values: object) -> list[Row]:
    rows = await copy_rows(database, sql, values, numbers=numbers)
    return [(rows.numbers(place), text) for place, text in enumerate(rows.texts)]


@pytest.mark.parametrize("given", HOSTILE)
async def test_literal_is_the_text(database: Database, given: str) -> None:
    for sql in ("SELECT :given::text", "SELECT max(x) FROM unnest(:many::text[]) AS x"):
        assert await read(database, sql, given=given, many=[given]) == [((), given.encode())]


async def test_array_keeps_each_element(database: Database) -> None:
    sql = "SELECT place, one FROM unnest(:many::text[]) WITH ORDINALITY AS o (one, place)"
    rows = await read(database, sql, 1, many=HOSTILE)
    expected = [((place,), given.encode()) for place, given in enumerate(HOSTILE, start=1)]
    assert rows == expected


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_literal_has_no_end_within(given: str) -> None:
    """A quote within is doubled, and a backslash before it is a pair."""
    literal = quote(given)
    assert literal.startswith("E'")
    assert literal.endswith("'")
    inner = literal[2:-1].replace("\\\\", "").replace("''", "")
    assert "'" not in inner
    assert "\\" not in inner


@pytest.mark.parametrize(
    ("value", "type_name"),
    [
        (41, "bigint"),
        (-(2**63), "bigint"),
        (Decimal("87.50"), "numeric"),
        (date(2026, 11, 22), "date"),
        (datetime(2026, 11, 22, 17, 3, 11, 500_000, tzinfo=UTC), "timestamptz"),
        (datetime(2026, 11, 22, tzinfo=timezone(timedelta(hours=5, minutes=45))), "timestamptz"),
        ([1, 2], "bigint[]"),
        ([date(2026, 11, 22)], "date[]"),
        ([], "text[]"),
    ],
)
async def test_literal_is_what_a_parameter_is(
    database: Database, value: object, type_name: str
) -> None:
    async with database.session() as session:
        connection = await (await session.connection()).get_raw_connection()
        assert connection.driver_connection is not None
        expected = await connection.driver_connection.fetchval(
            f"SELECT CAST($1 AS {type_name})::text",
            value,
        )
    assert await read(database, f"SELECT :value::{type_name}::text", value=value) == [
        ((), expected.encode())
    ]


async def test_numbers_and_moments_precede_the_text(database: Database) -> None:
    moment = datetime(2026, 11, 22, 17, 3, 11, 123_456, tzinfo=UTC)
    sql = """
        SELECT n, -n, :moment::timestamptz, '{"a": 1}'::json FROM generate_series(1, 3::bigint) AS n
    """
    rows = await read(database, sql, 3, moment=moment)
    assert [row[0][:2] for row in rows] == [(1, -1), (2, -2), (3, -3)]
    assert {read_moment(row[0][2]) for row in rows} == {moment}
    assert {row[1] for row in rows} == {b'{"a": 1}'}


async def test_no_rows_are_no_rows(database: Database) -> None:
    assert await read(database, "SELECT 'a' WHERE false") == []


async def test_many_rows_arrive_in_several_parts(database: Database) -> None:
    sql = "SELECT n, repeat('я', 1000) FROM generate_series(1, 5000::bigint) n"
    rows = await read(database, sql, 1)
    assert [row[0] for row in rows] == [(n,) for n in range(1, 5001)]
    assert {row[1] for row in rows} == {("я" * 1000).encode()}


async def test_limit_ends_the_reading_and_no_transaction_stays(database_url: str) -> None:
    database = Database(database_url, limits=Limits(statement=0.2, lock=0.2))
    with pytest.raises(DatabaseUnavailableError, match="не уложился в срок"):
        await read(database, "SELECT pg_sleep(5)::text")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await read(database, "SELECT (1 / 0)::text")
    async with database.session() as session:
        assert await session.scalar(text("SHOW statement_timeout")) == "200ms"
    await database.close()


async def test_cancelled_reading_ends_on_the_server_and_frees_its_connection(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    running = "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep.600' AND state = "
    task = asyncio.create_task(read(database, "SELECT pg_sleep(600)::text"))

    async def count_running() -> int:
        return int(
            await fetch_value(database_url, f"{running} 'active' AND pid <> pg_backend_pid()")
        )

    async def is_running() -> bool:
        return await count_running() == 1

    await until(is_running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await read(database, "SELECT 'a'") == [((), b"a")]
    assert await count_running() == 0
    await database.close()


async def test_settings_of_the_address_apply(database_url: str) -> None:
    database = Database(f"{database_url}&options=-c%20search_path%3Dpg_catalog")
    assert await read(database, "SELECT current_setting('search_path')") == [((), b"pg_catalog")]
    await database.close()
