"""Reading of an account's listings into the cache: title, price, category, address and status.

Avito permits 25 requests a minute. Therefore a sync reads a few pages, and the next sync continues.
A refusal never fails a sync: the listing of a chat is then what the chat itself has.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from app.clients.avito.client import AvitoClient
from app.clients.avito.errors import AvitoPermissionError, AvitoRateLimitedError
from app.clients.avito.schema import AvitoItem, ItemPage
from app.clock import Clock
from app.database.engine import Database
from app.domain.listing import format_price
from app.errors import UpstreamError
from app.repositories import listings

log = structlog.get_logger(__name__)

REFUSED = (AvitoPermissionError, AvitoRateLimitedError)
"""Refusals of the listings that are no fault of the account."""

PAGES_EACH_SYNC = 5
_LONGEST_SECONDS = 30
"""Five pages take 16 seconds by the limit of requests; refusals may delay them."""
_PASS_EVERY = timedelta(days=1)
_PASS_FOR_NEW_CHATS_EVERY = timedelta(hours=1)


class ListingReader:
    """Reads the listings of one account page by page; each page is committed."""

    def __init__(
        self, database: Database, client: AvitoClient, clock: Clock, account_id: int
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._account_id = account_id

    async def read_due(self) -> None:
        """Read the next pages if some are due. Failures of Avito are logged."""
        now = self._clock()
        async with self._database.session() as session:
            page = await listings.find_due_page(
                session,
                self._account_id,
                pass_before=now - _PASS_EVERY,
                chats_before=now - _PASS_FOR_NEW_CHATS_EVERY,
            )
        if page is None:
            return
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._read_pages(page)
        except (UpstreamError, TimeoutError) as error:
            log.warning(
                "sync.listings_unread", account=self._account_id, error=type(error).__name__
            )

    async def read_page(self, page: int, known: set[int]) -> ItemPage:
        """Read a page (from 1), store it and add its ids to ``known``, those of the pages before.

        A page without a new id ends the pass: Avito repeats the last one. So does a refusal of
        access.

        Raises:
            UpstreamError: the page cannot be read.
        """
        try:
            found = await self._client.list_items(page)
        except AvitoPermissionError:
            await self._write((), next_page=None)
            raise
        new = {item.id: item for item in found.items if item.id not in known}
        known.update(new)
        has_more = found.has_more and bool(new)
        await self._write(tuple(new.values()), next_page=page + 1 if has_more else None)
        return ItemPage(tuple(new.values()), has_more)

    async def _read_pages(self, page: int) -> None:
        known = set[int]()
        for number in range(page, page + PAGES_EACH_SYNC):
            if not (await self.read_page(number, known)).has_more:
                return

    async def _write(self, items: tuple[AvitoItem, ...], next_page: int | None) -> None:
        now = self._clock()
        rows = [
            _make_row(self._account_id, item, now) for item in sorted(items, key=lambda one: one.id)
        ]
        async with self._database.transaction() as session:
            await listings.upsert_listings(session, rows)
            await listings.mark_page_read(session, self._account_id, next_page=next_page, now=now)


def _make_row(account_id: int, item: AvitoItem, now: datetime) -> dict[str, object]:
    return {
        "account_id": account_id,
        "item_id": item.id,
        "title": item.title,
        "price": format_price(item.price),
        "category": item.category,
        "address": item.address,
        "status": item.status,
        "url": item.url,
        "read_at": now,
    }
