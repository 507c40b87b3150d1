"""DeepSeek: API client, responses, prices and errors."""

from app.clients.deepseek.client import DeepSeekClient
from app.clients.deepseek.errors import (
    DeepSeekAccessError,
    DeepSeekBalanceError,
    DeepSeekBlockedError,
    DeepSeekCostlyError,
    DeepSeekCredentialsError,
    DeepSeekError,
    DeepSeekForbiddenError,
    DeepSeekRateLimitedError,
    DeepSeekRequestError,
    DeepSeekSettingsError,
    DeepSeekTimeoutError,
    DeepSeekTooLongError,
    DeepSeekTruncatedError,
    DeepSeekUnavailableError,
    DeepSeekUnreadableError,
)
from app.clients.deepseek.prices import cost_usd
from app.clients.deepseek.schema import Balance, Bill, Completion, Usage
from app.clients.deepseek.usage_metrics import COST, TOKENS

__all__ = [
    "COST",
    "TOKENS",
    "Balance",
    "Bill",
    "Completion",
    "DeepSeekAccessError",
    "DeepSeekBalanceError",
    "DeepSeekBlockedError",
    "DeepSeekClient",
    "DeepSeekCostlyError",
    "DeepSeekCredentialsError",
    "DeepSeekError",
    "DeepSeekForbiddenError",
    "DeepSeekRateLimitedError",
    "DeepSeekRequestError",
    "DeepSeekSettingsError",
    "DeepSeekTimeoutError",
    "DeepSeekTooLongError",
    "DeepSeekTruncatedError",
    "DeepSeekUnavailableError",
    "DeepSeekUnreadableError",
    "Usage",
    "cost_usd",
]
