"""Which bulk updates of chats wait for each other."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.repositories.chat_locks import lock_account, lock_accounts_of, lock_all_accounts
from app.repositories.due_chats import claim_due
from app.repositories.grading_scope import Scope

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


@pytest.fixture
async def chats(database: Database) -> None:
    """Three accounts with one due chat each."""
    async with database.transaction() as session:
        for number in (1, 2, 3):
            for sql in (
                "INSERT INTO accounts (id, avito_user_id, name, client_id)"
                " VALUES (:id, :id, 'Лавка', 'client')",
                "INSERT INTO chats (id, account_id, avito_id, last_person_message_id, due_since)"
                " SELECT id, id, 'u2i', id, to_timestamp(id) FROM accounts WHERE id = :id",
            ):
                await session.execute(text(sql), {"id": number})


@pytest.mark.usefixtures("chats")
async def test_accounts_of_chats_are_locked(database: Database) -> None:
    async with hold(database, partial(lock_accounts_of, chat_ids=[3, 1])):
        found = [await waits(database, partial(lock_account, account_id=id_)) for id_ in (1, 2, 3)]
    assert found == [True, False, True]


@pytest.mark.usefixtures("chats")
async def test_claim_continues_if_its_chats_were_changed_meanwhile(database: Database) -> None:
    async def claim() -> list[int]:
        async with database.transaction() as session:
            found = await claim_due(session, Scope(), 1, uuid.uuid4(), limit=1)
        return [chat.id for chat in found]

    async with database.transaction() as session:
        await lock_account(session, 1)
        claimed = asyncio.create_task(claim())
        await asyncio.sleep(0.3)
        assert not claimed.done()
        await session.execute(text("UPDATE chats SET due_since = NULL WHERE id = 1"))
    assert await claimed == [2]
