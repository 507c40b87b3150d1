"""The command line: ``python -m app COMMAND``, or ``avito-quality COMMAND``.

Exit codes:
- 0: done.
- 1: the work failed in part or as a whole.
- 2: wrong usage or setting.
- 3: the database cannot be reached.
- 4: the service stalled or did not end in time.
- 130: interrupted.
"""

# ruff: noqa: PLC0415 - a command imports its modules when it is called: the help starts fast, and
# the image does not contain the demo's packages

import gc
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Annotated

import typer

from app.cli import database_commands
from app.cli.agreement_commands import agreement
from app.cli.console import print_line
from app.cli.process import PROGRAM, ExitCode, read_settings, run, run_guarded
from app.cli.usage import Command, Group, parse_day
from app.cli.webhook_commands import webhook

_ABOUT = """\
Контроль качества чатов Авито: копирует чаты, оценивает их через DeepSeek, рассылает отчёты.

Настройки — переменные окружения или файл .env, все они описаны в .env.example."""
_EXIT_CODES = (
    "Код завершения: 0 — сделано; 1 — не удалось целиком или частью (аккаунт, получатель, модель,"
    " doctor нашёл ошибку); 2 — команда или настройка неверна; 3 — база недоступна; 4 — служба"
    " зависла; 130 — прервано."
)

app = typer.Typer(
    cls=Group, help=_ABOUT, epilog=_EXIT_CODES, add_completion=False, pretty_exceptions_enable=False
)


def add_command(name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return app.command(name, cls=Command)


@add_command("serve")
def serve() -> int:
    """Запустить службу: REST, расписание, ежедневный отчёт. Сначала обновляет схему базы."""
    settings = read_settings()
    settings.require("api", "avito", "deepseek", "mail")
    if settings.web_concurrency > 1:
        from app.cli.supervisor import serve_processes

        return run(serve_processes(settings), stopped=ExitCode.DONE)
    from app.cli import serving

    return run(serving.serve(settings), stopped=ExitCode.DONE)


@add_command("demo")
def demo(
    once: Annotated[
        bool,
        typer.Option("--once", metavar="", help="Закончить после таблицы, не оставляя службу."),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, metavar="ПОРТ", help="Порт службы; без него — PORT или 8000."
        ),
    ] = None,
) -> int:
    """Показать весь день на примерах: без ключей, без настройки, без интернета."""
    begun_at = time.monotonic()
    print_line(
        "День компании, которая продаёт на Авито: примеры переписки, местные Авито, DeepSeek и"
        " почта, без ключей и интернета."
    )
    from app.cli.demo import run_demo

    return run(run_demo(once=once, port=port, begun_at=begun_at), stopped=ExitCode.DONE)


@add_command("sync")
def sync(
    full: Annotated[
        bool,
        typer.Option("--full", metavar="", help="Перечитать все чаты, а не только изменившиеся."),
    ] = False,
) -> int:
    """Скопировать из Авито новое."""
    settings = read_settings()
    from app.cli import actions

    return run(actions.sync(settings, full=full))


@add_command("analyze")
def analyze(
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="ЧИСЛО", help="Не больше стольких чатов, дольше всех ждущие первыми."
        ),
    ] = None,
    chat: Annotated[
        list[str] | None,
        typer.Option(metavar="ЧАТ", help="Только этот чат (идентификатор Авито); можно повторять."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            metavar="",
            help=(
                "Ещё раз ошибочные и пропущенные; с --chat — названные, даже если они не"
                " изменились или разговор в них ещё идёт."
            ),
        ),
    ] = False,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            metavar="",
            help="Только сказать, сколько чатов, токенов и денег на это уйдёт.",
        ),
    ] = False,
) -> int:
    """Оценить через DeepSeek чаты, в которых писали после прошлой оценки."""
    settings = read_settings()
    if estimate:
        from app.cli.estimates import estimate_analyze

        return run(estimate_analyze(settings, limit=limit, chat_ids=chat or [], force=force))
    from app.cli import actions

    return run(actions.analyze(settings, limit=limit, chat_ids=chat or [], force=force))


