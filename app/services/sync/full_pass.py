"""The full pass: all lists of an account's chats, whatever the watermark is.

It finds what the watermark misses: a chat whose last message was removed, whose title or name has
changed, or whose time was invalid. The whole list of a small account is read once a day. A large
account would cost a request for each hundred chats, so its pass has parts and takes five days or
more: in one day at most a fifth of the pages is read.

A part is a filter of Avito's, not a range of pages, because chats move to the top of a list while
it is read. It is read at once, and the position after it is stored. First the newest chats of each
type are read, then the chats of the listings, by the ids of the listings. A chat never changes its
listing, so a pass reads each chat once.
"""

from datetime import datetime, timedelta

from app.clock import Clock
from app.database.engine import Database
from app.models import Account
from app.repositories import accounts, listings
from app.services.sync.list_pass import LISTINGS_AT_ONCE, MOST_LISTED, Filter, ListPass
from app.services.sync.pages import OVERLAP, PAGE

SMALL_EVERY = timedelta(days=1)
LARGE_WITHIN = timedelta(days=5)
_MOST_AT_ONCE = timedelta(days=1)
"""The share of a pass that is made up after a time without a sync."""
_TYPE_FILTERS = tuple(
    Filter((chat_type,), unread_only=unread_only)
    for chat_type in ("a2u", "u2u", "u2i")
    for unread_only in (True, False)
)
_BEGINNING = -1 - len(_TYPE_FILTERS)
"""Positions: this one, the number of a filter from the end (-1: the last), an id of a listing."""
_LEAST_TYPE_PAGES = 16
"""Pages of the lists by type, if the last one is longer than Avito returns."""


class FullPass:
    """Continues the full pass of one account in a sync."""

    def __init__(
        self, database: Database, clock: Clock, listing: ListPass, account: Account
    ) -> None:
        self._database = database
        self._clock = clock
        self._listing = listing
        self._account_id = account.id
        self._due_at = account.full_pass_due_at
        self._position: int | None = account.full_pass_position
        self._pages = account.full_pass_pages
        self._cut_short = account.full_pass_cut_short

    async def read_due(self) -> None:
        """Read the parts that are due; begin a pass if none is in progress."""
        now = self._clock()
        if self._due_at is not None and now < self._due_at < now + LARGE_WITHIN:
            return
        due_at = now if self._due_at is None else min(now, max(self._due_at, now - _MOST_AT_ONCE))
        if self._position is None and not await self._begin():
            return
        while due_at <= now and self._position is not None:
            before = self._listing.pages
            self._position = await self._read_part(self._position)
            due_at += LARGE_WITHIN * (self._listing.pages - before) / self._pages
            await self._store(due_at)

    async def read_at_once(self) -> None:
        """Read all lists, also the parts that a pass in progress has read."""
        self._cut_short, self._position = await self._listing.scan_all(), None
        now = self._clock()
        await self._store(now + SMALL_EVERY if self._listing.is_one_list else now)

    async def _begin(self) -> bool:
        """Begin a pass; False: the account is small and the pass is over."""
        async with self._database.transaction() as session:
            await accounts.count_chats_read(session, self._account_id)
            chats, pages = await listings.count_pages(
                session, self._account_id, listings=LISTINGS_AT_ONCE, chats=PAGE - OVERLAP
            )
        if chats <= MOST_LISTED:
            await self.read_at_once()
            return False
        self._position, self._pages, self._cut_short = _BEGINNING, pages + _LEAST_TYPE_PAGES, 0
        return True

    async def _read_part(self, position: int) -> int | None:
        """Read the part after a position; return its own position, None if it is the last."""
        if position < -1:
            return await self._read_type(position + 1)
        ids = await self._list_next(position)
        self._cut_short += await self._listing.scan_listings(ids)
        return ids[-1] if await self._list_next(ids[-1]) else None

    async def _read_type(self, position: int) -> int | None:
        has_more = await self._listing.scan_list(_TYPE_FILTERS[position])
        if position < -1:
            self._cut_short += has_more and not _TYPE_FILTERS[position].unread_only
            return position
        if not has_more:
            return None
        self._cut_short += not await self._listing.has_listings()
        return position if await self._list_next(position) else None

    async def _list_next(self, position: int) -> list[int]:
        async with self._database.session() as session:
            return await listings.list_next_ids(
                session,
                self._account_id,
                position,
                listings=LISTINGS_AT_ONCE,
                chats=PAGE - OVERLAP,
            )

    async def _store(self, due_at: datetime) -> None:
        async with self._database.transaction() as session:
            if self._position is None:
                await accounts.mark_fully_listed(
                    session,
                    self._account_id,
                    now=self._clock(),
                    due_at=due_at,
                    cut_short=self._cut_short,
                )
            else:
                await accounts.mark_part_read(
                    session,
                    self._account_id,
                    position=self._position,
                    due_at=due_at,
                    pages=self._pages,
                    cut_short=self._cut_short,
                )
