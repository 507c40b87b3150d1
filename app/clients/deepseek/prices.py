"""What DeepSeek's tokens cost: one dated table, from
https://api-docs.deepseek.com/quick_start/pricing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from app.clients.deepseek.schema import Usage

_MILLION = 1_000_000
_CHARACTERS_A_TOKEN = 2
"""Fewer than Russian text has by any tokenizer of today: an estimate that errs upwards."""
_LONGEST_WORK = timedelta(hours=1)
"""What is begun now is billed by then, its waits and repeats included."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens from the day ``since`` (UTC) on; at peak hours ``at_peak``
    times as much.
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
"""Each model's prices, oldest first. A new price is a new line: old reports keep the cost they had.
"""


def cost_usd(model: str, usage: Usage, at: datetime) -> Decimal | None:
    """What tokens used at the moment ``at`` cost, in US dollars; None for a model that is not in
    the table.

    ``model`` is the name that was asked for, as prices go by it. The true bill may be lower.
    """
    price = _price(model, at)
    if price is None:
        return None
    tokens_usd = (
        usage.prompt_hit_tokens * price.hit
        + usage.prompt_miss_tokens * price.miss
        + usage.completion_tokens * price.output
    )
    return tokens_usd * peak_factor(model, at) / _MILLION


def most_usd(
    model: str, characters: int, max_tokens: int, at: datetime, *, already: Usage
) -> Decimal:
    """The most that a prompt of so many characters and its answer can be billed, after ``already``;
    0 for a model that is not in the table. What is begun before a peak may end in it.
    """
    usage = already + Usage(
        prompt_miss_tokens=characters // _CHARACTERS_A_TOKEN, completion_tokens=max_tokens
    )
    return max(cost_usd(model, usage, moment) or Decimal(0) for moment in (at, at + _LONGEST_WORK))


def peak_factor(model: str, at: datetime) -> int:
    """How many times dearer than the model's cheapest hours the moment is; 1 where its price is the
    same all day, or unknown.
    """
    price = _price(model, at)
    return price.at_peak if price and is_peak(at) else 1


def _price(model: str, at: datetime) -> Price | None:
    if model not in PRICES:
        return None
    first, *later = PRICES[model]
    day = at.astimezone(UTC).date()
    return next((price for price in reversed(later) if price.since <= day), first)


def is_peak(at: datetime) -> bool:
    """Whether DeepSeek's peak hours are on: Monday to Friday, 01–04 and 06–10 UTC."""
    moment = at.astimezone(UTC)
    return moment.weekday() < 5 and (1 <= moment.hour < 4 or 6 <= moment.hour < 10)
