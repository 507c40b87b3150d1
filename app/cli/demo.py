"""``demo``: a whole day on examples, over real HTTP and SMTP to local far ends; then the service
stays for whoever wants to look around.
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

from app.cli.console import Mark, say, say_marked, screen
from app.cli.demo_folder import emptied
from app.cli.demo_table import LEGEND, curl_lines, grades_table, where_chats_went
from app.cli.process import ExitCode, beside, log_quietly
from app.cli.progress import watch
from app.cli.rest_server import base_url, listen, rest
from app.cli.sandbox import RECIPIENT, SENDER
from app.clock import local_date
from app.config import Settings, load_settings
from app.errors import AppError
from app.main import create_app
from app.models import Run, RunKind, RunState
from app.repositories import reports
from app.sandbox.server import Sandbox
from app.service import Service, open_service, working
from app.services.runs import submit

_KEPT = {"host", "port", "data_dir", "report_timezone", "log_level", "log_format"}
"""The settings that the demo takes from the environment; all others are its own, so that no real
account can be touched.
"""
_SECOND_RECIPIENT = "analitik@example.ru"


class DemoFailedError(AppError):
    """A step of the day did not go through."""


async def run_demo(*, once: bool, port: int | None, begun_at: float) -> int:
    """Runs the day and, unless ``once``, serves until it is cancelled. ``begun_at``: the monotonic
    clock when somebody began to wait.

    Raises:
        AppError: it cannot start, or a step failed; one line.
    """
    os.environ["no_proxy"] = (
        "*"  # the far ends are on this machine, whatever proxy the environment names
    )
    settings = _settings(**({} if port is None else {"port": port}))
    log_quietly(settings)
    with closing(listen(settings.host, settings.port, "PORT={port} make demo")) as listener:
        try:
            async with emptied(settings.data_dir / "demo") as folder:
                say("Готовлю пустую базу, запускаю местные серверы и службу…")
                await _live_through(settings, folder, listener, once=once, begun_at=begun_at)
        except asyncio.CancelledError:
            say("Демо остановлено.")
            raise
    return ExitCode.DONE


async def _live_through(
    settings: Settings, folder: Path, listener: socket.socket, *, once: bool, begun_at: float
) -> None:
    async with (
        Sandbox(mail_folder=folder / "mail") as sandbox,
        open_service(_pointed_at(sandbox, settings, folder)) as service,
        working(service) as worker,
        rest(service, listener, worker) as server,
    ):
        say_marked(
            Mark.GOOD, f"Postgres, Авито, DeepSeek, почта и служба работают; всё лежит в {folder}."
        )
        ready_at = time.monotonic()
        grading = await beside(_run_day(service), worker, server)
        seconds = time.monotonic() - ready_at
        await _show_day(service, grading, sandbox, folder / "mail")
        say(
            f"Весь день занял {seconds:.1f} с, вместе с подготовкой"
            f" {time.monotonic() - begun_at:.1f} с."
        )
        if not once:
            await _show_calls(service, grading)
            await beside(asyncio.Event().wait(), worker, server)


def _settings(**own: Any) -> Settings:
    """Settings of which ``_KEPT`` come from the environment, ``own`` win, and the rest are the
    defaults; no ``.env`` is read.
    """
    defaults = {
        name: field.default for name, field in Settings.model_fields.items() if name not in _KEPT
    }
    return load_settings(**{"_env_file": None, **defaults, **own})


def _pointed_at(sandbox: Sandbox, settings: Settings, folder: Path) -> Settings:
    return _settings(
        port=settings.port,
        data_dir=folder,
        api_keys=(secrets.token_hex(16),),
        mail_from=SENDER,
        report_recipients=(RECIPIENT, _SECOND_RECIPIENT),
        scheduler_enabled=False,  # its own day would come in between, and mail an empty report
        avito_requests_per_minute=0,
        **{name.lower(): value for name, value in sandbox.environment().items()},
    )


async def _run_day(service: Service) -> Run:
    """Sync, grading, mail, each as a run like any other; gives the grading's."""
    day = local_date(service.clock(), service.settings.report_timezone).isoformat()
    await _step(service, RunKind.SYNC, "Синхронизация", {})
    grading = await _step(service, RunKind.ANALYZE, "Анализ", {})
    await _step(service, RunKind.MAIL, "Отчёт", {"date": day})
    return grading


async def _step(service: Service, kind: RunKind, title: str, params: dict[str, Any]) -> Run:
    run_id = await submit(service.database, kind, service.clock, params=params)
    service.worker.wake()
    run = await watch(service.database, run_id, title)
    if run.state != RunState.DONE:
        raise DemoFailedError(f"{title}: {run.message}")
    say_marked(Mark.GOOD, run.message or "")
    return run


async def _show_day(service: Service, grading: Run, sandbox: Sandbox, folder: Path) -> None:
    async with service.database.session() as session:
        graded = await reports.list_by_run(session, grading.id)
        went = await where_chats_went(session, service.clock())
    say()
    screen.print(grades_table(graded))
    say()
    for line in LEGEND:
        say(line, style="dim")
    say()
    say(went, style="bold")
    say()
    for number, received in enumerate(sandbox.smtp.messages, start=1):
        say(
            f"Письмо пришло на {', '.join(received.recipients)}: {folder / f'{number:04}.eml'}",
            whole=True,
        )
    say(f"То же письмо для браузера: {_as_page(folder).as_uri()}", whole=True)


def _as_page(folder: Path) -> Path:
    """The HTML part of the first mail that arrived, as a file of its own."""
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
    day = local_date(service.clock(), settings.report_timezone).isoformat()
    async with service.database.session() as session:
        worst = next(iter(await reports.list_by_run(session, grading.id)))
    samples = {
        "start_date": day,
        "end_date": day,
        "date": day,
        "day": day,
        "run_id": grading.id,
        "report_id": worst.id,
        "chat_id": worst.body["chat_id"],
    }
    address = base_url(settings)
    key = settings.api_keys[0].get_secret_value()
    say()
    say(
        f"Служба осталась работать: {address}, ключ {key} (новый при каждом запуске).", style="bold"
    )
    say(
        f"Страница для людей: {address}/ — введите на ней этот ключ. Описание REST: {address}/docs."
    )
    say("Расписание в демо выключено: дальше всё делается только по вызову, например:")
    for summary, line in curl_lines(create_app(service.settings).openapi(), address, key, samples):
        say(f"# {summary}", style="dim")
        say(line, whole=True)
    say()
    say("Остановить: Ctrl-C.")
