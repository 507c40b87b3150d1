"""Worker processes: limits for each call, and no process left at the end."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from app.services.analysis.worker_pool import Allowance, ChatWorkError, WorkerPool
from tests.support import worker_calls
from tests.support.checkout import CHECKOUT
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage, until


async def run(pool: WorkerPool, function: Any, *arguments: object, cpu_seconds: float = 10) -> Any:
    return await pool.run(function, *arguments, allowance=Allowance(cpu_seconds))


def children() -> list[psutil.Process]:
    """Return the IDs of the worker processes of this test process."""
    return [
        child
        for child in psutil.Process().children()
        if "app.services.analysis.worker_process" in child.cmdline()
    ]


async def test_call_beyond_its_processor_time_fails_alone() -> None:
    async with WorkerPool(1) as pool:
        with pytest.raises(ChatWorkError, match="больше 10 с времени процессора"):
            await run(pool, worker_calls.spin, 600, cpu_seconds=0.5)
        assert await run(pool, worker_calls.add, 1, 2) == 3


async def test_processor_time_of_a_chat_is_counted_over_all_its_calls() -> None:
    async with WorkerPool(1) as pool:
        allowance = Allowance(3)
        await pool.run(worker_calls.spin, 1.5, allowance=allowance)
        assert await pool.run(worker_calls.add, 1, 2, allowance=allowance) == 3
        with pytest.raises(ChatWorkError, match="времени процессора"):
            await pool.run(worker_calls.spin, 4, allowance=allowance)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits the memory")
async def test_call_beyond_its_memory_fails_alone() -> None:
    async with WorkerPool(1) as pool:
        assert await run(pool, worker_calls.fill, 100) == 100 * 2**20
        with pytest.raises(ChatWorkError, match="не хватило 300 МБ памяти"):
            await run(pool, worker_calls.fill, 400)
        assert await run(pool, worker_calls.add, 1, 2) == 3


async def test_error_of_a_call_does_not_contain_its_text() -> None:
    async with WorkerPool(1) as pool:
        with pytest.raises(ChatWorkError, match=r"внутренняя ошибка RecursionError\)"):
            await run(pool, worker_calls.recurse, 0)
        assert await run(pool, worker_calls.add, 1, 2) == 3


async def test_call_of_a_killed_process_is_retried_alone(
    tmp_path: Path,
) -> None:
    async with WorkerPool(2) as pool:
        busy = [
            asyncio.create_task(run(pool, worker_calls.be_busy, str(tmp_path), 0.2))
            for _ in range(6)
        ]
        assert await run(pool, worker_calls.die_once, str(tmp_path)) == 0
        await asyncio.gather(*busy)
        with pytest.raises(ChatWorkError, match="дважды прервала"):
            await run(pool, worker_calls.die)


async def test_processes_have_no_secrets_and_share_a_hash_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-canary")
    async with WorkerPool(2) as pool:
        first, second = await asyncio.gather(
            run(pool, worker_calls.environment), run(pool, worker_calls.environment)
        )
    assert "DEEPSEEK_API_KEY" not in first
    assert first["PYTHONHASHSEED"] == second["PYTHONHASHSEED"]


async def test_cancelled_call_and_closed_pool_leave_no_process(tmp_path: Path) -> None:
    before = {child.pid for child in children()}
    async with WorkerPool(2) as pool:
        await run(pool, worker_calls.add, 1, 2)
        call = asyncio.create_task(run(pool, worker_calls.write_pid, str(tmp_path / "pid")))
        await until(lambda: _exists(tmp_path / "pid"))
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    assert {child.pid for child in children()} <= before


_PARENT = """
import asyncio, sys
from app.services.analysis.worker_pool import Allowance, WorkerPool
from tests.support.worker_calls import write_pid
asyncio.run(WorkerPool(1).run(write_pid, sys.argv[1], allowance=Allowance(10)))
"""


async def test_killed_parent_leaves_no_process(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PARENT, str(told), cwd=CHECKOUT
    )
    await until(lambda: _exists(told))
    pid = int(told.read_text(encoding="ascii"))
    parent.send_signal(signal.SIGKILL)
    assert await parent.wait() == -signal.SIGKILL
    await until(lambda: _is_gone(pid))


async def _exists(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0  # noqa: ASYNC240 - a local file


async def _is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_chat_beyond_its_time_fails_alone_and_loses_a_try(
    stage: Stage, database_url: str
) -> None:
    words = (
        "Позвоните Ивану Петрову, Марине или Олегу, адрес: улица Ленина, дом 5, квартира 7. " * 10
    )
    hostile = stage.add_talk(
        *[(side, f"{number} {words}") for number in range(60) for side in ("client", "company")],
        minutes_ago=600,
    )
    good = [stage.add_talk(*talk) for talk in (GOOD_TALK, BAD_TALK)]
    await stage.sync()
    async with (
        stage.resting(),
        WorkerPool(cpu_seconds=0.3) as graders,
        on_stage(database_url, stage.sandbox, graders=graders) as strict,
    ):
        answer = await strict.analyze()
    assert (answer["analyzed_chats"], answer["failed_chats"], answer["waiting_chats"]) == (2, 1, 0)
    rows = await stage.rows(
        "SELECT avito_id, failures, outcome_code, outcome_detail FROM chats"
        " WHERE outcome = 'failed'"
    )
    assert [(row["avito_id"], row["failures"]) for row in rows] == [(hostile.id, 1)]
    assert rows[0]["outcome_code"] == "text_unprocessable"
    assert "времени процессора" in rows[0]["outcome_detail"]
    assert {report["chat_id"] for report in await stage.reports()} == {chat.id for chat in good}
