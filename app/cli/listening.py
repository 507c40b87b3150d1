"""The port and the folder of the service. Both are checked before the service is opened."""

import errno
import socket
import tempfile
from contextlib import suppress
from typing import Any

from app.config import Settings
from app.errors import SettingsError

BACKLOG = 2048
"""Connections that wait in the kernel."""
_UNPRIVILEGED = 1024
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound


def listen(
    host: str, port: int, way_out: str, *, name: str = "PORT", apart: int = 1
) -> socket.socket:
    """Return a socket that listens on the address. Early connections wait for the server.

    Raises:
        SettingsError: one line. ``name``: where the port was set. ``way_out``: a command with
            another ``{port}``, which is free and at least ``apart`` ports higher.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError):
        raise SettingsError(
            f"HOST: адреса {host} нет; нужно 127.0.0.1, 0.0.0.0 или имя этой машины."
        ) from None
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    # asyncio sets TCP_NODELAY only if the protocol is given; without it each response waits 40 ms
    # for an ACK.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _make_bind_error(
            error,
            host,
            f"{name}: порт {port}",
            way_out.format(port=_find_free_port(family, address, port + apart)),
        ) from None
    return listener


def _find_free_port(family: int, address: tuple[Any, ...], first: int) -> int:
    """Return the next free port that an unprivileged process may open."""
    first = max(first, _UNPRIVILEGED)
    for port in range(first, min(first + 1000, 2**16)):
        with socket.socket(family, socket.SOCK_STREAM) as trial, suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((address[0], port, *address[2:]))
            return port
    return _UNPRIVILEGED


def _make_bind_error(error: OSError, host: str, port: str, way_out: str) -> SettingsError:
    match error.errno:
        case errno.EADDRINUSE:
            return SettingsError(f"{port} занят; другой порт: {way_out}")
        case errno.EACCES:
            return SettingsError(f"{port} открывает только root; другой порт: {way_out}")
        case errno.EADDRNOTAVAIL:
            return SettingsError(
                f"HOST: у этой машины нет адреса {host}; нужно 127.0.0.1 или 0.0.0.0."
            )
        case _:
            return SettingsError(f"{port} на {host} не открыть ({error.strerror}).")


def base_url(settings: Settings) -> str:
    """Return the URL of the service for a client on this machine."""
    host = _ANY_HOST.get(
        settings.host, f"[{settings.host}]" if ":" in settings.host else settings.host
    )
    return f"http://{host}:{settings.port}"


def describe_start(settings: Settings) -> str:
    """Return the line with the addresses of the service."""
    address = base_url(settings)
    return (
        f"Служба работает: {address} (страница — {address}/, описание REST — {address}/docs)."
        " Остановить: Ctrl-C."
    )


def check_data_dir(settings: Settings) -> None:
    """Check that DATA_DIR is writable, if the database or the mails are stored there.

    Raises:
        SettingsError: it is not writable.
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
