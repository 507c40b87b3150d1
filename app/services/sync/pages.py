"""Pages of Avito's lists, newest first. No element is missed if the list changes meanwhile.

A new element moves all others down, across the edge of the page just read. A removed element moves
all others up, across the edge of the next page. Therefore pages overlap. If a page contains no
element of the pages before it, the reader goes back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

PAGE = 100
LAST_OFFSET = 1000
"""The largest offset that Avito accepts: at most 1,100 elements are readable."""
OVERLAP = 10
"""Elements of a full page that are read again with the next page; of a short page at most half."""
_STEPS_BACK = 3


class Page(Protocol):
    """A page of chats or messages, as the client returns it."""

    @property
    def has_more(self) -> bool: ...
    @property
    def unreadable(self) -> int: ...


P = TypeVar("P", bound=Page)


async def iterate_pages(
    fetch: Callable[[int], Awaitable[P]], get_ids: Callable[[P], Iterable[str]]
) -> AsyncIterator[P]:
    """Yield the pages of one list to its end or to Avito's limit.

    The last page's ``has_more`` is True if the limit was reached. Elements may be repeated.
    """
    offset, steps_back, seen = 0, 0, set[str]()
    while True:
        page = await fetch(offset)
        ids = set(get_ids(page))
        if offset and not ids & seen and steps_back < _STEPS_BACK:
            steps_back += 1
            offset = max(0, offset - PAGE)
            continue
        yield page
        if not page.has_more or offset >= LAST_OFFSET:
            return
        seen |= ids
        count = len(ids) + page.unreadable
        offset = min(offset + (count - min(OVERLAP, count // 2) or PAGE), LAST_OFFSET)
