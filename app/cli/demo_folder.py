"""The demo's folder: emptied at each start, and only if it is surely the demo's own and nobody is
using it.
"""

import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.errors import SettingsError

_MARK = ".avito-quality-demo"
"""Says whose folder it is. Whoever uses it holds a lock on this file, so it is the one thing that
is never deleted.
"""
_STOP_SECONDS = 60


@asynccontextmanager
async def emptied(folder: Path) -> AsyncIterator[Path]:
    """The folder, empty, and nobody else's while the context lasts; a Postgres that a killed demo
    left in it is stopped first.

    Raises:
        SettingsError: it is a link, another demo is using it, it holds what no demo has put there,
          or it cannot be written.
    """
    try:
        folder, lock = _claim(folder)
    except OSError as error:
        raise SettingsError(
            f"DATA_DIR: папку {folder} не подготовить ({error.strerror}); укажите другую."
        ) from None
    try:
        await _stop_postgres(folder / "postgres")
        _empty(folder)
        yield folder
    finally:
        os.close(lock)


def _claim(folder: Path) -> tuple[Path, int]:
    """The folder, which is made where there is none, by its full name, and a lock on it."""
    if folder.is_symlink():
        raise SettingsError(
            f"DATA_DIR: {folder} — ссылка, а демо очищает эту папку; уберите ссылку или укажите"
            " другую DATA_DIR."
        )
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / _MARK
    if not mark.is_file() and any(folder.iterdir()):
        raise SettingsError(
            f"DATA_DIR: {folder} — не папка демо, а его папка очищается; уберите её или укажите"
            " другую DATA_DIR."
        )
    lock = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SettingsError(
            f"DATA_DIR: в {folder} уже работает другое демо; остановите его или укажите другую"
            " DATA_DIR."
        ) from None
    return folder.resolve(), lock


async def _stop_postgres(cluster: Path) -> None:
    from app.database import postmaster  # noqa: PLC0415 - psutil comes with the demo's packages

    await postmaster.stop(cluster, _STOP_SECONDS)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _MARK:
            path.unlink()
