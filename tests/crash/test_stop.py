"""The service is stopped while a dependency hangs.

It ends in time, and the next process finishes the work.
"""

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text

from app.clock import system_clock
from app.database.engine import Database
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams
from app.services.runs import submit, wait
from tests.support.clusters import kill_all, list_servers
from tests.support.command_line import free_port
from tests.support.patience import PATIENCE
from tests.support.programs import start_program
from tests.support.service_process import (
    DAY,
    KEY,
    RunningService,
    expire_leases,
    fetch_rows,
    open_rest_client,
    run_service,
)
from tests.support.slow_sandbox import keep_every_third
from tests.support.stage import until
from tests.support.wires import open_wire

HUNG = 3600.0


async def stop(service: RunningService, *, signals: int = 1) -> int:
    """Send SIGTERM as often as given and return the exit code."""
    for _ in range(signals):
        service.program.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
    async with asyncio.timeout(PATIENCE):
        return await service.program.wait()


@asynccontextmanager
async def freeze_postgres(data_dir: Path) -> AsyncIterator[None]:
    """Suspend the embedded Postgres and its backends; kill them at the end."""
    for process in list_servers(data_dir):
        process.suspend()
    yield
    with ExitStack() as stack:
        stack.callback(kill_all, data_dir)
        for process in list_servers(data_dir):
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def wait_for_row(database: Database, sql: str) -> None:
    async def row_exists() -> bool:
        return bool(await fetch_rows(database, sql))

    await until(row_exists)


async def test_frozen_embedded_postgres(tmp_path: Path) -> None:
    """The server is stopped as usual if there is time; else the next start recovers it."""
    async with Sandbox() as sandbox:
        async with run_service("", sandbox, tmp_path) as service, freeze_postgres(tmp_path):
            assert await stop(service) in (0, 4)
        async with run_service("", sandbox, tmp_path) as service, open_rest_client(service) as rest:
            assert (await rest.post("/api/v1/avito/sync")).status_code == 200
            assert await stop(service) == 0
        assert list_servers(tmp_path) == []


@pytest.mark.parametrize("signals", [1, 3])
async def test_silently_unreachable_database(
    database: Database, database_url: str, tmp_path: Path, signals: int
) -> None:
    async with Sandbox() as sandbox, open_wire(database_url) as (wire, url):
        keep_every_third(sandbox)
        run_id = await submit(database, DailyParams(), system_clock, slot=DAY)
        async with (
            run_service(url, sandbox, tmp_path) as service,
            open_rest_client(service) as rest,
        ):
            await wait_for_row(database, "SELECT 1 FROM reports LIMIT 1")
            wire.hang()
            waiting = asyncio.gather(
                *(rest.get(path) for path in ("/health/ready", "/metrics", "/api/v1/runs")),
                return_exceptions=True,
            )
            await asyncio.sleep(0.5)
            assert await stop(service, signals=signals) in (0, 4)
            await waiting
        wire.resume()
        await expire_leases(database)
        async with run_service(database_url, sandbox, tmp_path):
            assert (await wait(database, run_id)).state == "done"


async def hang_the_model(sandbox: Sandbox) -> None:
    sandbox.deepseek.switches.latency_seconds = HUNG


async def hang_the_mail(sandbox: Sandbox) -> None:
    sandbox.smtp.switches.latency_seconds = HUNG


async def hang_after_the_dot(sandbox: Sandbox) -> None:
    """The mail server accepts the mail and does not reply."""

    async def never_reply(*_: object) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    sandbox.smtp.handle_DATA = never_reply  # type: ignore[method-assign, assignment]


def list_runs(service: RunningService, event: str) -> set[int]:
    """Return the runs of an event of the log."""
    lines = [json.loads(line) for line in service.log.decode().splitlines()]
    return {line["run"] for line in lines if line["event"] == f"run.{event}"}


HANGING: dict[str, tuple[Callable[[Sandbox], Awaitable[None]], str]] = {
    "model": (hang_the_model, "SELECT 1 FROM chats WHERE grading_token IS NOT NULL LIMIT 1"),
    "mail": (hang_the_mail, "SELECT 1 FROM deliveries WHERE state = 'sending'"),
    "mail_after_the_dot": (hang_after_the_dot, "SELECT 1 FROM deliveries WHERE state = 'sending'"),
}


