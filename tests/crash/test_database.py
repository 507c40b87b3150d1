"""Postgres fails in each step of a daily run.

The service waits for it; nothing is lost and nothing is done twice.
"""

import fcntl
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

from app.errors import DatabaseUnavailableError
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams
from app.services.runs import submit, wait
from tests.support.clusters import get_postmaster, kill_all, list_servers
from tests.support.slow_sandbox import keep_every_third
from tests.support.stage import Stage, on_stage, until


async def crash(stage: Stage, data_dir: Path) -> None:
    """Kill one backend; the server then ends all others and recovers.

    It must assume that the dead backend has damaged shared memory.
    """
    backends = [process for process in list_servers(data_dir) if "[local]" in process.cmdline()[0]]
    backends[0].kill()


async def kill(stage: Stage, data_dir: Path) -> None:
    """Kill the whole server; until its restart, callers get the messages of an embedded server."""
    with (data_dir / "postgres.start.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # nothing can start it while the lock is held
        kill_all(data_dir)
        ready = await stage.rest.get("/health/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, "unreachable")
        message = (await stage.post("/avito/sync", status=500))["message"]
        assert "Встроенный Postgres" in message
        assert "DATABASE_URL" not in message


async def stop(stage: Stage, data_dir: Path) -> None:
    """Stop the server by hand with a smart shutdown, which waits for clients.

    The service is a client that does not disconnect.
    """
    server = get_postmaster(data_dir)
    server.send_signal(signal.SIGTERM)

    async def ended() -> bool:
        return not server.is_running()

    await until(ended)


MOMENTS = {
    "SELECT 1 FROM messages LIMIT 1": crash,
    "SELECT 1 FROM reports LIMIT 1": kill,
    "SELECT 1 FROM deliveries WHERE state = 'sending'": stop,
}
"""In sync, grading and mail: the step has written its first row and has not ended."""


async def test_day_is_completed_despite_database_failures(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        async with on_stage(None, sandbox, data_dir=tmp_path, deepseek_max_concurrency=2) as stage:
            database = stage.service.database
            run_id = await submit(database, DailyParams(), stage.service.clock, slot="2026-11-22")
            stage.service.worker.wake()
            for moment, fail in MOMENTS.items():

                async def is_reached(moment: str = moment) -> bool:
                    with suppress(DatabaseUnavailableError):  # still recovering from the last crash
                        return bool(await stage.rows(moment))
                    return False

                await until(is_reached)
                await fail(stage, tmp_path)
            run = await wait(database, run_id)
            assert run.state == "done", run.message
            stored = {row["avito_id"] for row in await stage.rows("SELECT avito_id FROM messages")}
            assert stored == {
                message.id
                for chat in stage.avito.accounts[0].chats.values()
                for message in chat.messages
            }
            reports = await stage.rows("SELECT chat_id, digest_id FROM reports")
            assert set(Counter(row["chat_id"] for row in reports).values()) == {1}, (
                "each chat is graded once"
            )
            assert {row["digest_id"] for row in reports} == {1}, "all in one mail"
            arrived = Counter(mail.recipients[0] for mail in sandbox.smtp.messages)
            assert arrived == {"boss@example.ru": 1, "second@example.ru": 1}, (
                "an answer waits for the database to be written down"
            )
