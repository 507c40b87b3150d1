"""``demo``: run a whole day on example chats, then keep the service running.

The day uses real HTTP and SMTP to local servers of Avito, DeepSeek and mail.
"""

import asyncio
import email
import email.policy
import os
import secrets
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from app.cli.console import Mark, print_line, print_marked, screen
from app.cli.demo_folder import open_empty_folder
from app.cli.demo_table import LEGEND, make_curl_lines, make_grades_table, summarize_outcomes
from app.cli.listening import base_url, listen
from app.cli.process import ExitCode, log_quietly, run_with_guards
from app.cli.progress import watch
from app.cli.rest_server import serve_rest
from app.cli.sandbox import RECIPIENT, SENDER
from app.clock import local_date
from app.config import Settings, load_settings
from app.errors import AppError
from app.main import create_app
from app.models import Run, RunState
from app.repositories import reports
from app.sandbox.server import Sandbox
from app.service import Service, open_service, working
from app.services.labels import read_sample
from app.services.run_params import AnalyzeParams, MailParams, RunParams, SyncParams
from app.services.runs import submit

_ENVIRONMENT_SETTINGS = {"host", "port", "data_dir", "report_timezone", "log_level", "log_format"}
"""The settings that the demo reads from the environment.

It sets all others itself, so it cannot access a real account.
"""
_SECOND_RECIPIENT = "analitik@example.ru"


class DemoFailedError(AppError):
    """A step of the demo's day failed."""


async def run_demo(*, once: bool, port: int | None, begun_at: float) -> int:
    """Run the day and, unless ``once``, serve until cancelled.

    ``begun_at`` is the monotonic time at which the command started.

    Raises:
        AppError: the demo cannot start, or a step failed; one line.
    """
    # The servers are on this machine: a proxy of the environment does not apply.
    os.environ["no_proxy"] = "*"
    settings = _load_demo_settings(**({} if port is None else {"port": port}))
    log_quietly(settings)
    with closing(listen(settings.host, settings.port, "PORT={port} make demo")) as listener:
        try:
            async with open_empty_folder(settings.data_dir / "demo") as folder:
                print_line("Готовлю пустую базу, запускаю местные серверы и службу…")
                await _run_and_show_day(settings, folder, listener, once=once, begun_at=begun_at)
        except asyncio.CancelledError:
            print_line("Демо остановлено.")
            raise
    return ExitCode.DONE


async def _run_and_show_day(
    settings: Settings, folder: Path, listener: socket.socket, *, once: bool, begun_at: float
) -> None:
    async with (
        Sandbox(mail_folder=folder / "mail") as sandbox,
        open_service(_make_sandbox_settings(sandbox, settings, folder)) as service,
        working(service) as worker,
        serve_rest(service, listener, worker) as server,
    ):
        print_marked(
            Mark.GOOD, f"Postgres, Авито, DeepSeek, почта и служба работают; всё лежит в {folder}."
        )
        ready_at = time.monotonic()
        grading = await run_with_guards(_run_day(service), worker, server)
        seconds = time.monotonic() - ready_at
        await _show_day(service, grading, sandbox, folder / "mail")
        print_line(
            f"Весь день занял {seconds:.1f} с, вместе с подготовкой"
            f" {time.monotonic() - begun_at:.1f} с."
        )
        if not once:
            await _show_calls(service, grading)
            await run_with_guards(asyncio.Event().wait(), worker, server)


def _load_demo_settings(**overrides: Any) -> Settings:
    """Return the defaults with the ``_ENVIRONMENT_SETTINGS`` of the environment and ``overrides``.

    ``overrides`` take precedence. No ``.env`` file is read.
    """
    defaults = {
        name: field.default
        for name, field in Settings.model_fields.items()
        if name not in _ENVIRONMENT_SETTINGS
    }
    return load_settings(**{"_env_file": None, **defaults, **overrides})


