"""What is offered in a chat: the listing as it was when it was read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

PRICE_HOLDS_FOR = timedelta(days=7)
"""Words of the seller that are older are not compared with a price.

It may have changed since, and only prices that a sync has seen are known.
"""


@dataclass(frozen=True)
class Listing:
    """A snapshot of a listing; None: Avito gives no such value.

    - ``price``: as Avito shows it, «5 000 ₽».
    - ``earlier_prices``: prices of the listing that were seen earlier in the same chat.
    - The status is left out, because it reveals how a chat ended.
    """

    title: str | None = None
    price: str | None = None
    category: str | None = None
    address: str | None = None
    earlier_prices: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that the seller has written or chosen."""
        texts = (self.title, self.price, self.category, self.address)
        return tuple(text for text in texts if text)

    @property
    def as_json(self) -> dict[str, Any]:
        """The listing as it is stored with a question and a report."""
        return {**asdict(self), "earlier_prices": list(self.earlier_prices)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> "Listing | None":
        """Return a stored listing; None for none, and for reports of earlier versions."""
        if not stored:
            return None
        return cls(**{**stored, "earlier_prices": tuple(stored["earlier_prices"])})


def format_price(price: int | None) -> str | None:
    """Return a price in roubles as the chat's own price is written; None without one."""
    return None if price is None else f"{price:,} ₽".replace(",", " ")
