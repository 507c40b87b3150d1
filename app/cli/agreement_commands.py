"""The commands ``agreement export`` and ``agreement report``, with their parameters."""

# ruff: noqa: PLC0415 - see app.__main__

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli.process import read_settings, run
from app.cli.usage import Command, Group, parse_day

agreement = typer.Typer(
    cls=Group,
    help=(
        "Согласие с людьми: лист для оценки вручную, вслепую, и сравнение заполненных листов с"
        " моделью."
    ),
)


@agreement.command("export", cls=Command)
def export_agreement(
    file: Annotated[
        Path,
        typer.Argument(metavar="ФАЙЛ", help="Куда записать: новый файл .xlsx.", show_default=False),
    ],
    since: Annotated[
        date | None,
        typer.Option(
            parser=parse_day,
            metavar="ГГГГ-ММ-ДД",
            help="Отчёты, созданные с этого дня; без него — все.",
        ),
    ] = None,
    until: Annotated[
        date | None,
        typer.Option(parser=parse_day, metavar="ГГГГ-ММ-ДД", help="По этот день включительно."),
    ] = None,
    size: Annotated[
        int,
        typer.Option(
            min=1,
            max=1000,
            metavar="ЧИСЛО",
            help="Сколько чатов; без него — 100.",
            show_default=False,
        ),
    ] = 100,
    seed: Annotated[
        int,
        typer.Option(
            metavar="ЧИСЛО", help="С тем же числом выборка та же; без него — 1.", show_default=False
        ),
    ] = 1,
) -> int:
    """Записать лист чатов для оценки вручную: с перепиской и критериями, без оценок модели."""
    settings = read_settings()
    from app.cli.agreement import export

    return run(export(settings, file, since=since, until=until, size=size, seed=seed))


@agreement.command(
    "report",
    cls=Command,
    help=(
        "Показать, насколько люди согласны друг с другом и с моделью: каппа, AC2, таблицы,"
        " интервалы."
    ),
)
def report_agreement(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="ФАЙЛ", help="Заполненные листы, .xlsx или .csv.", show_default=False
        ),
    ],
    with_reviews: Annotated[
        bool,
        typer.Option(
            "--with-reviews",
            metavar="",
            help="Сравнить с моделью и проверки в службе; они не вслепую.",
        ),
    ] = False,
) -> int:
    settings = read_settings()
    from app.cli.agreement import report

    return run(report(settings, files, with_reviews=with_reviews))
