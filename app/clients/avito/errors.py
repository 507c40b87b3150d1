"""What goes wrong with Avito, by whose turn it is."""

from app.clients.retry import RateLimitedError
from app.errors import PermanentError, TransientError


class AvitoUnavailableError(TransientError):
    """Avito is down, cuts the connection, is too slow, or answers something that is not its API's
    answer.
    """


class AvitoRateLimitedError(RateLimitedError):
    """Avito answers 429 for longer than we repeat."""


class AvitoCredentialsError(PermanentError):
    """Avito gives no token for these keys, or does not accept the token that it has just given."""


class AvitoPlanMissingError(PermanentError):
    """The plan that opens the messenger's API is not paid: lists of chats come, messages do not."""


class AvitoPermissionError(PermanentError):
    """The keys are valid but may not read this, as an employee's keys may not read the company's
    chats.
    """


class AvitoRequestError(PermanentError):
    """Avito calls our request wrong; ``status`` is the HTTP status, the message ends in Avito's own
    words.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AvitoUnreadableError(PermanentError):
    """An answer of Avito's is larger than any of its pages, or packed in a way that was not asked
    for.
    """


class AvitoChatGoneError(PermanentError):
    """Avito does not know the chat (any more)."""
