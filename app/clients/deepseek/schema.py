"""DeepSeek's answers and billed usage."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from app.clients.deepseek.request_body import SentRequest


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed tokens: of the prompt, cached and not cached, and of the completion."""

    prompt_hit_tokens: int = 0
    prompt_miss_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_hit_tokens + other.prompt_hit_tokens,
            self.prompt_miss_tokens + other.prompt_miss_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Completion:
    """The model's answer. ``usage`` covers all ``attempts`` of its bill, failed ones included.

    ``request`` is what was sent. ``text`` is the model's text; it may be blank or not JSON.
    ``model`` and ``fingerprint`` are DeepSeek's identifiers of what answered: a name may stay while
    the model behind it changes. ``finish_reason`` is ``stop`` (finished) or ``length`` (out of
    tokens).
    """

    request: SentRequest
    text: str
    model: str
    fingerprint: str | None
    finish_reason: Literal["stop", "length"]
    usage: Usage
    attempts: int


@dataclass(slots=True)
class Bill:
    """Usage of all attempts so far, and their cost limit in US dollars (None: no limit)."""

    most_usd: Decimal | None = None
    attempts: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Balance:
    """Balance of the account by currency.

    ``is_available``: DeepSeek reports that it is sufficient for requests.
    """

    is_available: bool
    total: dict[str, Decimal]
