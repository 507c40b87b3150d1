"""The error tree: what failed, and whether a retry or a person can fix it.

Every error has a Russian ``message`` that states what to do. It appears in REST responses, the
mail, runs and the command line, so it never contains a secret or a chat's text. A client maps each
failure of its vendor to one of the two upstream errors.
"""

from dataclasses import dataclass


class AppError(Exception):
    """An error to report to a person; ``message`` is one Russian sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SettingsError(AppError):
    """A setting is missing or invalid; the message names it."""


class DatabaseUnavailableError(AppError):
    """Postgres is unreachable or refuses the connection."""


class DatabaseRefusedError(DatabaseUnavailableError):
    """Postgres refuses the connection until a person fixes a setting.

    For example: a wrong password, an unknown database, missing TLS.
    """


class DatabaseDeniedError(DatabaseRefusedError):
    """Postgres denies a statement until the role has a right. ``reason``: the server's message."""

    sqlstate = "42501"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class StalledError(AppError):
    """A part of the process has had no success for minutes; the process must be restarted."""


class InvalidRequestError(AppError):
    """The client's input is invalid (HTTP 400)."""


@dataclass(frozen=True)
class FieldError:
    """An invalid parameter of a request: its name as the client wrote it, and the fault."""

    field: str
    message: str


MAX_SHOWN_FIELDS, MAX_SHOWN_NAME = 20, 100
"""Limits of an error's fields.

Their names come from the client. Without a limit a response could be larger than its request.
"""


class InvalidParametersError(InvalidRequestError):
    """Parameters of a request are invalid. The message lists them, up to a limit."""

    def __init__(self, *fields: FieldError) -> None:
        self.fields = [
            FieldError(_shorten(field.field), field.message) for field in fields[:MAX_SHOWN_FIELDS]
        ]
        shown = [f"{field.field} — {field.message}" for field in self.fields]
        more = [f"и другие, всего {len(fields)}"] if len(fields) > len(shown) else []
        super().__init__(f"Неверные параметры запроса: {'; '.join([*shown, *more])}.")


def _shorten(name: str) -> str:
    """Truncate a name that is longer than ``MAX_SHOWN_NAME``."""
    return name if len(name) <= MAX_SHOWN_NAME else f"{name[:MAX_SHOWN_NAME]}…"


class NotFoundError(AppError):
    """The requested object does not exist (HTTP 404)."""


class UpstreamError(AppError):
    """An external system (Avito, DeepSeek, the mail server) failed."""


class TransientError(UpstreamError):
    """A retry may succeed without action: an outage, a rate limit, a broken connection."""


class PermanentError(UpstreamError):
    """Retries fail until a person acts: a wrong key, an unpaid plan, an empty balance."""
