"""SQL of the Avito accounts."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account


async def upsert_account(
    session: AsyncSession, *, avito_user_id: int, client_id: str, name: str
) -> Account:
    """Writes what is known of an account and returns its row."""
    values = {"client_id": client_id, "name": name}
    statement = (
        insert(Account)
        .values(avito_user_id=avito_user_id, **values)
        .on_conflict_do_update(index_elements=[Account.avito_user_id], set_=values)
        .returning(Account)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).one()


async def get_account(session: AsyncSession, client_id: str) -> Account | None:
    """The account that the keys were last seen to belong to."""
    return (
        await session.scalars(
            select(Account)
            .where(Account.client_id == client_id)
            .order_by(Account.id.desc())
            .limit(1)
        )
    ).first()


async def list_accounts(session: AsyncSession) -> list[Account]:
    """Every account ever read, oldest first."""
    return list(await session.scalars(select(Account).order_by(Account.id)))


async def mark_listed(
    session: AsyncSession,
    account_id: int,
    *,
    up_to: datetime | None,
    full_at: datetime | None,
    cut_short: int | None,
) -> None:
    """Moves the watermark at the end of a list pass; what a pass could not learn (None) stays as it
    was.
    """
    values = {"listed_up_to": up_to, "fully_listed_at": full_at, "lists_cut_short": cut_short}
    known = {name: value for name, value in values.items() if value is not None}
    if known:
        await session.execute(update(Account).where(Account.id == account_id).values(known))


async def mark_account_synced(session: AsyncSession, account_id: int, now: datetime) -> None:
    """The account was read without a failure of its own."""
    await session.execute(update(Account).where(Account.id == account_id).values(synced_at=now))


class AccountCoverage(NamedTuple):
    """The chats that are up to date with Avito, those among them whose history Avito does not give
    in full, and lists cut short.
    """

    up_to_date: int
    incomplete: int
    lists_cut_short: int


async def get_coverage(session: AsyncSession, account_id: int) -> AccountCoverage:
    """How much of the account is here."""
    row = await session.execute(
        text("""
            SELECT count(*) FILTER (WHERE NOT messages_due), count(*) FILTER (WHERE NOT messages_due AND NOT history_complete),
                   (SELECT lists_cut_short FROM accounts WHERE id = :account_id)
            FROM chats WHERE account_id = :account_id AND messages_read_at IS NOT NULL
            """),
        {"account_id": account_id},
    )
    return AccountCoverage(*row.one())
