"""One of several processes of ``serve``: ``python -m app.cli.supervised NUMBER PORT LINK``.

PORT and LINK are inherited file descriptors: the listening socket, and a socket to the supervisor.
"""

import asyncio
import socket
import sys

import structlog

from app.cli.process import ExitCode, read_settings, run, run_guarded
from app.cli.serving import serve_on

_READY = b"1"


async def serve_supervised(listener: socket.socket, link: socket.socket) -> int:
    """Run the service on the listening socket until this process or the supervisor is stopped."""
    settings = read_settings()
    settings.require("api", "avito", "deepseek", "mail")
    link.setblocking(False)
    loop = asyncio.get_running_loop()

    def report_ready() -> None:
        link.send(_READY)

    await serve_on(
        listener,
        settings,
        show_ready=report_ready,
        wait_for_end=lambda: loop.sock_recv(link, 1),  # nothing: the supervisor is gone
    )
    return ExitCode.DONE


def main(arguments: list[str]) -> int:
    """Run the service with the inherited descriptors; return the exit code."""
    number, *descriptors = map(int, arguments)
    structlog.contextvars.bind_contextvars(process=number)
    listener, link = (socket.socket(fileno=descriptor) for descriptor in descriptors)
    return run_guarded(lambda: run(serve_supervised(listener, link), stopped=ExitCode.DONE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
