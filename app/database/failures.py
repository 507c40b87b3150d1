"""Classification of database errors: outage or refusal, with the reason in Russian.

An outage is temporary. A refusal lasts until a setting is changed.
"""

import errno
import socket
import ssl

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError

DATABASE_ERRORS = (
    DBAPIError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    UnicodeError,
)
"""Errors raised by SQLAlchemy and the driver."""

# By SQLSTATE; the longest matching prefix applies. A transaction that failed with one of these can
# be retried unchanged.
_AWAY = {
    "08": "соединение прервалось",
    "25006": "база открыта только для чтения",
    "25P03": "сервер прервал простаивавшую транзакцию",
    "25P04": "сервер прервал слишком долгую транзакцию",
    "40001": "помешала другая транзакция",
    "40P01": "взаимная блокировка с другой транзакцией",
    "53": "не хватает мест, памяти или диска",
    "53100": "на диске сервера нет места",
    "53200": "серверу не хватает памяти",
    "53300": "все соединения сервера заняты",
    "55000": "база не принимает соединений",
    "55P03": "нужные строки слишком долго заблокированы другой транзакцией",
    "57014": "запрос отменён: не уложился в срок",
    "57P": "сервер останавливается или запускается",
    "57P05": "сервер закрыл простаивавшее соединение",
    "58": "сбой диска",
}
# A setting must be changed, here or on the server.
_REFUSED = {
    "28": "неверные имя или пароль, или сервер не пускает с этого адреса",
    "3D000": "такой базы нет",
}
_SILENT = "сервер не отвечает"
_NO_PLACES = "53300"


def describe_outage(error: BaseException) -> str | None:
    """Return why the database is currently unavailable; None if the error is not an outage."""
    state = _state(error)
    if reason := _by_state(_AWAY, state):
        return reason
    if _is_at_connection(error) or getattr(error, "connection_invalidated", False):
        return _reason_of_connection(_original(error))
    return None


def _reason_of_connection(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "имя сервера не находится"
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "у службы кончились файлы для соединений (ulimit -n, LimitNOFILE)"
    return _SILENT


def describe_refusal(error: BaseException) -> str | None:
    """Return why the database refuses the service; None if the error is not a refusal.

    A refusal lasts until a setting is changed.
    """
    original = _original(error)
    match original:
        case ssl.SSLError():
            return f"TLS не установлен: {original.reason or 'ошибка сертификата'}"
        case ConnectionError() if "SSL" in str(original):  # asyncpg: no class of its own
            return "сервер не поддерживает TLS, а он затребован"
        case UnicodeError():
            return "такого имени сервера не бывает"
        case asyncpg.exceptions.ClientConfigurationError():
            return "параметр адреса не подходит"
        case _:
            return _by_state(_REFUSED, _state(error))


def is_out_of_connections(error: BaseException) -> bool:
    """Return whether the server works but has no free connection."""
    return _state(error) == _NO_PLACES


def _is_at_connection(error: BaseException) -> bool:
    return isinstance(
        error,
        OSError | InterfaceError | asyncpg.InterfaceError | asyncpg.TargetServerAttributeNotMatched,
    )


def _original(error: BaseException) -> BaseException:
    """Return the driver's error; SQLAlchemy wraps it twice."""
    return error.driver_exception if isinstance(error, DBAPIError) else error


def _state(error: BaseException) -> str:
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


def _by_state(reasons: dict[str, str], state: str) -> str | None:
    return next(
        (reasons[state[:length]] for length in (5, 3, 2) if state[:length] in reasons), None
    )
