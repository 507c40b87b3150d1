"""Tokens and cost of the model's answers, for /metrics."""

from decimal import Decimal

from prometheus_client import Counter

from app.clients.deepseek.schema import Usage

TOKENS = Counter(
    "avito_quality_model_tokens",
    "Tokens that the model's server has billed: prompt_hit (cached), prompt_miss, completion.",
    ["kind"],
    registry=None,
)
COST = Counter(
    "avito_quality_model_cost_usd",
    "Cost of these tokens in US dollars; 0 if the model's price is not known.",
    registry=None,
)
for _kind in ("prompt_hit", "prompt_miss", "completion"):
    TOKENS.labels(_kind)


def count_usage(usage: Usage, cost: Decimal | None) -> None:
    """Add the usage of one request."""
    TOKENS.labels("prompt_hit").inc(usage.prompt_hit_tokens)
    TOKENS.labels("prompt_miss").inc(usage.prompt_miss_tokens)
    TOKENS.labels("completion").inc(usage.completion_tokens)
    COST.inc(float(cost or 0))
