"""Locks of bulk updates of chats, held until the transaction ends: one for each account.

The list pass, the message pass, the claim of chats and the writing of outcomes lock the rows of an
account in different orders, so two of them at the same time could deadlock. SKIP LOCKED is not an
alternative: it would miss due chats.

Each of them shares one more lock. Who holds it alone waits for all of them, and they wait for it.

A transaction calls one of these functions, once and before its first update. Accounts are locked in
the order of their ids.
"""

from collections.abc import Collection

from sqlalchemy import BigInteger, any_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Chat
from app.repositories.sql_values import bigint_array

# Arbitrary numbers that all processes of the service share. Processes of the release before hold
# the first one alone in every bulk update, and take no other.
_ALL_ACCOUNTS = 5_318_008_202
_FIRST_ACCOUNT = 5_318_008 << 40


async def lock_account(session: AsyncSession, account_id: int) -> None:
    """Lock one account."""
    await session.execute(
        select(
            func.pg_advisory_xact_lock_shared(_ALL_ACCOUNTS),
            func.pg_advisory_xact_lock(cast(_FIRST_ACCOUNT + account_id, BigInteger)),
        )
    )


async def lock_accounts_of(session: AsyncSession, chat_ids: Collection[int]) -> None:
    """Lock the accounts of these chats."""
    accounts = (
        select(Chat.account_id)
        .where(Chat.id == any_(bigint_array(chat_ids)))
        .distinct()
        .order_by(Chat.account_id)
        .subquery("accounts")
    )
    await session.execute(
        select(
            func.pg_advisory_xact_lock_shared(_ALL_ACCOUNTS),
            func.pg_advisory_xact_lock(cast(_FIRST_ACCOUNT, BigInteger) + accounts.c.account_id),
        ).select_from(accounts)
    )


async def lock_all_accounts(session: AsyncSession) -> None:
    """Wait until no bulk update is under way, and lock all accounts. Hold this lock briefly."""
    await session.execute(select(func.pg_advisory_xact_lock(_ALL_ACCOUNTS)))
