"""``serve``: run the service until a signal stops it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing

import structlog

from app.adapters import read_listed_texts
from app.cli.console import print_line
from app.cli.listening import base_url, check_data_dir, describe_start, listen
from app.cli.process import run_with_guards
from app.cli.rest_server import serve_rest
from app.cli.watchdog import run_watchdog
from app.clients.proxies import list_unreadable_exemptions
from app.config import Settings
from app.log import configure_logging
from app.service import open_service, working

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> int:
    """Run the service until it is cancelled.

    Raises:
        AppError: it cannot start; one line that names the setting.
    """
    with closing(listen(settings.host, settings.port, "PORT={port} python -m app serve")) as port:
        check_data_dir(settings)
        await serve_on(
            port,
            settings,
            show_ready=lambda: print_line(describe_start(settings)),
            wait_for_end=asyncio.Event().wait,
        )
    return 0


async def serve_on(
    listener: socket.socket,
    settings: Settings,
    *,
    show_ready: Callable[[], None],
    wait_for_end: Callable[[], Awaitable[object]],
) -> None:
    """Run the service on an open port until ``wait_for_end`` returns.

    Raises:
        AppError: it cannot start, or a part of it has stalled.
    """
    configure_logging(settings.log_level, settings.log_format)
    if ignored := list_unreadable_exemptions():
        log.warning("proxy.exemptions_ignored", variable="NO_PROXY", entries=ignored)
    if unused := read_listed_texts(settings).without_words:
        log.warning("authors.listed_texts_ignored", setting="AUTOREPLY_TEXTS_FILE", texts=unused)
    async with (
        open_service(settings, patience_seconds=None) as service,
        working(service) as worker,
        serve_rest(service, listener, worker) as server,
        run_watchdog(service.heartbeats, service.may_exit) as watchdog,
    ):
        log.info("serve.listening", address=base_url(settings))
        show_ready()
        await run_with_guards(_wait(wait_for_end), worker, server, watchdog)


async def _wait(wait_for_end: Callable[[], Awaitable[object]]) -> None:
    await wait_for_end()
