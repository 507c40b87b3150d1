"""DeepSeek's answers and billed usage."""

from dataclasses import dataclass
from decimal import Decimal


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
    """A finished answer. The tokens include those of failed ``attempts``.

    ``text`` is the model's text; it may be blank or not JSON. ``model`` and ``fingerprint`` are
    DeepSeek's identifiers of what answered: a name may stay while the model behind it changes.
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
        """The tokens as a ``Usage``."""
        return Usage(self.prompt_hit_tokens, self.prompt_miss_tokens, self.completion_tokens)


@dataclass(frozen=True, slots=True)
class Balance:
    """Balance of the account by currency.

    ``is_available``: DeepSeek reports that it is sufficient for requests.
    """

    is_available: bool
    total: dict[str, Decimal]
