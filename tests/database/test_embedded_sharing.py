"""The embedded Postgres with several users: shared, killed, frozen, cancelled."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.database.embedded import EmbeddedPostgresError, embedded_postgres
from tests.support.checkout import CHECKOUT
from tests.support.clusters import (
    CHILD,
    fetch_value,
    get_postmaster,
    kill_all,
    list_servers,
    list_unfinished,
    read_cluster_state,
    read_line,
    start_other_process,
    wait_until,
    write_pid,
)


async def test_a_killed_user_leaves_the_server_to_the_next(used_dir: Path) -> None:
    async with start_other_process(used_dir) as process:
        process.kill()
        await process.wait()
    leftover = get_postmaster(used_dir)
    assert leftover.is_running()

    async with embedded_postgres(used_dir, durable=False) as url:
        assert get_postmaster(used_dir) == leftover
        assert await fetch_value(url, "SELECT count(*) FROM chats") == 2
    assert list_servers(used_dir) == []
    assert await read_cluster_state(used_dir) == "shut down"


async def test_pid_reused_by_another_process_is_ignored(used_dir: Path) -> None:
    async with start_other_process(used_dir) as process:
        process.kill()
        await process.wait()
    kill_all(used_dir)
    # Owned by the server's account: Postgres itself recognises a process of another account.
    stranger = await asyncio.create_subprocess_exec(
        "sleep", "600", user=(used_dir / "postgres").owner()
    )
    try:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            write_pid(used_dir / "postgres" / name, stranger.pid)
        async with embedded_postgres(used_dir, durable=False) as url:
            assert await fetch_value(url, "SELECT count(*) FROM chats") == 2
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()
    assert list_servers(used_dir) == []
    assert await read_cluster_state(used_dir) == "shut down"


async def test_ctrl_c_ends_one_user_but_not_its_server(used_dir: Path) -> None:
    async with (
        start_other_process(used_dir) as process,
        embedded_postgres(used_dir, durable=False) as url,
    ):
        server = get_postmaster(used_dir)
        os.killpg(process.pid, signal.SIGINT)
        assert await read_line(process, "rows") == "rows 2"
        await process.wait()
        assert await fetch_value(url, "SELECT count(*) FROM chats") == 2
        assert get_postmaster(used_dir) == server
    assert list_servers(used_dir) == []


async def test_the_last_user_stops_the_server(used_dir: Path) -> None:
    first = embedded_postgres(used_dir, durable=False)
    await first.__aenter__()
    async with start_other_process(used_dir) as process:
        await first.__aexit__(None, None, None)
        os.killpg(process.pid, signal.SIGINT)
        assert await read_line(process, "rows") == "rows 2"
        await process.wait()
    assert list_servers(used_dir) == []


async def test_concurrent_users_share_one_server(data_dir: Path) -> None:
    together = asyncio.Barrier(3)

    async def use() -> str:
        async with embedded_postgres(data_dir, durable=False) as url:
            await together.wait()
            return str(await fetch_value(url, "SELECT pg_postmaster_start_time()"))

    assert len(set(await asyncio.gather(use(), use(), use()))) == 1
    assert list_servers(data_dir) == []


async def test_a_frozen_server_is_an_error_and_not_replaced(used_dir: Path) -> None:
    async with embedded_postgres(used_dir, durable=False) as url:
        server = get_postmaster(used_dir)
        server.suspend()
        try:
            with pytest.raises(EmbeddedPostgresError, match="не отвечает"):
                async with embedded_postgres(used_dir, durable=False, patience_seconds=0.5):
                    pass
        finally:
            server.resume()
        assert await fetch_value(url, "SELECT count(*) FROM chats") == 2
        assert get_postmaster(used_dir) == server


async def test_killed_server_is_restarted_once_for_all_users(used_dir: Path) -> None:
    """The first restarts fail; a later one succeeds after the cause is gone."""
    configuration = used_dir / "postgres" / "postgresql.conf"
    async with (
        embedded_postgres(used_dir, durable=False) as url,
        embedded_postgres(used_dir, durable=False),
    ):
        good = configuration.read_text()
        configuration.write_text("no_such_setting = 1\n")
        kill_all(used_dir)
        log = used_dir / "postgres.log"
        await wait_until(
            lambda: log.read_text().count("no_such_setting") >= 2
        )  # each user has tried
        configuration.write_text(good)
        begun = log.stat().st_size
        await wait_until(lambda: "ready to accept connections" in log.read_text()[begun:])
        assert await fetch_value(url, "SELECT count(*) FROM chats") == 2
    assert log.read_text()[begun:].count("ready to accept connections") == 1
    assert list_servers(used_dir) == []
    assert await read_cluster_state(used_dir) == "shut down"


async def test_restarting_server_is_stopped_at_the_end(used_dir: Path) -> None:
    async with embedded_postgres(used_dir, durable=False):
        kill_all(used_dir)
        before = (used_dir / "postgres.log").stat().st_size
        await wait_until(lambda: (used_dir / "postgres.log").stat().st_size > before)
    assert list_servers(used_dir) == []


async def cancel_start(data_dir: Path, moment: str) -> None:
    """Start a server and cancel the start as soon as a file matches this pattern."""

    async def use() -> None:
        async with embedded_postgres(data_dir, durable=False):
            await asyncio.Event().wait()

    start = asyncio.create_task(use())
    await wait_until(lambda: list(data_dir.glob(moment)))
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start


async def test_cancelled_first_start_leaves_no_unfinished_cluster(data_dir: Path) -> None:
    await cancel_start(data_dir, "postgres.new-*/cluster/base")
    assert list_unfinished(data_dir) == []
    async with embedded_postgres(data_dir, durable=False) as url:
        assert await fetch_value(url, "SELECT 1") == 1


@pytest.mark.parametrize("moment", ["postgres.log", "postgres/postmaster.pid"])
async def test_a_cancelled_start_leaves_no_server(used_dir: Path, moment: str) -> None:
    (used_dir / "postgres.log").unlink()
    await cancel_start(used_dir, moment)
    assert list_servers(used_dir) == []


async def test_killed_first_start_is_repeated(data_dir: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(data_dir), cwd=CHECKOUT
    )
    await wait_until(lambda: list(data_dir.glob("postgres.new-*/cluster/base")))
    process.kill()
    await process.wait()
    async with embedded_postgres(data_dir, durable=False) as url:
        assert await fetch_value(url, "SELECT 1") == 1
    assert list_unfinished(data_dir) == []
