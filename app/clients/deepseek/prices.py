"""DeepSeek's token prices by date.

Source: https://api-docs.deepseek.com/quick_start/pricing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from app.clients.deepseek.schema import Usage

_MILLION = 1_000_000
_CHARACTERS_A_TOKEN = 2
"""Below the value of Russian text in all current tokenizers, so the estimate errs upwards."""
_LONGEST_WORK = timedelta(hours=1)
"""Time within which a request, its delays and retries included, has been billed."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens from the day ``since`` (UTC).

    The price is multiplied by ``at_peak`` at peak hours.
    """

    since: date
    hit: Decimal
    miss: Decimal
    output: Decimal
    at_peak: int = 1


PRICES: dict[str, tuple[Price, ...]] = {
    "deepseek-flash": (
        Price(date(2026, 7, 24), Decimal("0.003"), Decimal("0.15"), Decimal("0.60"), at_peak=2),
    ),
    "deepseek-v4-pro": (
        Price(date(2026, 7, 24), Decimal("0.022"), Decimal("0.66"), Decimal("1.98")),
    ),
}
"""Prices of each model, oldest first.

A new price is a new entry, so old reports keep their cost.
"""


def cost_usd(model: str, usage: Usage, at: datetime) -> Decimal | None:
    """Return the cost of tokens used at ``at`` in US dollars; None for an unknown model.

    ``model`` is the requested name, because prices depend on it. The actual bill may be lower.
    """
    price = _find_price(model, at)
    if price is None:
        return None
    tokens_usd = (
        usage.prompt_hit_tokens * price.hit
        + usage.prompt_miss_tokens * price.miss
        + usage.completion_tokens * price.output
    )
    return tokens_usd * get_peak_factor(model, at) / _MILLION


def most_usd(
    model: str, characters: int, max_tokens: int, at: datetime, *, already: Usage
) -> Decimal:
    """Return the upper limit of the bill after one more request.

    The request has a prompt of ``characters`` and an answer of ``max_tokens``; ``already`` is the
    usage so far. The result is 0 for an unknown model. A request that starts before a peak may end
    in it, so the higher price applies.
    """
    usage = already + most_usage(characters, max_tokens)
    return max(cost_usd(model, usage, moment) or Decimal(0) for moment in (at, at + _LONGEST_WORK))


def most_usage(characters: int, max_tokens: int) -> Usage:
    """Return the upper limit of the tokens of a request with a prompt of ``characters``."""
    return Usage(prompt_miss_tokens=characters // _CHARACTERS_A_TOKEN, completion_tokens=max_tokens)


def get_peak_factor(model: str, at: datetime) -> int:
    """Return the ratio of the price at ``at`` to the model's lowest price.

    It is 1 if the price is the same all day, or unknown.
    """
    price = _find_price(model, at)
    return price.at_peak if price and is_peak(at) else 1


def _find_price(model: str, at: datetime) -> Price | None:
    if model not in PRICES:
        return None
    first, *later = PRICES[model]
    day = at.astimezone(UTC).date()
    return next((price for price in reversed(later) if price.since <= day), first)


def is_peak(at: datetime) -> bool:
    """Return whether ``at`` is in DeepSeek's peak hours: Monday to Friday, 01–04 and 06–10 UTC."""
    moment = at.astimezone(UTC)
    return moment.weekday() < 5 and (1 <= moment.hour < 4 or 6 <= moment.hour < 10)
