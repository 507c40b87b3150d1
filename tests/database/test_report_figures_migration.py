"""Migration 0018: the figures of stored reports, and of reports that are written meanwhile."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.database.migrate import migrate
from app.domain.criteria import GRADE_COLUMNS
from app.models import Mark

DETAIL: dict[str, Any] = {
    "criteria": {},
    "flags": ["critical", "no_evidence", "all_na"],
    "contact": None,
    "answer_times": {"first_answer_seconds": 90},
}
FIGURES = (
    "SELECT report_id, first_answer_seconds, marks, grades, score, cost_usd, model, repeated,"
    " flipped FROM report_figures ORDER BY report_id"
)


@pytest.fixture
def grades() -> tuple[str, ...]:
    return "Высокая", "Средняя", "Низкая", "Высокая", "Нет возражений", "Низкая"


async def add_report(session: AsyncSession, number: int, grades: tuple[str, ...]) -> None:
    repeat = {"criteria": {"clarity": ["a", "b"]}, "checks": {"polite": ["y", "y"]}}
    columns = ", ".join(GRADE_COLUMNS)
    await session.execute(
        text(
            "INSERT INTO reports (id, chat_id, account_id, run_id, created_at, body, score, detail,"  # noqa: S608
            f" repeat, first_message_id, last_message_id, window_messages, {columns}, model,"
            " prompt_version, prompt_hit_tokens, prompt_miss_tokens, completion_tokens)"
            " SELECT :number, chats.id, account_id, runs.id, now(), '{}', 12.34,"
            " CAST(:detail AS jsonb), CAST(:repeat AS jsonb), 1, 1, 1,"
            " :g0, :g1, :g2, :g3, :g4, :g5, 'flash', 'v1', 0, 0, 0 FROM chats, runs"
        ),
        {
            "number": number,
            "detail": json.dumps(DETAIL),
            "repeat": json.dumps(repeat),
            **{f"g{place}": grade for place, grade in enumerate(grades)},
        },
    )


async def test_reports_have_figures_whenever_they_were_written(
    postgres_url: str, grades: tuple[str, ...]
) -> None:
    """One before the migration, one by a transaction that ends during it, and one after it."""
    database = Database(postgres_url)
    await migrate(database, "0017")
    async with database.transaction() as session:
        for statement in (
            "INSERT INTO accounts (avito_user_id, client_id, name) VALUES (1, 'id', 'Лавка')",
            "INSERT INTO chats (account_id, avito_id) SELECT id, 'u2i-1' FROM accounts",
            "INSERT INTO runs (kind, state, params, created_at)"
            " VALUES ('analyze', 'done', '{}', now())",
        ):
            await session.execute(text(statement))
        await add_report(session, 1, grades)
    async with database.session() as writer:
        await add_report(writer, 2, grades)
        migration = asyncio.create_task(migrate(database))
        await wait_until_locked(database)
        await writer.commit()
        await migration
    async with database.transaction() as session:
        await add_report(session, 3, grades)
    async with database.session() as session:
        found = [tuple(row) for row in await session.execute(text(FIGURES))]
    await database.close()
    marks = Mark.CRITICAL | Mark.UNPROVEN | Mark.CONTACT_KNOWN
    coded = 3 + 2 * 4 + 1 * 16 + 3 * 64 + 0 * 256 + 1 * 1024
    repeated = ["checks/polite", "criteria/clarity"]
    for place, row in enumerate(found, start=1):
        assert (row[0], row[1], row[2], row[3], float(row[4]), *row[5:]) == (
            *(place, 90, marks, coded, 12.34, None, "flash"),
            *(repeated, ["criteria/clarity"]),
        )
    assert len(found) == 3


async def wait_until_locked(database: Database) -> None:
    """Wait until the migration waits for the transaction that has written a report."""
    async with asyncio.timeout(20), database.session() as session:
        while not await session.scalar(  # noqa: ASYNC110 - the lock is in the database
            text(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'"
            )
        ):
            await asyncio.sleep(0.02)
