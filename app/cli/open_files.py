"""Limit of open files, and the share of it that client connections may use.

The rest is reserved for the service's own connections and files.
"""

import asyncio
import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from app.cli.rate_limited_logs import SeldomWarning

MAX_CONNECTIONS = 1_000
_RESERVED_FILES = 512
"""Reserved for Postgres, Avito, DeepSeek, mail, worker processes and uncounted connections."""
_MIN_CONNECTIONS = 50
_DEFAULT_FILES = 65_536  # where the system names no upper limit
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def raise_file_limit() -> None:
    """Raise the soft limit of open files to the hard limit.

    Many systems start a service with 1,024 files and allow a thousand times as many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DEFAULT_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def get_max_connections(wanted: int = MAX_CONNECTIONS) -> int:
    """Return the number of connections to accept: ``wanted``, or fewer if the file limit is low."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(_MIN_CONNECTIONS, soft - _RESERVED_FILES))


@contextmanager
def limit_missing_file_warnings() -> Iterator[None]:
    """Log at most one warning a minute while accepting fails for lack of file descriptors.

    The event loop itself would report thousands of errors a second.
    """
    loop, warn = asyncio.get_running_loop(), SeldomWarning("rest.out_of_files")
    previous = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _OUT_OF_FILES:
            warn()
        elif previous is not None:
            previous(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(previous)
