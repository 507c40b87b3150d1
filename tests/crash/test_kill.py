"""The process is killed in each step of the day and restarted.

Nothing is lost, and nothing is graded or mailed twice.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.clock import system_clock
from app.database.engine import Database
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams, SyncParams
from app.services.runs import submit
from tests.support.service_process import (
    DAY,
    KEY,
    expire_leases,
    fetch_rows,
    open_rest_client,
    run_service,
)
from tests.support.slow_sandbox import keep_every_third
from tests.support.stage import until

# Moment of the kill: the step has written its first row and has not ended.
MOMENTS = {
    "sync": "SELECT 1 FROM messages LIMIT 1",
    "analyze": "SELECT 1 FROM reports LIMIT 1",
    "mail": "SELECT 1 FROM deliveries WHERE state = 'sending'",
}


@pytest_asyncio.fixture
async def slow_sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        yield sandbox


async def get_run_state(database: Database, run_id: int) -> str:
    async with database.session() as session:
        return str(
            await session.scalar(text("SELECT state FROM runs WHERE id = :id"), {"id": run_id})
        )


@pytest.mark.parametrize("step", MOMENTS)
async def test_a_day_killed_in_a_step_is_finished_by_the_next_process(
    step: str, database: Database, database_url: str, slow_sandbox: Sandbox, tmp_path: Path
) -> None:
    run_id = await submit(database, DailyParams(), system_clock, slot=DAY)

    async def step_has_begun() -> bool:
        return bool(await fetch_rows(database, MOMENTS[step]))

    async with run_service(database_url, slow_sandbox, tmp_path) as service:
        await until(step_has_begun)
        service.kill()
        await service.program.wait()
    assert await get_run_state(database, run_id) == "running"
    slow_sandbox.smtp.switches.latency_seconds = 0
    await expire_leases(database)

    async def run_is_done() -> bool:
        return await get_run_state(database, run_id) == "done"

    async with run_service(database_url, slow_sandbox, tmp_path):
        await until(run_is_done)
    await assert_day_complete(database, slow_sandbox, killed_while_mailing=step == "mail")


async def test_mail_killed_before_its_bytes_are_stored_is_finished_under_other_settings(
    database: Database, database_url: str, slow_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Its figures are committed. It keeps its date, zone and reports; it is sent once."""
    slow_sandbox.avito.switches.latency_seconds = slow_sandbox.deepseek.switches.latency_seconds = 0
    slow_sandbox.smtp.switches.latency_seconds = 0
    run_id = await submit(database, DailyParams(), system_clock, slot=DAY)

    async def figures_are_committed() -> bool:
        return bool(await fetch_rows(database, "SELECT 1 FROM digests"))

    async def run_is_done() -> bool:
        return await get_run_state(database, run_id) == "done"

    async with (
        run_service(database_url, slow_sandbox, tmp_path) as service,
        hold_bytes(database),
    ):
        await until(figures_are_committed)
        service.kill()
        await service.program.wait()
    (before,) = await fetch_rows(database, "SELECT day, mime, figures, subject FROM digests")
    assert (before["mime"], before["figures"]["timezone"]) == (None, "Europe/Moscow")
    assert slow_sandbox.smtp.messages == []
    await expire_leases(database)
    other = {"REPORT_TIMEZONE": "Asia/Vladivostok", "REPORT_TIME": "07:30"}
    async with run_service(database_url, slow_sandbox, tmp_path, **other):
        await until(run_is_done)
    (after,) = await fetch_rows(database, "SELECT day, mime, figures, subject FROM digests")
    assert after == before
    await assert_day_complete(database, slow_sandbox, killed_while_mailing=False)


@asynccontextmanager
async def hold_bytes(database: Database) -> AsyncIterator[None]:
    """Let every process wait that stores the bytes of a mail."""
    async with database.transaction() as session:
        for sql in _WAIT_FOR_TEST:
            await session.execute(text(sql))
    async with database.session() as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
        yield
    async with database.transaction() as session:
        await session.execute(text("DROP FUNCTION wait_for_test CASCADE"))


_WAIT_FOR_TEST = (
    "CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'",
    "CREATE TRIGGER wait_for_test BEFORE UPDATE OF mime ON digests"
    " FOR EACH ROW EXECUTE FUNCTION wait_for_test()",
)


