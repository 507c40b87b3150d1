"""Sync, analyze and report from the command line.

Their runs are in the same table as those of REST, and a command executes only its own run.
"""

import signal
from pathlib import Path

from app.clock import system_clock
from app.database.engine import Database
from app.repositories.runs import list_runs
from app.sandbox.server import Sandbox
from app.services.run_params import AnalyzeParams, DailyParams, SyncParams
from app.services.runs import submit
from tests.support.command_line import make_environment, run_app, start_app, stop, wait_for_requests
from tests.support.stage import GOOD_TALK, Stage


async def test_runs_of_other_clients_are_not_executed(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    queued = [
        await submit(database, params, system_clock)
        for params in (SyncParams(), AnalyzeParams(), DailyParams())
    ]
    async with Sandbox() as sandbox:
        ended = await run_app(
            tmp_path, "sync", **make_environment(sandbox, DATABASE_URL=database_url)
        )
        chats = len(sandbox.avito.accounts[0].chats)
    assert (ended.code, ended.err) == (0, "")
    assert f"Синхронизировано {chats} чат" in ended.out
    assert f"новых: {chats}" in ended.out
    assert await list_states(database) == ["done"] + ["queued"] * len(queued)


async def test_ctrl_c_releases_the_run(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    async with Sandbox() as sandbox:
        sandbox.avito.switches.latency_seconds = 0.3
        async with start_app(
            tmp_path, "sync", **make_environment(sandbox, DATABASE_URL=database_url)
        ) as process:
            await wait_for_requests(sandbox, 4, process)
            ended = await stop(process, signal.SIGINT)
    assert ended.code == 130
    assert "Прервано" in ended.out
    assert ended.err == ""
    assert await list_states(database) == ["interrupted"]


async def test_commands_work_while_a_service_runs(tmp_path: Path, full_stage: Stage) -> None:
    url = full_stage.service.settings.database_url
    assert url
    settings = make_environment(
        full_stage.sandbox,
        DATABASE_URL=url.get_secret_value(),
        REPORT_RECIPIENTS="boss@example.ru,second@example.ru",
    )
    await full_stage.sync()
    graded = await run_app(tmp_path, "analyze", "--limit", "7", **settings)
    full_stage.sandbox.smtp.switches.recipient_answers["boss@example.ru"] = "550 5.1.1 No such user"
    mailed = await run_app(tmp_path, "report", **settings)
    assert (graded.code, graded.err) == (0, "")
    assert len(await full_stage.reports()) == 7
    assert "Создано: 7 отчётов" in graded.out
    assert mailed.code == 1
    assert "avito-quality: Отправлено: 1 письмо, 7 отчётов. Письмо за " in mailed.err
    assert "новых отчётов дошло: 7" in mailed.out
    assert len(full_stage.sandbox.smtp.messages) == 1
    assert await list_states(full_stage.service.database) == ["failed", "done", "done"]


async def test_unknown_chats_are_named(tmp_path: Path, stage: Stage) -> None:
    known = stage.add_talk(*GOOD_TALK).id
    await stage.sync()
    url = stage.service.settings.database_url
    assert url
    settings = make_environment(stage.sandbox, DATABASE_URL=url.get_secret_value())
    none = await run_app(tmp_path, "analyze", "--chat", "нет-такого", **settings)
    assert (none.code, none.err) == (2, "avito-quality: --chat: не найдены чаты: нет-такого.\n")
    some = await run_app(tmp_path, "analyze", "--chat", known, "--chat", "нет-такого", **settings)
    assert (some.code, some.err) == (1, "")
    assert "Создано: 1 отчёт" in some.out
    assert "не найдены чаты: нет-такого." in some.out
    assert await list_states(stage.service.database) == ["done", "done"]


async def list_states(database: Database) -> list[str]:
    """Return the states of the runs, newest first."""
    async with database.session() as session:
        return [run.state for run in await list_runs(session, limit=10)]
