"""The tree of errors: what went wrong, whose turn it is, and the one sentence that a person is
told.

Every error carries a Russian ``message`` that says what to do; it goes into REST answers, the mail,
runs and the command line, so it never holds a secret or a chat's text. A client turns each failure
of its vendor into one of the two upstream errors.
"""

from dataclasses import dataclass


class AppError(Exception):
    """Anything that a person is to be told about; ``message`` is one Russian sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SettingsError(AppError):
    """A setting is missing or wrong; the message names it."""


class DatabaseUnavailableError(AppError):
    """Postgres cannot be reached or refuses us."""


class DatabaseRefusedError(DatabaseUnavailableError):
    """Postgres refuses us until a person changes a setting: a wrong password, no such database, no
    TLS.
    """


class StalledError(AppError):
    """A part of the process has had no success for minutes: its supervisor has to start it anew."""


@dataclass(frozen=True)
class FieldError:
    """One wrong parameter of a request: its name as the client wrote it, and what is wrong with it."""

    field: str
    message: str


class InvalidRequestError(AppError):
    """The caller's parameters are wrong (HTTP 400)."""

    def __init__(self, message: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors


class NotFoundError(AppError):
    """What was asked for does not exist (HTTP 404)."""


class UpstreamError(AppError):
    """An outside system (Avito, DeepSeek, the mail server) failed."""


class TransientError(UpstreamError):
    """The same call may work later without anybody's doing: an outage, a limit, a cut connection."""


class PermanentError(UpstreamError):
    """The same call fails until a person does something: a wrong key, an unpaid plan, an empty
    balance.
    """
