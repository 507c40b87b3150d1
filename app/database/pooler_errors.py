"""Errors of pgbouncer. It gives all of them one SQLSTATE, also those it received from Postgres."""

import re

import asyncpg

_CONNECTION_CLASS = "08"
FULL = "все соединения пулера заняты"
_SERVER_FULL = "все соединения сервера за пулером заняты"
_WRONG_LOGIN = "неверные имя или пароль"

# Parts of the messages of pgbouncer 1.18 to 1.25 and of Postgres behind it.
_OUTAGES = {
    "no more connections allowed": FULL,
    "client connections exceeded": FULL,
    "query_wait_timeout": f"{FULL}, свободного не дождались",
    "too many connections for": _SERVER_FULL,
    "too many clients already": _SERVER_FULL,
    "remaining connection slots are reserved": _SERVER_FULL,
    "server login has been failing": "пулер не может подключиться к самому Postgres",
    "client_login_timeout": "пулер не дождался самого Postgres",
    "shutting down": "пулер или сервер за ним останавливается",
}
_REFUSALS = {
    "no such database": "такой базы у пулера нет",
    'database "[^"]*" does not exist': "такой базы нет",
    'database "[^"]*" is disabled': "база у пулера выключена",
    "no such user": "такого пользователя у пулера нет",
    "password authentication failed": _WRONG_LOGIN,
    "sasl authentication failed": _WRONG_LOGIN,
    "login rejected": "пулер не пускает с этого адреса",
    "not allowed in statement pooling mode": (
        "пулер в режиме statement не пускает транзакции: нужен pool_mode transaction или session"
    ),
    "ssl required": "пулер требует TLS; добавьте в адрес sslmode=require",
    "unsupported (options )?startup parameter": (
        "пулер не принимает options или другой параметр адреса; уберите его или впишите в"
        " ignore_startup_parameters пулера"
    ),
}


def describe_pooler_outage(error: BaseException) -> str | None:
    """Return why the pooler does not serve at the moment; None if this is not such an error."""
    return _find(_OUTAGES, error)


def describe_pooler_refusal(error: BaseException) -> str | None:
    """Return which setting the pooler refuses; None if this is not such an error."""
    return _find(_REFUSALS, error)


def is_pooler_full(error: BaseException) -> bool:
    """Return whether the pooler works but has no free connection."""
    return (_find(_OUTAGES, error) or "").startswith((FULL, _SERVER_FULL))


def _find(reasons: dict[str, str], error: BaseException) -> str | None:
    state = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
    if state is None or not state.startswith(_CONNECTION_CLASS):
        return None
    message = str(error).lower()
    return next((reasons[part] for part in reasons if re.search(part, message)), None)