async def assert_day_complete(
    database: Database, sandbox: Sandbox, *, killed_while_mailing: bool
) -> None:
    chats = sandbox.avito.accounts[0].chats.values()
    stored = {
        row["avito_id"] for row in await fetch_rows(database, "SELECT avito_id FROM messages")
    }
    assert stored == {message.id for chat in chats for message in chat.messages}
    reports = Counter(
        row["chat_id"] for row in await fetch_rows(database, "SELECT chat_id FROM reports")
    )
    assert set(reports.values()) == {1}, "each chat is graded once"
    settled = await fetch_rows(
        database,
        "SELECT count(*) AS n FROM chats WHERE outcome IN ('graded', 'skipped') AND due_since IS"
        " NULL",
    )
    assert settled[0]["n"] == len(chats)
    assert len(await fetch_rows(database, "SELECT 1 FROM digests")) == 1
    assert await fetch_rows(database, "SELECT 1 FROM reports WHERE digest_id IS NULL") == []
    mails: dict[str, set[bytes]] = {mail.recipients[0]: set() for mail in sandbox.smtp.messages}
    for mail in sandbox.smtp.messages:
        mails[mail.recipients[0]].add(mail.data)
    assert set(mails) == {"boss@example.ru", "second@example.ru"}
    assert all(len(bodies) == 1 for bodies in mails.values()), (
        "what goes again goes with the identical bytes"
    )
    # Only the mail in transit may arrive twice: SMTP cannot report whether it was accepted.
    assert len(sandbox.smtp.messages) <= 2 + killed_while_mailing


async def test_killed_manual_run_is_interrupted_and_the_next_call_continues(
    database: Database, database_url: str, slow_sandbox: Sandbox, tmp_path: Path
) -> None:
    async def step_has_begun() -> bool:
        return bool(await fetch_rows(database, MOMENTS["sync"]))

    async with run_service(database_url, slow_sandbox, tmp_path) as service:
        run_id = await submit(database, SyncParams(), system_clock)
        await until(step_has_begun)
        service.kill()
        await service.program.wait()
    await expire_leases(database)
    async with (
        run_service(database_url, slow_sandbox, tmp_path) as service,
        open_rest_client(service) as rest,
    ):
        answer = await rest.post("/api/v1/avito/sync")
        killed = (await rest.get(f"/api/v1/runs/{run_id}")).json()
    assert answer.json()["synced_chats"] == len(slow_sandbox.avito.accounts[0].chats)
    assert killed["state"] == "interrupted"
    assert "числа здесь могут быть меньше сделанного" in killed["message"]


async def test_stopped_service_stores_pending_answers(
    database: Database, database_url: str, slow_sandbox: Sandbox, tmp_path: Path
) -> None:
    slow_sandbox.avito.switches.latency_seconds = 0
    requests = slow_sandbox.deepseek.requests

    async def model_is_called() -> bool:
        return len(requests) >= 4

    async with (
        run_service(database_url, slow_sandbox, tmp_path) as service,
        open_rest_client(service) as rest,
    ):
        await rest.post("/api/v1/avito/sync")
        slow_sandbox.deepseek.switches.latency_seconds = 1
        call = asyncio.create_task(rest.post("/api/v1/llm/analyze"))
        await until(model_is_called)
        service.program.send_signal(signal.SIGTERM)
        answer = (await call).json()
        assert await service.program.wait() == 0
    assert answer["message"].startswith("Прервано")
    graded = [
        row["avito_id"]
        for row in await fetch_rows(database, "SELECT avito_id FROM chats WHERE outcome = 'graded'")
    ]
    assert answer["analyzed_chats"] == len(graded) >= 4, (
        "all that were asked about when it was told"
    )


async def test_log_contains_no_chat_text_and_no_secret(
    database: Database, database_url: str, slow_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A whole day with faults, at log level DEBUG."""
    chat = next(iter(slow_sandbox.avito.accounts[0].chats.values()))
    slow_sandbox.avito.add_message(
        chat.id, "company", text="канарейка-7391 звоните 8 900 555-35-35"
    )
    slow_sandbox.smtp.switches.recipient_answers["second@example.ru"] = "550 5.1.1 канарейки нет"
    slow_sandbox.avito.switches.latency_seconds = slow_sandbox.deepseek.switches.latency_seconds = 0
    async with (
        run_service(
            database_url, slow_sandbox, tmp_path, LOG_LEVEL="DEBUG", LOG_FORMAT="json"
        ) as service,
        open_rest_client(service) as rest,
    ):
        for path in ("/avito/sync", "/llm/analyze", "/timer/reports"):
            await rest.post(f"/api/v1{path}")
    log = service.log.decode()
    assert "run.ended" in log
    secrets = [KEY, slow_sandbox.deepseek.api_key, slow_sandbox.avito.accounts[0].client_secret]
    for canary in ("канарейка-7391", "555-35-35", *secrets):
        assert canary not in log
