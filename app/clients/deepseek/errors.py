"""What goes wrong with DeepSeek, by whose turn it is."""

from app.clients.deepseek.schema import Usage
from app.clients.retry import RateLimitedError
from app.errors import PermanentError, TransientError, UpstreamError


class DeepSeekError(UpstreamError):
    """Any failure of DeepSeek's; ``usage`` is what the attempts that led to it are billed for."""

    usage = Usage()


class DeepSeekUnavailableError(DeepSeekError, TransientError):
    """DeepSeek is down or overloaded, cuts the connection, breaks off, or answers something that is
    not its API's answer.
    """


class DeepSeekTimeoutError(DeepSeekUnavailableError):
    """No whole answer before our deadline; blank lines that keep the connection open do not count."""


class DeepSeekRateLimitedError(DeepSeekError, RateLimitedError):
    """DeepSeek answers 429 for longer than we repeat."""


class DeepSeekAccessError(DeepSeekError, PermanentError):
    """DeepSeek refuses us whatever we ask, so every further request: a run stops here."""


class DeepSeekCredentialsError(DeepSeekAccessError):
    """The key is wrong or withdrawn (401)."""


class DeepSeekBalanceError(DeepSeekAccessError):
    """The balance is empty (402)."""


class DeepSeekSettingsError(DeepSeekAccessError):
    """There is no such model, or no such API at the address (404, 405); the message names the
    setting.
    """


class DeepSeekRequestError(DeepSeekError, PermanentError):
    """DeepSeek calls our request wrong, and only another request tells whether it would any.

    ``status`` is the HTTP status, the message ends in DeepSeek's own words.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class DeepSeekTooLongError(DeepSeekRequestError):
    """The request is longer than the model's context; of a small model even the rubric may be."""


class DeepSeekUnreadableError(DeepSeekRequestError):
    """The answer is larger than any that was asked for, or packed in a way that was not asked for:
    it was not read to its end.
    """


class DeepSeekBlockedError(DeepSeekError, PermanentError):
    """The provider's filter does not let this text through, or stopped the answer to it."""


class DeepSeekCostlyError(DeepSeekError, PermanentError):
    """One more request might cost more than may be spent on this chat: it was not sent."""


class DeepSeekTruncatedError(DeepSeekError, PermanentError):
    """The answer did not end within twice ``max_tokens``; the fragment is of no use."""
