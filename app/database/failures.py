"""Classification of database errors: outage or refusal, with the reason in Russian.

An outage is temporary. A refusal lasts until a setting is changed.
"""

import errno
import socket
import ssl

import asyncpg
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException, InterfaceError

from app.database.connector import AllHostsFailedError
from app.database.pooler_errors import (
    describe_pooler_outage,
    describe_pooler_refusal,
    is_pooler_full,
)
from app.database.tls import describe_tls_error
from app.errors import DatabaseDeniedError

DATABASE_ERRORS = (
    DBAPIError,
    EmulatedDBAPIException,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    UnicodeError,
)
"""Errors raised by SQLAlchemy and the driver."""

# By SQLSTATE; the longest matching prefix applies. A transaction that failed with one of these can
# be retried unchanged.
_OUTAGES = {
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
_REFUSALS = {
    "28": "неверные имя или пароль, или сервер не пускает с этого адреса",
    "3D000": "такой базы нет",
}
# Only a setting of the address can be the reason while a session begins.
_WRONG_SETTINGS = {
    "22023": "значение не подходит",
    "42501": "не хватает прав",
    "42602": "имя не подходит",
    "42704": "такого параметра нет",
    "55P02": "его нельзя менять после начала соединения",
}
_NO_ANSWER = "сервер не отвечает"
_TOO_MANY_CONNECTIONS = "53300"


def describe_outage(error: BaseException) -> str | None:
    """Return why the database is currently unavailable; None if the error is not an outage."""
    original = _unwrap_error(error)
    if isinstance(original, AllHostsFailedError):
        return _describe_hosts(original)
    if reason := describe_pooler_outage(original) or _find_reason(_OUTAGES, _get_sqlstate(error)):
        return reason
    if _is_connection_error(error) or getattr(error, "connection_invalidated", False):
        return _describe_connection_error(original)
    return None


def describe_refusal(error: BaseException) -> str | None:
    """Return why the database refuses the service; None if the error is not a refusal.

    A refusal lasts until a setting is changed. Of several servers, each must refuse.
    """
    original = _unwrap_error(error)
    match original:
        case AllHostsFailedError():
            refusals = [describe_refusal(failure) for _, failure in original.failures]
            return _describe_hosts(original) if all(refusals) else None
        case ssl.SSLError():
            return describe_tls_error(original)
        case ConnectionError() if "SSL" in str(original):  # asyncpg: no class of its own
            return "сервер не поддерживает TLS, а он затребован (sslmode)"
        case UnicodeError():
            return "такого имени сервера не бывает"
        case asyncpg.exceptions.ClientConfigurationError():
            return "параметр адреса не подходит"
        case _:
            return describe_pooler_refusal(original) or _find_reason(
                _REFUSALS, _get_sqlstate(error)
            )


def describe_denial(error: BaseException) -> str | None:
    """Return the server's message about a missing right; None if the error is another."""
    is_denied = _get_sqlstate(error) == DatabaseDeniedError.sqlstate
    return str(_unwrap_error(error)) if is_denied else None


def describe_wrong_setting(error: BaseException) -> str | None:
    """Return which part of ``options`` Postgres refuses at the begin of a session."""
    reason = _find_reason(_WRONG_SETTINGS, _get_sqlstate(error))
    return reason and f"параметр из options адреса не подходит: {reason}"


def is_out_of_connections(error: BaseException) -> bool:
    """Return whether the server or the pooler works but has no free connection."""
    original = _unwrap_error(error)
    if isinstance(original, AllHostsFailedError):
        return any(is_out_of_connections(failure) for _, failure in original.failures)
    return is_pooler_full(original) or _get_sqlstate(error) == _TOO_MANY_CONNECTIONS


def _describe_hosts(error: AllHostsFailedError) -> str:
    return "; ".join(
        f"{host}: {describe_refusal(failure) or describe_outage(failure) or _NO_ANSWER}"
        for host, failure in error.failures
    )


def _describe_connection_error(error: BaseException) -> str:
    match error:
        case socket.gaierror():
            return "имя сервера не находится"
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            return "у службы кончились файлы для соединений (ulimit -n, LimitNOFILE)"
        case PermissionError(filename=str() as path):  # for example in the home folder
            return f"файл {path} не читается"
        case asyncpg.TargetServerAttributeNotMatched():
            return "база открыта только для чтения"
        case _:
            return _NO_ANSWER


def _is_connection_error(error: BaseException) -> bool:
    return isinstance(
        _unwrap_error(error),
        OSError | InterfaceError | asyncpg.InterfaceError | asyncpg.TargetServerAttributeNotMatched,
    )


def _unwrap_error(error: BaseException) -> BaseException:
    """Return the driver's error; SQLAlchemy wraps it twice, or once without its own connection."""
    return (
        error.driver_exception if isinstance(error, DBAPIError | EmulatedDBAPIException) else error
    )


def _get_sqlstate(error: BaseException) -> str:
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


def _find_reason(reasons: dict[str, str], state: str) -> str | None:
    return next(
        (reasons[state[:length]] for length in (5, 3, 2) if state[:length] in reasons), None
    )
