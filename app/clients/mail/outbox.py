"""Delivery without a mail server: one ``.eml`` file per mail, readable by any mail program."""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

from app.clients.mail.errors import MailAccessError
from app.clients.mail.fence import Fence

T = TypeVar("T")

_UNSAFE = re.compile(r"[^\w.@+-]+")


class OutboxFolder:
    """A folder of ``.eml`` files, readable by the owner only.

    Sending the same mail again writes the same file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, mime: bytes, *, sender: str, recipient: str, fence: Fence) -> str:
        """Write the mail unchanged and return the file's name; ``sender`` is not used.

        If ``fence`` raises, nothing is written.

        Raises:
            MailAccessError: the folder is not writable.
        """
        name = _build_file_name(mime, recipient)
        await fence.before_data()
        fence.before_dot()
        await self._run_in_thread(lambda: self._write_file(name, mime))
        return f"файл {name}"

    async def check(self) -> str:
        """Check that the folder is writable, and return its path. Raises as ``send``."""
        await self._run_in_thread(self._check_folder)
        return f"папка {self._path}"

    async def _run_in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            message = (
                f"Письмо не записать в папку {self._path} ({error.strerror}): проверьте DATA_DIR и"
                " место на диске."
            )
            raise MailAccessError(message) from error

    def _write_file(self, name: str, mime: bytes) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._path, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(mime)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self._path / name)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise

    def _check_folder(self) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._path):
            pass


def _build_file_name(mime: bytes, recipient: str) -> str:
    """Build a file name from the mail's date, its recipient and a hash of its Message-ID.

    Names sort by time. The same mail always has the same name.
    """
    headers = BytesHeaderParser().parsebytes(mime)
    try:
        date = parsedate_to_datetime(str(headers["Date"])).strftime("%Y-%m-%d_%H-%M-%S_")
    except ValueError:
        date = ""
    identity = hashlib.sha256(
        str(headers["Message-ID"]).encode() if headers["Message-ID"] else mime
    ).hexdigest()[:12]
    return f"{date}{_UNSAFE.sub('_', recipient)[:80]}_{identity}.eml"
