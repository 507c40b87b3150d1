"""The service is told to stop while something hangs: it ends in time all the same, and the next one
finishes the work.
"""

import asyncio
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
from app.models import RunKind
from app.sandbox.server import Sandbox
from app.services.runs import submit, wait
from tests.cli.processes import free_port
from tests.crash.chats import keep_every_third
from tests.crash.processes import KEY, Served, serving
from tests.crash.test_kill import DAY, ask, calling, pass_the_leases
from tests.crash.wires import wired
from tests.database.clusters import end_all, servers
from tests.programs import start_program
from tests.stage import until

HUNG = 3600.0
PATIENCE = 20.0
"""The process ends after nine seconds at the latest; the rest is for a machine that is busy."""


async def stop(served: Served, *, signals: int = 1) -> int:
    """The exit code; the process is told so often."""
    for _ in range(signals):
        served.program.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
    async with asyncio.timeout(PATIENCE):
        return await served.program.wait()


@asynccontextmanager
async def frozen(data_dir: Path) -> AsyncIterator[None]:
    """The embedded Postgres and its backends do not execute; at the end there are none."""
    for process in servers(data_dir):
        process.suspend()
    yield
    with ExitStack() as stack:
        stack.callback(end_all, data_dir)
        for process in servers(data_dir):
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def begun(database: Database, sql: str) -> None:
    async def is_there() -> bool:
        return bool(await ask(database, sql))

    await until(is_there, seconds=40)


async def test_a_frozen_postgres_of_our_own(tmp_path: Path) -> None:
    """The server is stopped in its turn where there is time; the next start recovers it."""
    async with Sandbox() as sandbox:
        async with serving("", sandbox, tmp_path) as served, frozen(tmp_path):
            assert await stop(served) in (0, 4)
        async with serving("", sandbox, tmp_path) as served, calling(served) as rest:
            assert (await rest.post("/api/v1/avito/sync")).status_code == 200
            assert await stop(served) == 0
        assert servers(tmp_path) == []


@pytest.mark.parametrize("signals", [1, 3])
async def test_a_database_that_is_gone_without_a_word(
    database: Database, database_url: str, tmp_path: Path, signals: int
) -> None:
    async with Sandbox() as sandbox, wired(database_url) as (wire, url):
        keep_every_third(sandbox)
        run_id = await submit(database, RunKind.DAILY, system_clock, slot=DAY)
        async with serving(url, sandbox, tmp_path) as served, calling(served) as rest:
            await begun(database, "SELECT 1 FROM reports LIMIT 1")
            wire.hang()
            waiting = asyncio.gather(
                *(rest.get(path) for path in ("/health/ready", "/metrics", "/api/v1/runs")),
                return_exceptions=True,
            )
            await asyncio.sleep(0.5)
            assert await stop(served, signals=signals) in (0, 4)
            await waiting
        wire.go_on()
        await pass_the_leases(database)
        async with serving(database_url, sandbox, tmp_path):
            assert (await wait(database, run_id)).state == "done"


async def hang_the_model(sandbox: Sandbox) -> None:
    sandbox.deepseek.switches.latency_seconds = HUNG


async def hang_the_mail(sandbox: Sandbox) -> None:
    sandbox.smtp.switches.latency_seconds = HUNG


async def hang_after_the_dot(sandbox: Sandbox) -> None:
    """The mail server has the mail and does not answer."""

    async def say_nothing(*_: object) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    sandbox.smtp.handle_DATA = say_nothing  # type: ignore[method-assign, assignment]


HANGING: dict[str, tuple[Callable[[Sandbox], Awaitable[None]], str]] = {
    "model": (hang_the_model, "SELECT 1 FROM chats WHERE grading_token IS NOT NULL LIMIT 1"),
    "mail": (hang_the_mail, "SELECT 1 FROM deliveries WHERE state = 'sending'"),
    "mail_after_the_dot": (hang_after_the_dot, "SELECT 1 FROM deliveries WHERE state = 'sending'"),
}


@pytest.mark.parametrize("what", HANGING)
async def test_a_far_end_that_hangs(
    database: Database, database_url: str, tmp_path: Path, what: str
) -> None:
    hang, moment = HANGING[what]
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        sandbox.avito.switches.latency_seconds = sandbox.deepseek.switches.latency_seconds = (
            sandbox.smtp.switches.latency_seconds
        ) = 0
        await hang(sandbox)
        run_id = await submit(database, RunKind.DAILY, system_clock, slot=DAY)
        async with serving(database_url, sandbox, tmp_path) as served:
            await begun(database, moment)
            await asyncio.sleep(0.5)
            assert await stop(served) == 0
        states = await ask(database, f"SELECT state FROM runs WHERE id = {run_id}")  # noqa: S608
        assert states == [{"state": "queued"}], "it is given back"


async def test_a_caller_who_reads_a_long_answer_slowly(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        async with serving(database_url, sandbox, tmp_path) as served, calling(served) as rest:
            for path in ("/avito/sync", "/llm/analyze"):
                await rest.post(f"/api/v1{path}")
            columns = [row["name"] for row in await ask(database, _COLUMNS)]
            others = ", ".join(name for name in columns if name != "id")
            copies = f"INSERT INTO reports (id, {others}) SELECT 1000 + n, {others} FROM reports, generate_series(1, 30000) n WHERE id = 1"  # noqa: S608
            async with database.transaction() as session:
                await session.execute(text(copies))
            span = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
            async with rest.stream("GET", "/api/v1/reports", params=span) as answer:
                chunks = answer.aiter_raw()
                await anext(chunks)
                assert await stop(served) == 0
                with pytest.raises(httpx.RemoteProtocolError):
                    async for _ in chunks:
                        pass


_COLUMNS = (
    "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'reports' ORDER"
    " BY ordinal_position"
)


@pytest.mark.parametrize("held", ["migration", "connection"])
async def test_a_start_that_waits(
    database: Database, database_url: str, tmp_path: Path, held: str
) -> None:
    """For another replica's migration, or for a server that takes connections and says nothing."""
    async with (
        Sandbox() as sandbox,
        wired(database_url) as (wire, url),
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
            assert await stop(Served(program, "")) in (0, 4)
        if held == "migration":
            await session.execute(text("SELECT pg_advisory_unlock(5318008201)"))


@pytest.mark.parametrize("seed", range(3))
async def test_any_moment(database: Database, database_url: str, tmp_path: Path, seed: int) -> None:
    """A day is told to stop again and again, at moments of no meaning, and is done in the end."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        run_id = await submit(database, RunKind.DAILY, system_clock, slot=DAY)
        for _ in range(2):
            async with serving(database_url, sandbox, tmp_path) as served:
                await asyncio.sleep(chance.uniform(0, 4))
                assert await stop(served, signals=chance.choice([1, 2])) == 0
        async with serving(database_url, sandbox, tmp_path):
            assert (await wait(database, run_id)).state == "done"
        arrived = {(mail.recipients[0], mail.data) for mail in sandbox.smtp.messages}
        assert sorted(recipient for recipient, _ in arrived) == [
            "boss@example.ru",
            "second@example.ru",
        ], "identical bytes, if any go again"