@pytest.mark.parametrize("what", HANGING)
async def test_hanging_external_system(
    database: Database, database_url: str, tmp_path: Path, what: str
) -> None:
    hang, moment = HANGING[what]
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        sandbox.avito.switches.latency_seconds = sandbox.deepseek.switches.latency_seconds = (
            sandbox.smtp.switches.latency_seconds
        ) = 0
        await hang(sandbox)
        run_id = await submit(database, DailyParams(), system_clock, slot=DAY)
        async with run_service(database_url, sandbox, tmp_path, LOG_FORMAT="json") as service:
            await wait_for_row(database, moment)
            await asyncio.sleep(0.5)
            assert await stop(service) == 0
        states = await fetch_rows(database, f"SELECT state FROM runs WHERE id = {run_id}")  # noqa: S608
        assert states == [{"state": "queued"}], "it is given back"
    runs = {event: list_runs(service, event) for event in ("started", "ended", "interrupted")}
    assert run_id in runs["interrupted"]
    assert runs["interrupted"] | runs["ended"] == runs["started"], "each end is logged"
    assert not runs["interrupted"] & runs["ended"]


async def test_slow_reader_of_a_long_response(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        async with (
            run_service(database_url, sandbox, tmp_path) as service,
            open_rest_client(service) as rest,
        ):
            for path in ("/avito/sync", "/llm/analyze"):
                await rest.post(f"/api/v1{path}")
            columns = [row["name"] for row in await fetch_rows(database, _COLUMNS)]
            others = ", ".join(name for name in columns if name != "id")
            copies = (
                f"INSERT INTO reports (id, {others}) SELECT 1000 + n, {others}"  # noqa: S608
                " FROM reports, generate_series(1, 10000) n WHERE id = 1"
            )
            async with database.transaction() as session:
                await session.execute(text(copies))
            span = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
            plain = {
                "Accept-Encoding": "identity"
            }  # a compressed list fits the buffers of the socket
            async with rest.stream("GET", "/api/v1/reports", params=span, headers=plain) as answer:
                chunks = answer.aiter_raw()
                await anext(chunks)
                assert await stop(service) == 0
                with pytest.raises(httpx.RemoteProtocolError):
                    async for _ in chunks:
                        pass


_COLUMNS = (
    "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'reports' ORDER"
    " BY ordinal_position"
)


@pytest.mark.parametrize("held", ["migration", "connection"])
async def test_start_waiting_for_the_database(
    database: Database, database_url: str, tmp_path: Path, held: str
) -> None:
    """It waits for another replica's migration, or for a server that accepts and never replies."""
    async with (
        Sandbox() as sandbox,
        open_wire(database_url) as (wire, url),
        database.session() as session,
    ):
        if held == "migration":
            await session.execute(text("SELECT pg_advisory_lock(5318008201)"))
        else:
            wire.hang()
        environment = {
            **sandbox.environment(),
            "DATABASE_URL": url,
            "API_KEYS": KEY,
            "MAIL_FROM": "a@example.ru",
            "PORT": free_port(),
        }
        environment |= {"REPORT_RECIPIENTS": "b@example.ru", "DATA_DIR": str(tmp_path)}
        async with start_program(tmp_path, "serve", environment=environment) as program:
            await asyncio.sleep(3)
            assert await stop(RunningService(program, "")) in (0, 4)
        if held == "migration":
            await session.execute(text("SELECT pg_advisory_unlock(5318008201)"))


@pytest.mark.parametrize("seed", range(3))
async def test_stop_at_random_moments(
    database: Database, database_url: str, tmp_path: Path, seed: int
) -> None:
    """A day that is stopped repeatedly, at random moments, is completed in the end."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        run_id = await submit(database, DailyParams(), system_clock, slot=DAY)
        for _ in range(2):
            async with run_service(database_url, sandbox, tmp_path) as service:
                await asyncio.sleep(chance.uniform(0, 4))
                assert await stop(service, signals=chance.choice([1, 2])) == 0
        async with run_service(database_url, sandbox, tmp_path):
            assert (await wait(database, run_id)).state == "done"
        arrived = {(mail.recipients[0], mail.data) for mail in sandbox.smtp.messages}
        assert sorted(recipient for recipient, _ in arrived) == [
            "boss@example.ru",
            "second@example.ru",
        ], "identical bytes, if any go again"
