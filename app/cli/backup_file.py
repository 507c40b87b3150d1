"""The file of a backup: it is replaced only by a complete one."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.errors import SettingsError


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that becomes ``path`` when the block ends without an error.

    It is written beside ``path`` as ``path.part``, with mode 0600, and flushed to disk before it is
    renamed. The part of a killed process is written over by the next one. A link is followed.

    Raises:
        SettingsError: the file cannot be written there, or another process is writing it.
    """
    target = path.resolve()
    part = target.with_name(f"{target.name}.part")
    try:
        with _open_locked(path, part) as file:
            try:
                file.truncate(0)
                yield file
                os.fsync(file.fileno())
                part.replace(target)
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise
        _flush_folder(target.parent)
    except OSError as error:
        raise SettingsError(f"{path}: в этот файл не записать ({error.strerror}).") from error


def _open_locked(path: Path, part: Path) -> BinaryIO:
    """Open the part and lock it. ``pg_dump`` inherits the lock and keeps it until it ends."""
    if path.exists() and not path.is_file():
        raise SettingsError(f"{path}: это папка или устройство; укажите имя файла.")
    while True:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise SettingsError(
                f"{path}: в этот файл уже пишет другая команда backup; дождитесь её."
            ) from None
        if _is_same(part, descriptor):
            return file
        file.close()  # another process has renamed or removed it since


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
