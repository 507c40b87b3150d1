"""Columns that two releases share: what a process of either one writes, a process of the other
reads.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.database.engine import Database
from app.database.migrate import migrate

REFUSED = "Фильтр DeepSeek не пропустил текст чата: такой чат остаётся без оценки."
SPENT = "остатка дневного бюджета DeepSeek не хватает ещё на один чат (бюджет 1 $)"
UNUSABLE = "Ответ модели дважды не подошёл. Пусто."
BROKEN = "DeepSeek не принял запрос (400)."
CAUSES = [
    ("skipped", "no_text", "no_text", None),
    ("waiting", "срок дня вышел", "deadline_passed", None),
    ("waiting", SPENT, "budget_spent", SPENT),
    ("failed", REFUSED, "model_refused", REFUSED),
    ("failed", UNUSABLE, "answer_unusable", UNUSABLE),
    ("failed", BROKEN, None, BROKEN),
    ("graded", None, None, None),
]
"""Outcome and reason as the release before writes them; code and detail as this one reads them."""
OLD, NEW = "2026-11-22 10:00+00", "2026-11-22 12:00+00"


async def change(database: Database, sql: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(sql), values)


async def read_chat(database: Database, *columns: str) -> tuple[Any, ...]:
    async with database.session() as session:
        row = (await session.execute(text(f"SELECT {', '.join(columns)} FROM chats"))).one()  # noqa: S608
    return tuple(row)


async def add_chat(database: Database) -> None:
    await change(
        database,
        "INSERT INTO accounts (avito_user_id, client_id, name) VALUES (1, 'id', 'Лавка')",
    )
    await change(
        database,
        "INSERT INTO chats (account_id, avito_id) SELECT id, 'u2i-1' FROM accounts",
    )


@pytest_asyncio.fixture
async def before(postgres_url: str) -> AsyncIterator[Database]:
    """A database of the release before, with one chat."""
    database = Database(postgres_url)
    await migrate(database, "0007")
    await add_chat(database)
    yield database
    await database.close()


@pytest.mark.parametrize(("outcome", "reason", "code", "detail"), CAUSES)
async def test_the_migration_fills_the_new_columns(
    before: Database, outcome: str, reason: str | None, code: str | None, detail: str | None
) -> None:
    await change(
        before,
        "UPDATE chats SET outcome = :outcome, outcome_reason = :reason, waiting_since = now()",
        outcome=outcome,
        reason=reason,
    )
    await migrate(before)
    assert await read_chat(
        before,
        "outcome_code",
        "outcome_detail",
        "outcome_reason",
        "unanswered_since = waiting_since",
    ) == (code, detail, reason, True)


@pytest.mark.parametrize(("outcome", "reason", "code", "detail"), CAUSES)
async def test_an_outcome_that_the_release_before_writes_replaces_one_of_this(
    database: Database, outcome: str, reason: str | None, code: str | None, detail: str | None
) -> None:
    await add_chat(database)
    await change(
        database,
        "UPDATE chats SET outcome = 'failed', outcome_code = 'text_too_long',"
        " outcome_detail = 'Чат не уместился.', outcome_reason = 'Чат не уместился.'",
    )
    await change(
        database,
        "UPDATE chats SET outcome = :outcome, outcome_reason = :reason",
        outcome=outcome,
        reason=reason,
    )
    assert await read_chat(database, "outcome_code", "outcome_detail") == (code, detail)


async def test_an_outcome_that_this_release_writes_is_kept_as_it_is(database: Database) -> None:
    await add_chat(database)
    statement = (
        "UPDATE chats SET outcome = :outcome, outcome_code = :code, outcome_detail = :detail,"
        " outcome_reason = :reason"
    )
    for outcome, code, detail, reason in (
        ("skipped", "no_text", None, "no_text"),
        ("failed", "request_refused", BROKEN, BROKEN),
        ("failed", "request_refused", "Другой ответ.", "Другой ответ."),
        ("waiting", "deadline_passed", None, "срок дня вышел"),
        ("graded", None, None, None),
    ):
        await change(database, statement, outcome=outcome, code=code, detail=detail, reason=reason)
        assert await read_chat(
            database, "outcome", "outcome_code", "outcome_detail", "outcome_reason"
        ) == (outcome, code, detail, reason)


@pytest.mark.parametrize("column", ["waiting_since", "unanswered_since"])
async def test_either_column_of_an_unanswered_buyer_follows_the_other(
    database: Database, column: str
) -> None:
    await add_chat(database)
    await change(database, f"UPDATE chats SET {column} = '{OLD}'")  # noqa: S608
    same = "waiting_since = unanswered_since"
    assert await read_chat(database, same, f"{column} = '{OLD}'") == (True, True)
    await change(database, f"UPDATE chats SET {column} = '{NEW}'")  # noqa: S608
    assert await read_chat(database, same, f"{column} = '{NEW}'") == (True, True)
    await change(database, f"UPDATE chats SET {column} = NULL")  # noqa: S608
    assert await read_chat(database, "waiting_since", "unanswered_since") == (None, None)


async def test_both_columns_written_together_stay_as_written(database: Database) -> None:
    await add_chat(database)
    await change(database, f"UPDATE chats SET waiting_since = '{OLD}', unanswered_since = '{OLD}'")  # noqa: S608
    await change(database, "UPDATE chats SET outcome = 'graded'")
    assert await read_chat(database, f"waiting_since = '{OLD}'", f"unanswered_since = '{OLD}'") == (
        True,
        True,
    )
