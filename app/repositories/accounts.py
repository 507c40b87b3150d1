"""SQL of the Avito accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, any_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Chat
from app.repositories.sql_values import bigint_array


async def upsert_account(
    session: AsyncSession, *, avito_user_id: int, client_id: str, name: str, now: datetime
) -> Account:
    """Upsert an account that Avito has named ``now``, and return its row. A new one is loading."""
    values = {"client_id": client_id, "name": name, "self_read_at": now}
    statement = (
        insert(Account)
        .values(avito_user_id=avito_user_id, is_loading=True, **values)
        .on_conflict_do_update(index_elements=[Account.avito_user_id], set_=values)
        .returning(Account)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).one()


async def get_account(session: AsyncSession, client_id: str) -> Account | None:
    """Return the account to which this API client belonged at the last sync."""
    return (
        await session.scalars(
            select(Account)
            .where(Account.client_id == client_id)
            .order_by(Account.id.desc())
            .limit(1)
        )
    ).first()


async def list_accounts(session: AsyncSession) -> list[Account]:
    """Return all accounts that a sync has read, oldest first."""
    return list(await session.scalars(select(Account).order_by(Account.id)))


async def mark_listed(session: AsyncSession, account_id: int, *, up_to: datetime) -> None:
    """Move the watermark at the end of a list pass."""
    statement = update(Account).where(Account.id == account_id).values(listed_up_to=up_to)
    await session.execute(statement)


async def mark_fully_listed(
    session: AsyncSession, account_id: int, *, now: datetime, due_at: datetime, cut_short: int
) -> None:
    """Store the end of a full pass. ``due_at``: of the next one."""
    values = {
        "fully_listed_at": now,
        "lists_cut_short": cut_short,
        "full_pass_due_at": due_at,
        "full_pass_position": None,
        "full_pass_cut_short": 0,
    }
    await session.execute(update(Account).where(Account.id == account_id).values(values))


async def mark_part_read(
    session: AsyncSession,
    account_id: int,
    *,
    position: int,
    due_at: datetime,
    pages: int,
    cut_short: int,
) -> None:
    """Store the state of the full pass in progress."""
    values = {
        "full_pass_position": position,
        "full_pass_due_at": due_at,
        "full_pass_pages": pages,
        "full_pass_cut_short": cut_short,
    }
    await session.execute(update(Account).where(Account.id == account_id).values(values))


async def mark_account_synced(session: AsyncSession, account_id: int, now: datetime) -> None:
    """Store that the account was read without a failure of the account itself."""
    await session.execute(update(Account).where(Account.id == account_id).values(synced_at=now))


async def mark_loaded(session: AsyncSession) -> None:
    """Store that a sync has ended, for accounts that were loading."""
    await session.execute(update(Account).where(Account.is_loading).values(is_loading=False))


async def mark_listed_replies(session: AsyncSession, account_id: int, digest: str) -> None:
    """Store by which AUTOREPLY_TEXTS_FILE all messages of the account are decided."""
    statement = update(Account).where(Account.id == account_id).values(listed_replies=digest)
    await session.execute(statement)


class AccountCoverage(NamedTuple):
    """Numbers of an account's chats.

    ``up_to_date``: chats that are equal to Avito. ``incomplete``: those among them with an
    incomplete history. ``lists_cut_short``: lists that Avito does not return in full.
    """

    up_to_date: int
    incomplete: int
    lists_cut_short: int


async def add_chats_read(session: AsyncSession, account_id: int, chat_ids: Sequence[int]) -> None:
    """Add those of these chats that have never been read; the caller marks them as read next."""
    unread = _count_chats(account_id, Chat.id == any_(bigint_array(chat_ids)), ~_IS_READ)
    await session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(chats_read=Account.chats_read + unread)
        .execution_options(synchronize_session=False)
    )


async def count_chats_read(session: AsyncSession, account_id: int) -> None:
    """Count the account's chats that have been read, of all its history."""
    await session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(chats_read=_count_chats(account_id, _IS_READ))
        .execution_options(synchronize_session=False)
    )


async def get_coverage(session: AsyncSession, account_id: int) -> AccountCoverage:
    """Return how much of the account is copied."""
    statement = select(
        Account.chats_read - _count_chats(account_id, Chat.messages_due.expression, _IS_READ),
        _count_chats(account_id, ~Chat.history_complete, ~Chat.messages_due, _IS_READ),
        Account.lists_cut_short,
    ).where(Account.id == account_id)
    return AccountCoverage(*(await session.execute(statement)).one())


_IS_READ = Chat.messages_read_at.is_not(None)


def _count_chats(account_id: int, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    chats = select(func.count()).select_from(Chat)
    return chats.where(Chat.account_id == account_id, *conditions).scalar_subquery()
