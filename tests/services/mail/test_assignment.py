"""What belongs to a mail while sync and grading go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.services.mail.assignment import assign_reports, find_cut
from tests.support.daily_mails import BOSS, grade_day, list_mails, parse_mail
from tests.support.mail_runs import Process
from tests.support.stage import GOOD_TALK, Stage, until

_COVERAGE = "SELECT id, kind, reports_count, figures->'coverage' AS coverage FROM digests"


@asynccontextmanager
async def hold_table(database: Database, table: str) -> AsyncIterator[None]:
    """Lock a table, so that every reader waits."""
    async with database.session() as session:
        await session.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield


async def wait_for_readers(stage: Stage, table: str) -> None:
    async def waits() -> bool:
        return bool(
            await stage.rows(
                "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = CAST(:name AS regclass)",
                name=table,
            )
        )

    await until(waits)


async def grade_another(stage: Stage, title: str) -> None:
    stage.add_talk(*GOOD_TALK, title=title)
    await stage.sync()
    assert (await stage.analyze())["analyzed_chats"] == 1


async def fetch_mails(stage: Stage) -> list[dict[str, Any]]:
    return await stage.rows(f"{_COVERAGE} ORDER BY id")


def count_chats(coverage: dict[str, Any]) -> int:
    parts = (coverage["graded"], coverage["failed"], coverage["waiting"])
    return int(sum(parts) + sum(coverage["skipped"].values()))


@pytest.fixture
async def process(stage: Stage, database: Database) -> Process:
    await grade_day(stage)
    return Process(stage, database)


async def test_sync_and_grading_go_on_while_figures_are_built(
    stage: Stage, database: Database, process: Process
) -> None:
    """The figures wait for the table of reviews; the reports are assigned and not committed."""
    async with hold_table(database, "reviews"):
        step = process.work_on(await process.begin(daily=True))
        await wait_for_readers(stage, "reviews")
        async with asyncio.timeout(5):
            await grade_another(stage, "Лампа")
    assert (await step).figures["send_reports"] == 2
    assert (await process.mail()).figures["send_reports"] == 1
    first, second = await fetch_mails(stage)
    assert [count_chats(mail["coverage"]) for mail in (first, second)] == [3, 1]
    for mail in (first, second):
        rows = await stage.rows(
            "SELECT body->>'chat_title' AS title FROM reports WHERE digest_id = :id", id=mail["id"]
        )
        assert len(rows) == mail["reports_count"] == mail["coverage"]["graded"]
    assert [row["title"] for row in rows] == ["Лампа"]


async def test_message_copied_after_the_cut_counts_in_the_next_mail_only(
    stage: Stage, database: Database, process: Process
) -> None:
    """It was written within the mail's period and is in the snapshot of the figures."""
    run, zone = await process.begin(daily=True), stage.service.settings.report_timezone
    cut = await find_cut(database, process.clock)
    stage.add_talk(("client", "Алло?"), title="Лампа", minutes_ago=90)
    await stage.sync()
    async with database.transaction() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        assert run.params.day is not None
        await assign_reports(session, process.post, zone, run, day=run.params.day, cut=cut)
    await grade_another(stage, "Кресло")
    await process.mail()
    mails = await fetch_mails(stage)
    assert [(mail["kind"], count_chats(mail["coverage"])) for mail in mails] == [
        ("daily", 3),
        ("supplement", 2),
    ]


async def test_two_processes_with_one_run_create_one_mail(
    stage: Stage, database: Database, process: Process
) -> None:
    """The first is frozen while it builds the figures, and the second has claimed the run."""
    run = await process.begin(daily=True)
    async with hold_table(database, "reviews"):
        frozen = process.work_on(run)
        await wait_for_readers(stage, "reviews")
        second = asyncio.create_task(Process(stage, database).resume(run))
        await asyncio.sleep(0.3)
        assert not second.done()
    results = await asyncio.gather(frozen, second, return_exceptions=True)
    repeated = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(error, DatabaseUnavailableError) for error in repeated)
    await process.resume(run)
    assert [(mail["kind"], mail["reports_count"]) for mail in await fetch_mails(stage)] == [
        ("daily", 2)
    ]
    assert len(stage.sandbox.smtp.messages) == 2


async def test_report_deleted_before_the_mail_is_rendered_is_missing_in_its_sheet(
    stage: Stage, database: Database, process: Process
) -> None:
    """The figures were stored before and count it."""
    run, zone = await process.begin(daily=True), stage.service.settings.report_timezone
    cut = await find_cut(database, process.clock)
    async with database.transaction() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        assert run.params.day is not None
        await assign_reports(session, process.post, zone, run, day=run.params.day, cut=cut)
    await stage.change("DELETE FROM reports WHERE id = 1")
    assert (await process.work_on(run)).ok
    (mail,) = list_mails(stage, BOSS)
    (sheet,) = parse_mail(mail).iter_attachments()
    book = CalamineWorkbook.from_filelike(BytesIO(sheet.get_content()))
    ids = [row[-1] for row in book.get_sheet_by_name("Отчёты").to_python()]
    assert ids == ["id", 2]
    assert (await fetch_mails(stage))[0]["reports_count"] == 2
