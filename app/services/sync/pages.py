"""Pages of Avito's lists, newest first, in such a way that what moves while one turns the page is
not overlooked.

What is new moves everything down, over the edge of the page that was just read; what vanishes moves
everything up, over the edge of the next. So pages overlap, and where one shows nothing of those
before it, one goes back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

PAGE = 100
LAST_OFFSET = 1000
"""Avito gives no page that begins later: 1,100 elements are its reach."""
OVERLAP = 10
"""Elements of a full page that are read again with the next; of a short one half at most."""
_STEPS_BACK = 3


class Page(Protocol):
    """What the client gives for a page of chats or messages."""

    @property
    def has_more(self) -> bool: ...
    @property
    def unreadable(self) -> int: ...


P = TypeVar("P", bound=Page)


async def pages(
    fetch: Callable[[int], Awaitable[P]], ids_of: Callable[[P], Iterable[str]]
) -> AsyncIterator[P]:
    """The pages of one list to its end or to Avito's reach; the last one's ``has_more`` tells
    which. Elements may come more than once.
    """
    offset, steps_back, seen = 0, 0, set[str]()
    while True:
        page = await fetch(offset)
        ids = set(ids_of(page))
        if offset and not ids & seen and steps_back < _STEPS_BACK:
            steps_back += 1
            offset = max(0, offset - PAGE)
            continue
        yield page
        if not page.has_more or offset >= LAST_OFFSET:
            return
        seen |= ids
        got = len(ids) + page.unreadable
        offset = min(offset + (got - min(OVERLAP, got // 2) or PAGE), LAST_OFFSET)
