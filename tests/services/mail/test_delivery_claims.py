"""One copy per recipient: only one attempt holds a delivery, and for how long."""

import uuid
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from app.database.engine import Database
from app.repositories import delivery_claims
from app.services.mail.presence import Presence
from tests.support.daily_mails import BOSS, SECOND, list_mails
from tests.support.mail_runs import (
    Process,
    create_unsent_delivery,
    expire_claims,
    fetch_deliveries,
)
from tests.support.stage import Stage, until

LATER = timedelta(minutes=5)


async def claim(
    database: Database, process: Process, delivery_id: int, token: uuid.UUID
) -> delivery_claims.ClaimedDelivery | None:
    now = process.clock()
    async with database.transaction() as session:
        return await delivery_claims.claim_delivery(
            session, delivery_id, token, now=now, retry_at=now + LATER
        )


async def test_only_one_attempt_holds_a_delivery(
    idle_stage: Stage, process: Process, database: Database
) -> None:
    number = await create_unsent_delivery(idle_stage, process, BOSS)
    first, second = uuid.uuid4(), uuid.uuid4()
    claimed = await claim(database, process, number, first)
    assert claimed is not None
    assert claimed.tries == 2
    assert await claim(database, process, number, second) is None
    await expire_claims(idle_stage)
    again = await claim(database, process, number, second)
    assert again is not None
    assert again.tries == 3
    async with database.transaction() as session:
        assert not await delivery_claims.announce_dot(session, number, first, backend=None), (
            "another attempt has begun"
        )
        assert await delivery_claims.announce_dot(session, number, second, backend=None)


async def test_overtaken_attempt_writes_nothing(
    idle_stage: Stage, process: Process, database: Database
) -> None:
    """A frozen process continues after the mail has arrived and its bytes were deleted."""
    number = await create_unsent_delivery(idle_stage, process, BOSS)
    frozen, other = uuid.uuid4(), uuid.uuid4()
    await claim(database, process, number, frozen)
    await expire_claims(idle_stage)
    await claim(database, process, number, other)
    async with database.transaction() as session:
        assert await delivery_claims.mark_sent(
            session, number, answer="250 Ok", now=process.clock()
        )
    async with database.transaction() as session:
        for token in (frozen, other):
            assert not await delivery_claims.release_claim(session, number, token)
            assert not await delivery_claims.announce_dot(session, number, token, backend=None)
            assert not await delivery_claims.mark_unsent(
                session,
                number,
                token,
                answer="451",
                refused=True,
                final=True,
                next_try_at=process.clock(),
            )
        assert not await delivery_claims.mark_sent(
            session, number, answer="250 again", now=process.clock()
        )
    row = (await fetch_deliveries(idle_stage))[BOSS]
    assert (row["state"], row["answer"], row["refusals"], row["next_try_at"]) == (
        "sent",
        "250 Ok",
        0,
        None,
    )


async def test_arrival_ends_a_later_attempt(
    idle_stage: Stage, process: Process, database: Database
) -> None:
    """The database was down for longer than the claim. The second attempt must not send its dot."""
    number = await create_unsent_delivery(idle_stage, process, BOSS)
    second = uuid.uuid4()
    await claim(database, process, number, uuid.uuid4())
    await expire_claims(idle_stage)
    await claim(database, process, number, second)
    async with database.transaction() as session:
        assert await delivery_claims.mark_sent(
            session, number, answer="250 Ok", now=process.clock()
        )
        assert not await delivery_claims.announce_dot(session, number, second, backend=None)


async def test_claim_of_a_dead_process_is_long_only_after_the_dot(
    idle_stage: Stage, process: Process, database: Database
) -> None:
    number = await create_unsent_delivery(idle_stage, process, BOSS)
    token = uuid.uuid4()
    seconds_left = (
        "SELECT extract(epoch FROM claimed_until - now()) AS seconds FROM deliveries WHERE id = :id"
    )
    await claim(database, process, number, token)
    assert 0 < (await idle_stage.rows(seconds_left, id=number))[0]["seconds"] <= 30
    async with database.transaction() as session:
        await delivery_claims.announce_dot(session, number, token, backend=None)
    assert 660 < (await idle_stage.rows(seconds_left, id=number))[0]["seconds"] <= 720
    result = await process.mail()
    assert not result.ok
    assert "ответ почтового сервера ещё не записан" in result.message
    assert list_mails(idle_stage, BOSS) == []
    assert len(list_mails(idle_stage, SECOND)) == 1
    assert (await idle_stage.rows("SELECT mime IS NULL AS gone FROM digests"))[0]["gone"] is False
    await expire_claims(idle_stage)
    assert (await process.mail()).ok
    assert len(list_mails(idle_stage, BOSS)) == 1


@pytest.mark.parametrize("lives", [True, False])
async def test_claim_past_the_dot_is_released_if_its_process_has_died(
    idle_stage: Stage, process: Process, database: Database, database_url: str, *, lives: bool
) -> None:
    """A dead process has no connection to Postgres. A frozen one keeps it and its claim."""
    number, token, holder = (
        await create_unsent_delivery(idle_stage, process, BOSS),
        uuid.uuid4(),
        Database(database_url),
    )
    await claim(database, process, number, token)
    async with AsyncExitStack() as alive:
        backend = await alive.enter_async_context(Presence().hold(holder))
        async with database.transaction() as session:
            await delivery_claims.announce_dot(session, number, token, backend=backend)
        if not lives:
            await alive.aclose()

            async def is_closed() -> bool:
                await holder.close()
                return (
                    await idle_stage.rows(
                        "SELECT 1 FROM pg_stat_activity WHERE pid = :pid",
                        pid=int(str(backend).split()[0]),
                    )
                    == []
                )

            await until(is_closed)
        assert not (await process.mail()).ok, (
            "the process may have lost only its connection and may still write an arrival"
        )
        await idle_stage.change(
            "UPDATE deliveries SET claimed_until = claimed_until - interval '121 seconds' WHERE"
            " claim_backend IS NOT NULL"
        )
        assert (await process.mail()).ok is not lives
        assert len(list_mails(idle_stage, BOSS)) == (0 if lives else 1)
    await holder.close()
