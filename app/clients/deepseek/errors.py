"""Transient and permanent errors of DeepSeek."""

from collections.abc import Sequence
from typing import Any

from app.clients.deepseek.schema import Usage
from app.clients.retry import RateLimitedError
from app.errors import PermanentError, TransientError, UpstreamError


class DeepSeekError(UpstreamError):
    """Base of all DeepSeek errors; ``usage`` is the billed usage of the attempts.

    ``exchanges``: set by a caller that asked several questions: those answered before the error.
    """

    usage = Usage()
    exchanges: Sequence[Any] = ()


class DeepSeekUnavailableError(DeepSeekError, TransientError):
    """DeepSeek is down, overloaded, closes the connection, or sends an invalid response."""


class DeepSeekTimeoutError(DeepSeekUnavailableError):
    """No complete answer before the timeout.

    Blank lines that keep the connection open do not count.
    """


class DeepSeekRateLimitedError(DeepSeekError, RateLimitedError):
    """DeepSeek still answers 429 after all retries."""


class DeepSeekAccessError(DeepSeekError, PermanentError):
    """DeepSeek refuses every request of this account; a run stops here."""


class DeepSeekCredentialsError(DeepSeekAccessError):
    """The key is wrong or revoked (401)."""


class DeepSeekBalanceError(DeepSeekAccessError):
    """The balance is empty (402)."""


class DeepSeekForbiddenError(DeepSeekAccessError):
    """A gateway, a proxy or a rule about regions refuses this machine or key (403, 407, 451)."""


class DeepSeekSettingsError(DeepSeekAccessError):
    """The server lacks the model, the API, the response format or a parameter.

    The message names the setting.
    """


class DeepSeekRequestError(DeepSeekError, PermanentError):
    """DeepSeek rejects the request as invalid; other requests may still succeed.

    ``status`` is the HTTP status. The message ends with DeepSeek's own text.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class DeepSeekTooLongError(DeepSeekRequestError):
    """The request exceeds the model's context. On a small model the rubric alone may exceed it."""


class DeepSeekUnreadableError(DeepSeekRequestError):
    """The response is too large or has an unrequested encoding; it was not read to its end."""


class DeepSeekBlockedError(DeepSeekError, PermanentError):
    """The provider's content filter blocked the text or stopped the answer."""


class DeepSeekCostlyError(DeepSeekError, PermanentError):
    """The next request might exceed the cost limit of the chat; it was not sent."""


class DeepSeekTruncatedError(DeepSeekError, PermanentError):
    """The answer did not end within twice ``max_tokens``; the fragment is unusable."""