@add_command("regrade")
def regrade(
    since: Annotated[
        date, typer.Option(parser=parse_day, metavar="ГГГГ-ММ-ДД", help="Отчёты с этого дня.")
    ],
    until: Annotated[
        date | None,
        typer.Option(
            parser=parse_day,
            metavar="ГГГГ-ММ-ДД",
            help="По этот день включительно; без него — по сегодня.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="ЧИСЛО", help="Не больше стольких отчётов, новые первыми."),
    ] = None,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            metavar="",
            help="Только сказать, сколько отчётов, токенов и денег на это уйдёт.",
        ),
    ] = False,
) -> int:
    """Оценить отчёты за период заново нынешними моделью и рубрикой и показать, что изменилось.
    Прежние отчёты остаются.
    """
    settings = read_settings()
    if estimate:
        from app.cli.estimates import estimate_regrade

        return run(estimate_regrade(settings, since=since, until=until, limit=limit))
    from app.cli import actions

    return run(actions.regrade(settings, since=since, until=until, limit=limit))


@add_command("report")
def report(
    day: Annotated[
        date | None,
        typer.Option(
            "--date",
            parser=parse_day,
            metavar="ГГГГ-ММ-ДД",
            help="За какой день; без него — за сегодня.",
        ),
    ] = None,
    resend: Annotated[
        bool,
        typer.Option(
            "--resend", metavar="", help="Отправить отчёты этого дня ещё раз, новым письмом."
        ),
    ] = False,
) -> int:
    """Отправить письмом отчёты, которых ещё не было ни в одном письме."""
    settings = read_settings()
    from app.cli import actions

    return run(actions.report(settings, day=day, resend=resend))


@add_command("audit")
def audit(
    report_id: Annotated[
        int,
        typer.Argument(min=1, metavar="НОМЕР", help="Номер отчёта: id из GET /reports."),
    ],
) -> int:
    """Показать в JSON запросы к модели, её ответы и собранный заново вердикт отчёта. Код 1 — что-то
    отличается от сохранённого.
    """
    settings = read_settings()
    from app.cli.audit import audit

    return run(audit(settings, report_id))


@add_command("doctor")
def doctor() -> int:
    """Проверить каждую настройку, базу, Авито, DeepSeek и почту и сказать, что исправить."""
    from app.cli.doctor import run_doctor

    return run(run_doctor())


add_command("migrate")(database_commands.migrate)
add_command("backup")(database_commands.backup)
add_command("restore")(database_commands.restore)


@add_command("sandbox")
def sandbox(
    host: Annotated[
        str, typer.Option(metavar="АДРЕС", help="На каком адресе слушать; без него — 127.0.0.1.")
    ] = "127.0.0.1",
    avito_port: Annotated[
        int, typer.Option(min=1, max=65535, metavar="ПОРТ", help="Порт Авито; без него — 8101.")
    ] = 8101,
    deepseek_port: Annotated[
        int, typer.Option(min=1, max=65535, metavar="ПОРТ", help="Порт DeepSeek; без него — 8102.")
    ] = 8102,
    smtp_port: Annotated[
        int,
        typer.Option(
            min=1, max=65535, metavar="ПОРТ", help="Порт почтового сервера; без него — 8103."
        ),
    ] = 8103,
) -> int:
    """Запустить местные Авито, DeepSeek и почтовый сервер и показать настройки для них."""
    settings = read_settings()
    from app.cli.sandbox import run_sandbox

    work = run_sandbox(
        settings, host=host, avito_port=avito_port, deepseek_port=deepseek_port, smtp_port=smtp_port
    )
    return run(work, stopped=ExitCode.DONE)


app.add_typer(webhook, name="webhook")
app.add_typer(agreement, name="agreement")


def main() -> None:
    """Run the command line and exit with its exit code."""
    # Garbage collection takes a quarter of the import time and finds nothing. ``run`` enables it.
    gc.disable()
    arguments = sys.argv[1:] or ["--help"]
    sys.exit(
        run_guarded(
            lambda: int(app(arguments, prog_name=PROGRAM, standalone_mode=False) or ExitCode.DONE)
        )
    )


if __name__ == "__main__":
    main()
