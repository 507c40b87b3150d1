"""The demo's folder, emptied at each start.

It is emptied only if the demo created it and no other demo uses it.
"""

import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.errors import SettingsError

_MARK_FILE = ".avito-quality-demo"
"""Marks a folder that the demo created.

The demo that uses the folder holds a lock on this file, so the file is never deleted.
"""
_STOP_SECONDS = 60


@asynccontextmanager
async def open_empty_folder(folder: Path) -> AsyncIterator[Path]:
    """Lock the folder, empty it and yield its path.

    A Postgres that a killed demo left running in it is stopped first.

    Raises:
        SettingsError: the folder is a link, another demo uses it, it contains files that are not
            the demo's, or it is not writable.
    """
    try:
        folder, lock = _lock_folder(folder)
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


def _lock_folder(folder: Path) -> tuple[Path, int]:
    """Create the folder if it is missing; return its absolute path and its lock's descriptor."""
    if folder.is_symlink():
        raise SettingsError(
            f"DATA_DIR: {folder} — ссылка, а демо очищает эту папку; уберите ссылку или укажите"
            " другую DATA_DIR."
        )
    folder.mkdir(parents=True, exist_ok=True)
    mark_file = folder / _MARK_FILE
    if not mark_file.is_file() and any(folder.iterdir()):
        raise SettingsError(
            f"DATA_DIR: {folder} — не папка демо, а его папка очищается; уберите её или укажите"
            " другую DATA_DIR."
        )
    lock = os.open(mark_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
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
        elif path.name != _MARK_FILE:
            path.unlink()
