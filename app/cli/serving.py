"""``serve``: run the service until a signal stops it."""

import asyncio
import tempfile
from contextlib import closing

import structlog

from app.cli.console import print_line
from app.cli.process import run_with_guards
from app.cli.rest_server import base_url, listen, serve_rest
from app.cli.watchdog import run_watchdog
from app.clients.proxies import list_unreadable_exemptions
from app.config import Settings
from app.errors import SettingsError
from app.log import configure_logging
from app.service import open_service, working

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> int:
    """Runs the service until it is cancelled.

    Raises:
        AppError: it cannot start; one line that names the setting.
    """
    configure_logging(settings.log_level, settings.log_format)
    if ignored := list_unreadable_exemptions():
        log.warning("proxy.exemptions_ignored", variable="NO_PROXY", entries=ignored)
    with closing(
        listen(settings.host, settings.port, "PORT={port} python -m app serve")
    ) as listener:
        check_data_dir(settings)
        async with (
            open_service(settings, patience_seconds=None) as service,
            working(service) as worker,
            serve_rest(service, listener, worker) as server,
            run_watchdog(service.heartbeats, service.may_exit) as watchdog,
        ):
            address = base_url(settings)
            log.info("serve.listening", address=address)
            print_line(
                f"Служба работает: {address} (страница — {address}/, описание REST —"
                f" {address}/docs). Остановить: Ctrl-C."
            )
            await run_with_guards(asyncio.Event().wait(), worker, server, watchdog)
    return 0


def check_data_dir(settings: Settings) -> None:
    """Where something is to be kept in DATA_DIR, whether it can be.

    Raises:
        SettingsError: it cannot.
    """
    if settings.database_url is not None and settings.smtp_host is not None:
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        raise SettingsError(
            f"DATA_DIR: в папку {settings.data_dir} не записать ({error.strerror}); укажите другую."
        ) from None
