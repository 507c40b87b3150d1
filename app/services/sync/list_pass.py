"""The list pass of a sync: mark changed chats page by page; each page is committed.

Avito returns at most 1,100 chats per filter, latest activity first. Further chats are read with
narrower filters: by chat type, unread only, and by listing. Lists that are still too long are
counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from app.clients.avito.client import AvitoClient
from app.clients.avito.schema import AvitoChat, ChatPage
from app.database.engine import Database
from app.repositories import chats, unread_chats
from app.services.sync.chat_queue import ChatQueue
from app.services.sync.listings import REFUSED, ListingReader
from app.services.sync.message_pass import Tally
from app.services.sync.pages import LAST_OFFSET, PAGE, iterate_pages
from app.services.sync.rows import is_deleted, make_chat_row

CHAT_TYPES = ("u2i", "u2u", "a2u")
LISTINGS_AT_ONCE = 20
MOST_LISTED = LAST_OFFSET + PAGE
"""The number of chats that one list returns at most."""
NEVER = datetime.min.replace(tzinfo=UTC)
WATERMARK_GRACE, _LEAST_GRACE = timedelta(hours=1), timedelta(minutes=5)
"""The time before the watermark that is listed again, and what a list must reach of it.

More than 1,100 chats of a busy account may have changed in an hour.
"""


@dataclass(frozen=True)
class Filter:
    """Filter of a chat list."""

    chat_types: Sequence[str] = CHAT_TYPES
    unread_only: bool = False
    item_ids: Sequence[int] = ()


class ListPass:
    """Scans the chats of one account; ``reread`` marks every chat, changed or not."""

    def __init__(
        self,
        database: Database,
        client: AvitoClient,
        tally: Tally,
        listings: ListingReader,
        queue: ChatQueue,
        *,
        account_id: int,
        user_id: int,
        reread: bool,
    ) -> None:
        self._database = database
        self._client = client
        self._tally = tally
        self._listings = listings
        self._queue = queue
        self._account_id = account_id
        self._user_id = user_id
        self._reread = reread
        self.newest: datetime | None = None
        """The latest activity seen: the watermark of the next pass."""
        self.pages = 0
        """The number of pages read."""
        self._last_page: datetime | None = None
        """The latest activity in the page read last, if all its chats have a time."""
        self.is_one_list = False
        """Whether one list has all chats, after ``scan_all``."""

    async def scan_since(self, watermark: datetime) -> bool:
        """Scan the chats changed since the watermark; False if one list does not reach them all.

        The scan begins an hour before the watermark, or where the list ends for a busy account.
        """
        if not await self.scan_list(Filter(), stop_before=watermark - WATERMARK_GRACE):
            return True
        return self._last_page is not None and self._last_page < watermark - _LEAST_GRACE

    async def scan_all(self) -> int:
        """Scan all reachable chats; return the number of lists that exceeded Avito's limit."""
        self.is_one_list = not await self.scan_list(Filter())
        if self.is_one_list:
            return 0
        cut_short = 0
        for chat_type in CHAT_TYPES:
            if await self.scan_list(Filter((chat_type,))):
                await self.scan_list(Filter((chat_type,), unread_only=True))
                cut_short += await self._scan_by_listing() if chat_type == "u2i" else 1
        return cut_short

    async def has_listings(self) -> bool:
        """Return whether Avito lists listings for this key; an employee's key gets none."""
        try:
            return bool((await self._listings.read_page(1, set())).items)
        except REFUSED:
            return False

    async def _scan_by_listing(self) -> int:
        """Scan the chats of every listing: those that Avito lists and those of stored chats.

        An employee's key returns no listings. Then the list counts as truncated; so does one that
        Avito refuses.
        """
        page, has_more, listed = 1, True, set[int]()
        cut_short, is_refused = 0, False
        while has_more:
            try:
                found = await self._listings.read_page(page, listed)
            except REFUSED:
                is_refused = True
                break
            cut_short += await self._scan_batches([item.id for item in found.items])
            page, has_more = page + 1, found.has_more
        async with self._database.session() as session:
            known = await chats.list_item_ids(session, self._account_id)
        cut_short += await self._scan_batches([number for number in known if number not in listed])
        return cut_short + int(is_refused or not listed)

    async def _scan_batches(self, ids: Sequence[int]) -> int:
        return sum(
            [
                await self.scan_listings(ids[start : start + LISTINGS_AT_ONCE])
                for start in range(0, len(ids), LISTINGS_AT_ONCE)
            ]
        )

    async def scan_listings(self, ids: Sequence[int]) -> int:
        """Scan the chats of some listings; split them in half if one list exceeds the limit."""
        if not await self.scan_list(Filter(("u2i",), item_ids=ids)):
            return 0
        if len(ids) == 1:
            await self.scan_list(Filter(("u2i",), unread_only=True, item_ids=ids))
            return 1
        middle = len(ids) // 2
        return await self.scan_listings(ids[:middle]) + await self.scan_listings(ids[middle:])

    async def scan_list(self, chat_filter: Filter, stop_before: datetime = NEVER) -> bool:
        """Scan one list to its end, Avito's limit or the watermark; True if Avito has more."""
        past_watermark, has_more = False, False
        async for page in iterate_pages(
            partial(self._fetch, chat_filter), lambda page: [chat.id for chat in page.chats]
        ):
            await self._write(page.chats)
            times = self._count_page(page)
            # A page with a chat without a time is not conclusive. The order of the list is observed
            # but not documented, so one more page is read before the scan stops early.
            is_conclusive = len(times) == len(page.chats) > 0
            self._last_page = max(times) if is_conclusive else None
            if past_watermark and is_conclusive and max(times) < stop_before:
                return False
            past_watermark = past_watermark or (is_conclusive and min(times) < stop_before)
            has_more = page.has_more
        return has_more

    def _count_page(self, page: ChatPage) -> list[datetime]:
        """Add a page to the tally and the watermark; return the times of its chats."""
        if page.unreadable:
            self._tally.has_chats_without_id = True
        times = [chat.updated_at for chat in page.chats if chat.updated_at]
        self.newest = max([*times, self.newest] if self.newest else times, default=None)
        return times

    async def _fetch(self, chat_filter: Filter, offset: int) -> ChatPage:
        self.pages += 1
        return await self._client.list_chats(
            self._user_id,
            limit=PAGE,
            offset=offset,
            chat_types=chat_filter.chat_types,
            unread_only=chat_filter.unread_only,
            item_ids=chat_filter.item_ids,
        )

    async def _write(self, listed: Sequence[AvitoChat]) -> None:
        rows = {chat.id: make_chat_row(chat) for chat in listed}
        deleted = [
            chat.id for chat in listed if chat.last_message and is_deleted(chat.last_message)
        ]
        async with self._database.transaction() as session:
            count = await chats.upsert_listed(
                session, self._account_id, rows.values(), reread=self._reread
            )
            unread = count.unread
            if deleted:
                unread += await unread_chats.mark_deleted(session, self._account_id, deleted)
        self._tally.new_chats += count.new
        if unread:
            self._queue.add_marked(unread)
