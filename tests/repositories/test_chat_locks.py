"""Which bulk updates of chats wait for each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.repositories.chat_locks import lock_account, lock_accounts_of, lock_all_accounts

Lock = Callable[[AsyncSession], Awaitable[None]]


async def _lock_as_the_release_before(session: AsyncSession) -> None:
    await session.execute(text("SELECT pg_advisory_xact_lock(5318008202)"))


ONE, OTHER = partial(lock_account, account_id=1), partial(lock_account, account_id=2)
ALL = lock_all_accounts
BEFORE = _lock_as_the_release_before


@asynccontextmanager
async def hold(database: Database, lock: Lock) -> AsyncIterator[None]:
    async with database.session() as session:
        await lock(session)
        yield


async def waits(database: Database, lock: Lock) -> bool:
    try:
        async with asyncio.timeout(0.3), hold(database, lock):
            return False
    except TimeoutError:
        return True


@pytest.mark.parametrize(
    ("held", "wanted", "waiting"),
    [
        (ONE, ONE, True),
        (ONE, OTHER, False),
        (ONE, ALL, True),
        (ALL, ONE, True),
        (ONE, BEFORE, True),
        (BEFORE, ONE, True),
        (BEFORE, ALL, True),
    ],
)
async def test_only_updates_of_the_same_account_wait_for_each_other(
    database: Database, held: Lock, wanted: Lock, waiting: bool
) -> None:
    async with hold(database, held):
        assert await waits(database, wanted) is waiting
    assert not await waits(database, wanted)


async def test_accounts_of_chats_are_locked(database: Database) -> None:
    async with database.transaction() as session:
        for account in (1, 2, 3):
            await session.execute(
                text(
                    "INSERT INTO accounts (id, avito_user_id, name, client_id)"
                    " VALUES (:id, :id, 'Лавка', 'client')"
                ),
                {"id": account},
            )
            await session.execute(
                text("INSERT INTO chats (id, account_id, avito_id) VALUES (:id, :id, 'u2i')"),
                {"id": account},
            )
    async with hold(database, partial(lock_accounts_of, chat_ids=[3, 1])):
        found = [await waits(database, partial(lock_account, account_id=id_)) for id_ in (1, 2, 3)]
    assert found == [True, False, True]
