"""``sync``, ``analyze``, ``regrade``, ``report``: the same runs as those of the REST calls.

A command queues its run and executes it in this process, or waits for a running service that has
claimed it.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date

from app.adapters import read_company_facts, read_rubric
from app.cli.console import Mark, print_line, print_marked
from app.cli.listening import check_data_dir
from app.cli.process import PROGRAM, ExitCode, run_with_guards
from app.cli.progress import watch
from app.cli.regrades import regrade_period, show_regrades
from app.clock import local_date, system_clock
from app.config import Settings
from app.database.engine import Database
from app.errors import InvalidParametersError, SettingsError
from app.grading.prompt import prompt_version
from app.models import Run, RunState
from app.service import open_service, working
from app.services.requested_chats import require_known_chats
from app.services.run_params import (
    AnalyzeParams,
    MailParams,
    RegradeParams,
    RunParams,
    SyncParams,
)
from app.services.runs import require_run, submit

Check = Callable[[Database], Awaitable[object]]
"""Checks the arguments before the run is queued."""
Show = Callable[[Database, int], Awaitable[None]]
"""Shows more about a run that has ended, by its number."""

_FIGURES = {
    "synced_chats": "чатов совпадает с Авито",
    "new_chats": "новых",
    "updated_chats": "пополнилось",
    "new_messages": "новых сообщений",
    "incomplete_chats": "с неполной историей",
    "analyzed_chats": "отчётов",
    "regraded_reports": "оценено заново",
    "failed_reports": "не оценено",
    "skipped_chats": "пропущено",
    "failed_chats": "с ошибкой",
    "waiting_chats": "ждут",
    "unknown_chats": "не найдено",
    "date": "дата",
    "send_reports": "новых отчётов дошло",
}


async def sync(settings: Settings, *, full: bool) -> int:
    """Copy what changed at Avito; ``full`` reads every chat again."""
    settings.require("avito")
    return await _execute(settings, "Синхронизация", SyncParams(full=full))


async def analyze(
    settings: Settings, *, limit: int | None, chat_ids: list[str], force: bool
) -> int:
    """Grade the chats that are due; the arguments are those of ``POST /llm/analyze``."""
    settings.require("deepseek")
    return await _execute(
        settings,
        "Анализ",
        AnalyzeParams(limit=limit, chat_ids=tuple(chat_ids) or None, force=force),
        check=lambda database: list_unknown_named(database, chat_ids),
    )


async def regrade(settings: Settings, *, since: date, until: date | None, limit: int | None) -> int:
    """Grade the reports of a period again, beside the old ones, and show the differences."""
    settings.require("deepseek")
    params = RegradeParams(
        period=regrade_period(settings, since, until, limit),
        judge=(
            settings.deepseek_model,
            prompt_version(read_rubric(settings), read_company_facts(settings)),
        ),
    )
    return await _execute(settings, "Переоценка", params, show=show_regrades)


async def report(settings: Settings, *, day: date | None, resend: bool) -> int:
    """Mail the reports not mailed yet; ``day`` None is today in REPORT_TIMEZONE."""
    settings.require("mail")
    today = local_date(system_clock(), settings.report_timezone)
    if (day or today) > today:
        raise SettingsError(f"--date: этот день ещё не наступил, сегодня {today}.")
    return await _execute(settings, "Отчёт", MailParams(day=day or today, resend=resend))


async def list_unknown_named(database: Database, chat_ids: Collection[str]) -> list[str]:
    """Return the IDs of ``--chat`` that no stored chat has.

    Raises:
        SettingsError: no stored chat has any of them.
    """
    try:
        return await require_known_chats(database, sorted(set(chat_ids)))
    except InvalidParametersError as error:
        raise SettingsError(f"--chat: {error.fields[0].message}.") from None


async def _execute(
    settings: Settings,
    title: str,
    params: RunParams,
    *,
    check: Check | None = None,
    show: Show | None = None,
) -> int:
    check_data_dir(settings)
    async with open_service(settings) as service:
        if check is not None:
            await check(service.database)
        run_id = await submit(service.database, params, service.clock)
        try:
            # No other run is executed here: it would be interrupted when this one has ended.
            async with working(service, only=(params.KIND, run_id)) as worker:
                with _announcing_stop():
                    run = await run_with_guards(watch(service.database, run_id, title), worker)
        except asyncio.CancelledError:
            await _describe_remaining(service.database, run_id)
            raise
        code = _print_result(run)
        if show is not None:
            await show(service.database, run.id)
    return code


def _print_result(run: Run) -> int:
    """Print the result of a run; return the exit code."""
    done = run.state == RunState.DONE
    whole = done and not run.figures.get("unknown_chats")
    if done:
        print_marked(Mark.GOOD if whole else Mark.UNSURE, run.message or "Готово.")
    else:
        print(f"{PROGRAM}: {run.message or 'не выполнено.'}", file=sys.stderr)
    figures = [
        f"{words}: {run.figures[name]}"
        for name, words in _FIGURES.items()
        if run.figures.get(name) is not None
    ]
    if figures:
        print_line(f"  {', '.join(figures)}", style="dim")
    return ExitCode.DONE if whole else ExitCode.FAILED


@contextmanager
def _announcing_stop() -> Iterator[None]:
    try:
        yield
    except asyncio.CancelledError:
        print_line("Останавливаюсь: дождусь оплаченных ответов модели, если они уже в пути.")
        raise


async def _describe_remaining(database: Database, run_id: int) -> None:
    """Print what happens to the run after Ctrl-C.

    The worker has given it back, unless another process executes it.
    """
    run = await require_run(database, run_id)
    match run.state:
        case RunState.QUEUED:
            print_line(
                f"Запуск {run_id} остался в очереди: его выполнит служба (serve), когда дойдёт до"
                " него."
            )
        case RunState.RUNNING:
            print_line(f"Запуск {run_id} выполняет другой процесс, он продолжается.")
        case _:
            print_line(run.message or f"Запуск {run_id} окончен.")
