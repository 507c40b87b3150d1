"""Rows of earlier releases after the migration, and what a downgrade restores."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from app.database.engine import Database
from app.database.migrate import migrate
from app.repositories import model_exchanges
from app.repositories.model_exchanges import StoredExchange
from tests.support.checkout import CHECKOUT

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
"""Outcome and reason as early releases wrote them; code and detail as this one reads them."""
BEFORE = "0017"
"""The revision of the previous release."""


async def change(database: Database, sql: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(sql), values)


async def read_row(database: Database, sql: str) -> tuple[Any, ...]:
    async with database.session() as session:
        return tuple((await session.execute(text(sql))).one())


async def add_chat(database: Database) -> None:
    await change(
        database, "INSERT INTO accounts (avito_user_id, client_id, name) VALUES (1, 'id', 'Лавка')"
    )
    await change(
        database, "INSERT INTO chats (account_id, avito_id) SELECT id, 'u2i-1' FROM accounts"
    )


async def add_run(database: Database) -> None:
    await change(
        database,
        "INSERT INTO runs (kind, state, params, created_at) VALUES ('daily', 'done', '{}', now())",
    )


@pytest_asyncio.fixture
async def fresh(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url)
    yield database
    await database.close()


@pytest.mark.parametrize(("outcome", "reason", "code", "detail"), CAUSES)
async def test_causes_of_early_releases_become_codes(
    fresh: Database, outcome: str, reason: str | None, code: str | None, detail: str | None
) -> None:
    await migrate(fresh, "0007")
    await add_chat(fresh)
    await change(
        fresh,
        "UPDATE chats SET outcome = :outcome, outcome_reason = :reason, waiting_since = now()",
        outcome=outcome,
        reason=reason,
    )
    await migrate(fresh)
    columns = "outcome_code, outcome_detail, unanswered_since IS NOT NULL"
    assert await read_row(fresh, f"SELECT {columns} FROM chats") == (code, detail, True)  # noqa: S608


async def test_complete_figures_of_a_mail_replace_the_incomplete_ones(fresh: Database) -> None:
    await migrate(fresh, BEFORE)
    await add_run(fresh)
    await change(
        fresh,
        "INSERT INTO digests (day, kind, run_id, period_end, figures, day_figures, whole_figures,"
        " whole_day_figures, reports_count, subject, created_at)"
        " SELECT '2026-11-22', 'daily', id, now(), '{\"mail\": 1}', '{\"day\": 1}',"
        " '{\"mail\": 2}', '{\"day\": 2}', 0, '', now() FROM runs",
    )
    await migrate(fresh)
    figures = await read_row(fresh, "SELECT figures, day_figures FROM digests")
    assert figures == ({"mail": 2}, {"day": 2})


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (
            {"objection": {"message_id": 1, "text": "Дорого"}, "new_flags": ["critical"]},
            {
                "objections": [{"message_id": 1, "text": "Дорого"}],
                "flags": ["unsteady", "critical"],
            },
        ),
        ({"objection": None}, {"objections": [], "flags": ["unsteady"]}),
        (
            {"objection": {"text": "Дорого"}, "objections": [{"text": "a"}, {"text": "b"}]},
            {"objections": [{"text": "a"}, {"text": "b"}], "flags": ["unsteady"]},
        ),
    ],
)
async def test_details_of_early_reports_get_the_keys_of_later_ones(
    fresh: Database, stored: dict[str, Any], expected: dict[str, Any]
) -> None:
    await migrate(fresh, BEFORE)
    await add_chat(fresh)
    await add_run(fresh)
    closure = {"grade": "Низкая", "flags": ["all_na"], "new_flags": ["reused_quote"]}
    detail = {"flags": ["unsteady"], "criteria": {"closure": closure}, **stored}
    await change(
        fresh,
        "INSERT INTO reports (chat_id, account_id, run_id, created_at, body, tonality_grade,"
        " professionalism_grade, clarity_grade, problem_solving_grade, objection_handling_grade,"
        " closure_grade, score, detail, first_message_id, last_message_id, window_messages, model,"
        " prompt_version, prompt_hit_tokens, prompt_miss_tokens, completion_tokens)"
        " SELECT chats.id, account_id, runs.id, now(), '{}', '', '', '', '', '', '', 0,"
        " CAST(:detail AS jsonb), 1, 1, 1, '', '', 0, 0, 0 FROM chats, runs",
        detail=json.dumps(detail),
    )
    await migrate(fresh)
    (found,) = await read_row(fresh, "SELECT detail FROM reports")
    assert found.pop("criteria") == {
        "closure": {"grade": "Низкая", "flags": ["all_na", "reused_quote"]}
    }
    assert found == {"objection": stored["objection"], **expected}


async def test_downgrade_fills_the_columns_of_the_previous_release(fresh: Database) -> None:
    await migrate(fresh)
    await add_chat(fresh)
    await change(
        fresh,
        "UPDATE chats SET unanswered_since = now(), outcome = 'skipped', outcome_code = 'no_text'",
    )
    async with fresh.engine.begin() as connection:
        await connection.run_sync(_downgrade, BEFORE)
    columns = "outcome_reason, waiting_since = unanswered_since"
    assert await read_row(fresh, f"SELECT {columns} FROM chats") == ("no_text", True)  # noqa: S608


async def test_exchanges_of_early_releases_are_packed(fresh: Database) -> None:
    """The first ones have no ids of their messages, only bounds."""
    await migrate(fresh, "0022")
    await add_chat(fresh)
    await add_run(fresh)
    await change(
        fresh,
        "INSERT INTO messages (chat_id, avito_id, side, type, text, has_text, sent_at)"
        " SELECT 1, place, side, 'text', '', true, CAST('2026-11-22' AS date) + place"
        " FROM unnest(ARRAY['client', 'company', 'system', 'client', 'client'],"
        " ARRAY[5, 2, 3, 4, 1]) AS message (side, place)",
    )
    for question in ({"nonce": "a"}, {"nonce": "b", "messages": [4, 2]}):
        await change(
            fresh,
            "INSERT INTO model_exchanges (chat_id, run_id, purpose, asked_at, prompt_version,"
            " first_message_id, last_message_id, question, parameters, request_sha256, answer)"
            " VALUES (1, 1, 'repeat', '2026-11-22', 'abc', 2, 4, CAST(:question AS json), '{}',"
            " :sha256, 'Ответ')",
            question=json.dumps(question),
            sha256="ab" * 32,
        )
    await migrate(fresh)
    async with fresh.session() as session:
        first, second = await model_exchanges.list_of_failure(session, 1, 1)
    assert first == StoredExchange(
        datetime(2026, 11, 22, tzinfo=UTC),
        "repeat",
        "abc",
        {"nonce": "a", "messages": [2, 4]},
        "{}",
        "ab" * 32,
        "Ответ",
    )
    assert second == replace(first, question={"nonce": "b", "messages": [4, 2]})
    assert await read_row(fresh, "SELECT count(*) FROM model_exchanges") == (0,)


async def test_downgrade_unpacks_the_exchanges_with_the_model(fresh: Database) -> None:
    await migrate(fresh)
    await add_chat(fresh)
    await add_run(fresh)
    row = {
        "report_id": None,
        "chat_id": 1,
        "run_id": 1,
        "asked_at": datetime(2026, 11, 22, tzinfo=UTC),
        "purpose": "grading",
        "prompt_version": "abc",
        "question": {"nonce": "x", "messages": [3, 5]},
        "parameters": '{"model": "deepseek-flash"}',
        "request_sha256": "ab" * 32,
        "answer": "Ответ",
    }
    async with fresh.transaction() as session:
        await model_exchanges.add_exchanges(session, [row] * 1_001)
    async with fresh.engine.begin() as connection:
        await connection.run_sync(_downgrade, BEFORE)
    (count,) = await read_row(fresh, "SELECT count(*) FROM model_exchanges")
    (found,) = await read_row(fresh, "SELECT to_jsonb(one) FROM model_exchanges AS one LIMIT 1")
    assert count == 1_001
    assert found | {"id": 1, "first_message_id": 3, "last_message_id": 5} == found
    assert datetime.fromisoformat(found.pop("asked_at")) == row.pop("asked_at")
    assert found | row == found


def _downgrade(connection: Connection, revision: str) -> None:
    config = Config(CHECKOUT / "alembic.ini")
    config.attributes["connection"] = connection
    command.downgrade(config, revision)
