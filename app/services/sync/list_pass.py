"""The list pass of a sync: marks the chats that Avito shows to have changed, page by page, each
page committed.

Avito gives at most 1,100 chats for a filter, newest activity first. What lies past that is reached
by asking with narrower filters: by kind of chat, unread ones only, and by listing. What even those
do not reach is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from app.clients.avito.client import AvitoClient
from app.clients.avito.schema import AvitoChat, ChatPage
from app.database.engine import Database
from app.repositories import chats
from app.services.sync.message_pass import Tally
from app.services.sync.pages import PAGE, pages
from app.services.sync.rows import chat_row

CHAT_TYPES = ("u2i", "u2u", "a2u")
LISTINGS_AT_ONCE = 20
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Filter:
    """What a list is asked for."""

    chat_types: Sequence[str] = CHAT_TYPES
    unread_only: bool = False
    item_ids: Sequence[int] = ()


class ListPass:
    """Looks through the chats of one account; ``reread`` marks every chat it sees, changed or not."""

    def __init__(
        self,
        database: Database,
        client: AvitoClient,
        tally: Tally,
        *,
        account_id: int,
        user_id: int,
        reread: bool,
    ) -> None:
        self._database = database
        self._client = client
        self._tally = tally
        self._account_id = account_id
        self._user_id = user_id
        self._reread = reread
        self.newest: datetime | None = None
        """The newest activity seen: the watermark of the next pass."""

    async def since(self, moment: datetime) -> bool:
        """Looks at what has changed since then; False where that is more than Avito gives for one
        list.
        """
        return not await self._walk(_Filter(), stop_before=moment)

    async def everything(self) -> int:
        """Looks at every chat that can be reached, and counts the lists that went on past Avito's
        reach.
        """
        if not await self._walk(_Filter()):
            return 0
        cut_short = 0
        for chat_type in CHAT_TYPES:
            if await self._walk(_Filter((chat_type,))):
                await self._walk(_Filter((chat_type,), unread_only=True))
                cut_short += await self._by_listing() if chat_type == "u2i" else 1
        return cut_short

    async def _by_listing(self) -> int:
        """Every chat about a listing, be it that Avito still lists it or that only a chat is known
        of it.

        An employee's key gets no listings, and then the list stays cut short.
        """
        page, has_more, listed = 1, True, set[int]()
        cut_short = 0
        while has_more:
            listings = await self._client.list_items(page)
            new = [item.id for item in listings.items if item.id not in listed]
            cut_short += await self._in_batches(new)
            listed.update(new)
            page, has_more = page + 1, listings.has_more and bool(new)
        async with self._database.session() as session:
            known = await chats.list_item_ids(session, self._account_id)
        cut_short += await self._in_batches([number for number in known if number not in listed])
        return cut_short if listed else cut_short + 1

    async def _in_batches(self, ids: Sequence[int]) -> int:
        return sum(
            [
                await self._of_listings(ids[start : start + LISTINGS_AT_ONCE])
                for start in range(0, len(ids), LISTINGS_AT_ONCE)
            ]
        )

    async def _of_listings(self, ids: Sequence[int]) -> int:
        """The chats of some listings; where they are too many for one list, of half of them at a
        time.
        """
        if not await self._walk(_Filter(("u2i",), item_ids=ids)):
            return 0
        if len(ids) == 1:
            await self._walk(_Filter(("u2i",), unread_only=True, item_ids=ids))
            return 1
        middle = len(ids) // 2
        return await self._of_listings(ids[:middle]) + await self._of_listings(ids[middle:])

    async def _walk(self, wanted: _Filter, stop_before: datetime = NEVER) -> bool:
        """Reads one list to its end, to Avito's reach or to the watermark; True where Avito has
        more than it gives.
        """
        past_it, has_more = False, False
        async for page in pages(
            partial(self._fetch, wanted), lambda page: [chat.id for chat in page.chats]
        ):
            await self._write(page.chats)
            self._tally.nameless = self._tally.nameless or page.unreadable > 0
            times = [chat.updated_at for chat in page.chats if chat.updated_at]
            self.newest = max([*times, self.newest] if self.newest else times, default=None)
            # A page with a chat that shows no time proves nothing. And the order of the list is
            # seen, not promised: one page more than needed is read before stopping early.
            proves = len(times) == len(page.chats) > 0
            if past_it and proves and max(times) < stop_before:
                return False
            past_it = past_it or (proves and min(times) < stop_before)
            has_more = page.has_more
        return has_more

    async def _fetch(self, wanted: _Filter, offset: int) -> ChatPage:
        return await self._client.list_chats(
            self._user_id,
            limit=PAGE,
            offset=offset,
            chat_types=wanted.chat_types,
            unread_only=wanted.unread_only,
            item_ids=wanted.item_ids,
        )

    async def _write(self, listed: Sequence[AvitoChat]) -> None:
        rows = {chat.id: chat_row(chat) for chat in listed}
        async with self._database.transaction() as session:
            count = await chats.upsert_listed(
                session, self._account_id, rows.values(), reread=self._reread
            )
        self._tally.new_chats += count.new
