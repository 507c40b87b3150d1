"""How many files the process may have open, and what of them connections of strangers may take: the
rest is for its own traffic.
"""

import asyncio
import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from app.cli.seldom import SeldomWarning

MOST_CONNECTIONS = 1_000
_OWN_FILES = 512
"""Kept back for Postgres, Avito, DeepSeek, the mail server and worker processes, and for what is
accepted before it is counted.
"""
_FEWEST_CONNECTIONS = 50
_ENOUGH_FILES = 65_536  # where the system names no upper limit
_NO_FILE_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def raise_file_limit() -> None:
    """Raises the soft limit to the hard one: many systems start a service with 1,024 files and
    allow it a thousand times as many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections(wanted: int = MOST_CONNECTIONS) -> int:
    """How many connections may be open to the service at a time: the ``wanted`` number, or fewer if
    the file limit is low.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(_FEWEST_CONNECTIONS, soft - _OWN_FILES))


@contextmanager
def seldom_told_of_missing_files() -> Iterator[None]:
    """The event loop's reports that it could accept no connection become a warning a minute: it
    makes thousands a second.
    """
    loop, warn = asyncio.get_running_loop(), SeldomWarning("rest.out_of_files")
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _NO_FILE_LEFT:
            warn()
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
