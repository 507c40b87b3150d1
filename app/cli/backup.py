"""``backup`` and ``restore``: the whole state of the service in one file."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

from app.adapters import open_database, open_direct_database
from app.cli.backup_file import replace_file
from app.cli.byte_progress import format_size, show_bytes
from app.cli.console import Mark, print_marked
from app.cli.process import ExitCode
from app.config import Settings
from app.database.dump import DumpFile, dump_schema, read_dump, read_state
from app.database.engine import Database
from app.database.migrate import SchemaTooNewError, get_current_revision, is_known
from app.database.restore import restore_schema
from app.errors import SettingsError


async def backup(settings: Settings, path: Path) -> int:
    """Write the database to a file; the file of an earlier backup is replaced at the end."""
    async with _open_database(settings) as database:
        revision = await get_current_revision(database)
        if revision is None:
            raise SettingsError(
                "В базе ещё нет таблиц службы, сохранять нечего; служба создаст их при запуске."
            )
        with replace_file(path) as file:
            descriptor = file.fileno()
            async with show_bytes("Копирую базу", lambda: os.fstat(descriptor).st_size):
                await dump_schema(database, file)
            size = os.fstat(descriptor).st_size
    print_marked(Mark.GOOD, f"Копия готова: {path}, {format_size(size)}, схема {revision}.")
    return ExitCode.DONE


async def restore(settings: Settings, path: Path) -> int:
    """Load a backup into the empty database of the settings."""
    with _open_backup(path) as file:
        dump = await read_dump(path)
        if not is_known(dump.revision):
            raise SchemaTooNewError(
                f"{path}: копию сделала более новая версия программы (схема {dump.revision});"
                " обновите и эту."
            )
        async with _open_database(settings) as database:
            await _require_empty(settings, database)
            await _load(database, dump, file)
    print_marked(
        Mark.GOOD, f"База восстановлена из {path} (схема {dump.revision}); запустите службу."
    )
    return ExitCode.DONE


@asynccontextmanager
async def _open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database without its pooler: ``pg_dump`` and ``psql`` need a session.

    They change settings of the session. Through a pooler these would stay in a connection that the
    service uses later.

    Raises:
        SettingsError: the address leads to a pooler.
    """
    async with (
        open_database(settings, migrated=False) as database,
        open_direct_database(settings) as direct,
    ):
        chosen = direct or database
        if await chosen.is_pooled():
            name = "DATABASE_URL" if direct is None else "DATABASE_DIRECT_URL"
            raise SettingsError(
                f"{name} ведёт к pgbouncer, а backup и restore нужен сам Postgres: укажите его"
                " адрес в DATABASE_DIRECT_URL."
            )
        yield chosen


@contextmanager
def _open_backup(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SettingsError(f"{path}: файл не читается ({error.strerror}).") from None
    with file:
        yield file


async def _require_empty(settings: Settings, database: Database) -> None:
    """Check that the schema in which the service creates its tables has none.

    Raises:
        SettingsError: it has some, or there is no such schema.
    """
    state = await read_state(database)
    if state.schema is None:
        raise SettingsError(
            f"В базе {state.name} нет схемы, в которой служба могла бы создать таблицы: создайте её"
            " и укажите в search_path пользователя."
        )
    if not state.tables:
        return
    if settings.database_url is None:
        folder = settings.data_dir / "postgres"
        advice = f"остановите службу и переименуйте папку {folder}"
    else:
        advice = "создайте новую базу и укажите её в DATABASE_URL"
    raise SettingsError(
        f"restore пишет только в пустую базу, а в этой есть таблицы ({len(state.tables)}):"
        f" {advice}."
    )


async def _load(database: Database, dump: DumpFile, file: BinaryIO) -> None:
    # pg_restore shares the position of the file.
    descriptor = file.fileno()
    total = os.fstat(descriptor).st_size

    def measure() -> int:
        return os.lseek(descriptor, 0, os.SEEK_CUR)

    async with show_bytes("Восстанавливаю базу", measure, total):
        await restore_schema(database, dump, file)
