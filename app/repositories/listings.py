"""SQL of the listings: the cache of each account, and the snapshot for a chat."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.listing import Listing
from app.models import Account, AccountListing, Chat
from app.repositories.chat_conditions import COMPANY_IS_BUYER

_IS_OF_CHAT: ColumnElement[bool] = and_(
    AccountListing.account_id == Chat.account_id, AccountListing.item_id == Chat.item_id
)


async def upsert_listings(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace listings; the keys of ``rows`` are the columns."""
    if not rows:
        return
    statement = insert(AccountListing).values(list(rows))
    changes = {name: statement.excluded[name] for name in rows[0]}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[AccountListing.account_id, AccountListing.item_id], set_=changes
        )
    )


async def find_due_page(
    session: AsyncSession, account_id: int, *, pass_before: datetime, chats_before: datetime
) -> int | None:
    """Return the next page of listings to read; None: none is due.

    A pass that was begun is continued. A new one begins if no pass has ended since
    ``pass_before``, or none since ``chats_before`` and a newer chat is about an unknown listing.
    Without a chat about a listing, none begins.
    """
    account = await session.get_one(Account, account_id, populate_existing=True)
    if account.listings_page is not None:
        return account.listings_page
    ended = account.listings_read_at
    about_listing = Chat.account_id == account_id, Chat.item_id.is_not(None), ~COMPANY_IS_BUYER
    if ended is None or ended < pass_before:
        is_due = select(Chat.id).where(*about_listing).exists()
    elif ended < chats_before:
        known = select(AccountListing.id).where(_IS_OF_CHAT).correlate(Chat).exists()
        is_due = (
            select(Chat.id).where(*about_listing, Chat.avito_created_at > ended, ~known).exists()
        )
    else:
        return None
    return 1 if await session.scalar(select(is_due)) else None


async def mark_page_read(
    session: AsyncSession, account_id: int, *, next_page: int | None, now: datetime
) -> None:
    """Store where to continue the pass; None: the pass has ended."""
    values: dict[str, Any] = {"listings_page": next_page}
    if next_page is None:
        values["listings_read_at"] = now
    await session.execute(update(Account).where(Account.id == account_id).values(values))


async def list_next_ids(
    session: AsyncSession, account_id: int, after_id: int, *, listings: int, chats: int
) -> list[int]:
    """Return the ids of the next listings in ascending order: cached ones and those of chats.

    At most ``listings``, and so many that they have at most ``chats`` stored chats together; one if
    it alone has more.
    """
    of_chats = await session.scalars(
        select(Chat.item_id)
        .where(Chat.account_id == account_id, Chat.item_id > after_id)
        .order_by(Chat.item_id)
        .limit(chats + 1)
    )
    cached = await session.scalars(
        select(AccountListing.item_id)
        .where(AccountListing.account_id == account_id, AccountListing.item_id > after_id)
        .order_by(AccountListing.item_id)
        .limit(listings)
    )
    ids = [number for number in of_chats if number is not None]
    found = sorted({*ids, *cached})[:listings]
    # The last listing of the limited rows may have further chats.
    whole = [number for number in found if len(ids) <= chats or number < ids[-1]]
    return whole or found[:1]


async def count_pages(
    session: AsyncSession, account_id: int, *, listings: int, chats: int
) -> tuple[int, int]:
    """Return the number of stored chats, and that of the batches of ``list_next_ids`` at least."""
    counted = select(func.count(), func.count(Chat.item_id), func.count(Chat.item_id.distinct()))
    row = (await session.execute(counted.where(Chat.account_id == account_id))).one()
    return row[0], max(-(-row[1] // chats), -(-row[2] // listings))


async def get_of_chat(session: AsyncSession, chat: Chat) -> AccountListing | None:
    """Return the cached listing of a chat."""
    statement = select(AccountListing).where(
        AccountListing.account_id == chat.account_id, AccountListing.item_id == chat.item_id
    )
    return await session.scalar(statement)


async def list_snapshots(session: AsyncSession, chat_ids: Collection[int]) -> dict[int, Listing]:
    """Return the listing of each chat that is about one, by chat.

    The chat's own title and price are read after its last message, so they come first.
    """
    statement = (
        select(
            Chat.id,
            func.coalesce(Chat.item_title, AccountListing.title),
            func.coalesce(Chat.item_price, AccountListing.price),
            AccountListing.category,
            AccountListing.address,
            Chat.item_earlier_prices,
        )
        .join(AccountListing, _IS_OF_CHAT, isouter=True)
        .where(Chat.id.in_(chat_ids))
    )
    found = {
        row[0]: Listing(*row[1:5], earlier_prices=tuple(row[5]))
        for row in await session.execute(statement)
    }
    return {chat_id: listing for chat_id, listing in found.items() if listing != Listing()}