def _make_sandbox_settings(sandbox: Sandbox, settings: Settings, folder: Path) -> Settings:
    return _load_demo_settings(
        port=settings.port,
        data_dir=folder,
        api_keys=(secrets.token_hex(16),),
        mail_from=SENDER,
        report_recipients=(RECIPIENT, _SECOND_RECIPIENT),
        scheduler_enabled=False,  # a scheduled daily run would mail an empty report
        settle_minutes=0,  # at night no chat would settle
        avito_requests_per_minute=0,
        **{name.lower(): value for name, value in sandbox.environment().items()},
    )


async def _run_day(service: Service) -> Run:
    """Run sync, grading and mail as regular runs; return the grading run."""
    day = local_date(service.clock(), service.settings.report_timezone)
    await _run_step(service, "Синхронизация", SyncParams())
    grading = await _run_step(service, "Анализ", AnalyzeParams())
    await _run_step(service, "Отчёт", MailParams(day=day))
    return grading


async def _run_step(service: Service, title: str, params: RunParams) -> Run:
    run_id = await submit(service.database, params, service.clock)
    service.worker.wake()
    run = await watch(service.database, run_id, title)
    if run.state != RunState.DONE:
        raise DemoFailedError(f"{title}: {run.message}")
    print_marked(Mark.GOOD, run.message or "")
    return run


async def _show_day(service: Service, grading: Run, sandbox: Sandbox, folder: Path) -> None:
    async with service.database.session() as session:
        graded = await reports.list_by_run(session, grading.id)
        outcomes = await summarize_outcomes(session, service.clock())
    print_line()
    screen.print(make_grades_table(graded))
    print_line()
    for line in LEGEND:
        print_line(line, style="dim")
    print_line()
    print_line(outcomes, style="bold")
    print_line()
    for number, received in enumerate(sandbox.smtp.messages, start=1):
        print_line(
            f"Письмо пришло на {', '.join(received.recipients)}: {folder / f'{number:04}.eml'}",
            no_wrap=True,
        )
    print_line(f"То же письмо для браузера: {_save_html_part(folder).as_uri()}", no_wrap=True)


def _save_html_part(folder: Path) -> Path:
    """Save the HTML part of the first mail as a file and return its path."""
    received = next(iter(sorted(folder.glob("*.eml"))))
    part = email.message_from_bytes(received.read_bytes(), policy=email.policy.default).get_body(
        ("html",)
    )
    if part is None:
        raise DemoFailedError(f"В письме {received} нет HTML.")
    page = received.with_suffix(".html")
    page.write_text(part.get_content(), encoding="utf-8")
    return page


async def _show_calls(service: Service, grading: Run) -> None:
    settings = service.settings
    today = local_date(service.clock(), settings.report_timezone)
    sample = await read_sample(service.database, today, settings.report_timezone)
    sampled = {report.report_id for report, _ in sample.chats}
    async with service.database.session() as session:
        graded = await reports.list_by_run(session, grading.id)
    worst = next(report for report in graded if report.id in sampled)
    samples = {
        **dict.fromkeys(("start_date", "end_date", "date", "day"), today.isoformat()),
        "run_id": grading.id,
        "report_id": worst.id,
        "chat_id": worst.body["chat_id"],
    }
    address = base_url(settings)
    key = settings.api_keys[0].get_secret_value()
    print_line()
    print_line(
        f"Служба осталась работать: {address}, ключ {key} (новый при каждом запуске).", style="bold"
    )
    print_line(
        f"Страница для людей: {address}/ — введите на ней этот ключ. Описание REST: {address}/docs."
    )
    print_line("Расписание в демо выключено: дальше всё делается только по вызову, например:")
    for summary, line in make_curl_lines(
        create_app(service.settings).openapi(), address, key, samples
    ):
        print_line(f"# {summary}", style="dim")
        print_line(line, no_wrap=True)
    print_line()
    print_line("Остановить: Ctrl-C.")
