"""Transient and permanent errors of Avito."""

from app.clients.retry import RateLimitedError
from app.errors import PermanentError, TransientError


class AvitoUnavailableError(TransientError):
    """Avito is down, too slow, closes the connection, or sends a response that is not its API's."""


class AvitoRateLimitedError(RateLimitedError):
    """Avito still answers 429 after all retries."""


class AvitoCredentialsError(PermanentError):
    """Avito issues no token for these keys, or rejects a token that it has just issued."""


class AvitoPlanMissingError(PermanentError):
    """The plan with the messenger API is not paid.

    Avito then returns lists of chats but no messages.
    """


class AvitoPermissionError(PermanentError):
    """The keys are valid but have no access.

    An employee's keys, for example, may not read the company's chats.
    """


class AvitoRequestError(PermanentError):
    """Avito rejects the request as invalid.

    ``status`` is the HTTP status. The message ends with Avito's own text.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AvitoUnreadableError(PermanentError):
    """A response is larger than any page, or has an unrequested encoding."""


class AvitoChatGoneError(PermanentError):
    """Avito has no such chat, or no longer has it."""
