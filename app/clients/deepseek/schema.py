"""What DeepSeek answers and what it bills."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that are paid for: of the prompt those found in the cache and those not, and those
    written.
    """

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
    """A finished answer. The tokens are those of all ``attempts`` that it took, failed ones
    included.

    ``text`` is as the model wrote it: it may be blank or not JSON. ``model`` and ``fingerprint``
    are DeepSeek's words for what answered: a model's name stays while the model under it changes.
    """

    text: str
    model: str
    fingerprint: str | None
    prompt_hit_tokens: int
    prompt_miss_tokens: int
    completion_tokens: int
    finish_reason: str
    attempts: int

    @property
    def usage(self) -> Usage:
        """The tokens, as prices and sums want them."""
        return Usage(self.prompt_hit_tokens, self.prompt_miss_tokens, self.completion_tokens)


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left on the account, by currency; ``is_available`` says whether it suffices for
    requests.
    """

    is_available: bool
    total: dict[str, Decimal]
