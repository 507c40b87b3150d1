"""The embedded Postgres with several users: shared, killed, frozen, cancelled."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.database.embedded import EmbeddedPostgresError, embedded_postgres

from .clusters import (
    CHECKOUT,
    CHILD,
    ask,
    end_all,
    half_made,
    other_process,
    postmaster,
    said,
    servers,
    state,
    until,
    write_pid,
)


async def test_a_killed_user_leaves_the_server_to_the_next(used_dir: Path) -> None:
    async with other_process(used_dir) as process:
        process.kill()
        await process.wait()
    left_over = postmaster(used_dir)
    assert left_over.is_running()

    async with embedded_postgres(used_dir, durable=False) as url:
        assert postmaster(used_dir) == left_over
        assert await ask(url, "SELECT count(*) FROM chats") == 2
    assert servers(used_dir) == []
    assert await state(used_dir) == "shut down"


async def test_a_pid_that_is_somebody_elses_by_now_is_not_believed(used_dir: Path) -> None:
    async with other_process(used_dir) as process:
        process.kill()
        await process.wait()
    end_all(used_dir)
    # Owned by the server's account: Postgres itself recognises a process of another account.
    stranger = await asyncio.create_subprocess_exec(
        "sleep", "600", user=(used_dir / "postgres").owner()
    )
    try:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            write_pid(used_dir / "postgres" / name, stranger.pid)
        async with embedded_postgres(used_dir, durable=False) as url:
            assert await ask(url, "SELECT count(*) FROM chats") == 2
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()
    assert servers(used_dir) == []
    assert await state(used_dir) == "shut down"


async def test_ctrl_c_ends_one_user_and_not_the_server_it_has_started(used_dir: Path) -> None:
    async with (
        other_process(used_dir) as process,
        embedded_postgres(used_dir, durable=False) as url,
    ):
        server = postmaster(used_dir)
        os.killpg(process.pid, signal.SIGINT)
        assert await said(process, "rows") == "rows 2"
        await process.wait()
        assert await ask(url, "SELECT count(*) FROM chats") == 2
        assert postmaster(used_dir) == server
    assert servers(used_dir) == []


async def test_the_last_user_stops_the_server(used_dir: Path) -> None:
    first = embedded_postgres(used_dir, durable=False)
    await first.__aenter__()
    async with other_process(used_dir) as process:
        await first.__aexit__(None, None, None)
        os.killpg(process.pid, signal.SIGINT)
        assert await said(process, "rows") == "rows 2"
        await process.wait()
    assert servers(used_dir) == []


async def test_users_who_come_at_once_share_one_server(data_dir: Path) -> None:
    together = asyncio.Barrier(3)

    async def use() -> str:
        async with embedded_postgres(data_dir, durable=False) as url:
            await together.wait()
            return str(await ask(url, "SELECT pg_postmaster_start_time()"))

    assert len(set(await asyncio.gather(use(), use(), use()))) == 1
    assert servers(data_dir) == []


async def test_a_frozen_server_is_an_error_and_not_replaced(used_dir: Path) -> None:
    async with embedded_postgres(used_dir, durable=False) as url:
        server = postmaster(used_dir)
        server.suspend()
        try:
            with pytest.raises(EmbeddedPostgresError, match="не отвечает"):
                async with embedded_postgres(used_dir, durable=False, patience_seconds=0.5):
                    pass
        finally:
            server.resume()
        assert await ask(url, "SELECT count(*) FROM chats") == 2
        assert postmaster(used_dir) == server


async def test_a_killed_server_is_started_again_once_for_all_its_users(used_dir: Path) -> None:
    """The first restarts fail; a later one succeeds after the cause is gone."""
    configuration = used_dir / "postgres" / "postgresql.conf"
    async with (
        embedded_postgres(used_dir, durable=False) as url,
        embedded_postgres(used_dir, durable=False),
    ):
        good = configuration.read_text()
        configuration.write_text("no_such_setting = 1\n")
        end_all(used_dir)
        log = used_dir / "postgres.log"
        await until(lambda: log.read_text().count("no_such_setting") >= 2)  # each user has tried
        configuration.write_text(good)
        begun = log.stat().st_size
        await until(lambda: "ready to accept connections" in log.read_text()[begun:])
        assert await ask(url, "SELECT count(*) FROM chats") == 2
    assert log.read_text()[begun:].count("ready to accept connections") == 1
    assert servers(used_dir) == []
    assert await state(used_dir) == "shut down"


async def test_a_server_that_is_just_started_again_is_not_left_behind(used_dir: Path) -> None:
    async with embedded_postgres(used_dir, durable=False):
        end_all(used_dir)
        before = (used_dir / "postgres.log").stat().st_size
        await until(lambda: (used_dir / "postgres.log").stat().st_size > before)
    assert servers(used_dir) == []


async def cancelled(data_dir: Path, moment: str) -> None:
    """Start a server and cancel the start as soon as a file matches this pattern."""

    async def use() -> None:
        async with embedded_postgres(data_dir, durable=False):
            await asyncio.Event().wait()

    start = asyncio.create_task(use())
    await until(lambda: list(data_dir.glob(moment)))
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start


async def test_a_cancelled_first_start_leaves_nothing_half_made(data_dir: Path) -> None:
    await cancelled(data_dir, "postgres.new-*/cluster/base")
    assert half_made(data_dir) == []
    async with embedded_postgres(data_dir, durable=False) as url:
        assert await ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("moment", ["postgres.log", "postgres/postmaster.pid"])
async def test_a_cancelled_start_leaves_no_server(used_dir: Path, moment: str) -> None:
    (used_dir / "postgres.log").unlink()
    await cancelled(used_dir, moment)
    assert servers(used_dir) == []


async def test_a_killed_first_start_is_begun_anew(data_dir: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(data_dir), cwd=CHECKOUT
    )
    await until(lambda: list(data_dir.glob("postgres.new-*/cluster/base")))
    process.kill()
    await process.wait()
    async with embedded_postgres(data_dir, durable=False) as url:
        assert await ask(url, "SELECT 1") == 1
    assert half_made(data_dir) == []
