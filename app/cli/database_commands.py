"""The commands ``migrate``, ``backup`` and ``restore``."""

# ruff: noqa: PLC0415 - see app.__main__

from pathlib import Path
from typing import Annotated

import typer

from app.cli.process import read_settings, run

File = Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="Файл копии.")]


def migrate() -> int:
    """Обновить схему базы. Службе это не нужно: она обновляет её при запуске сама."""
    settings = read_settings()
    from app.cli.schema import migrate_schema

    return run(migrate_schema(settings))


def backup(file: File) -> int:
    """Сохранить всю базу в файл. Служба может при этом работать."""
    settings = read_settings()
    from app.cli.backup import backup

    return run(backup(settings, file))


def restore(file: File) -> int:
    """Восстановить базу из файла команды backup. База должна быть пустой, а служба остановлена."""
    settings = read_settings()
    from app.cli.backup import restore

    return run(restore(settings, file))
