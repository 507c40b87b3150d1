"""A service that is killed in the middle of a day, and its database restored on another server.

The service that starts there continues the day at once: the leases of the old process do not block.
"""

from collections import Counter
from pathlib import Path

import pytest

from app.clock import system_clock
from app.database.engine import Database
from app.sandbox.server import Sandbox
from app.services.run_params import DailyParams
from app.services.runs import submit
from tests.support.command_line import run_app
from tests.support.service_process import DAY, fetch_rows, run_service
from tests.support.slow_sandbox import keep_every_third
from tests.support.stage import until

# Moment of the kill, and mails that are in transit then: only they may arrive twice.
MOMENTS = {
    "graded": ("SELECT 1 FROM reports LIMIT 1", 0),
    "mailing": ("SELECT 1 FROM deliveries WHERE state = 'sending'", 2),
    "mailed": ("SELECT 1 FROM runs WHERE kind = 'daily' AND state = 'done'", 0),
}

_HELD = """
    SELECT id FROM runs WHERE lease_until > now()
    UNION ALL SELECT id FROM deliveries WHERE claimed_until > now()
"""
"""Of the killed process. A lease lasts 30 seconds, the claim of a delivery up to 12 minutes."""


@pytest.mark.parametrize("moment", MOMENTS)
async def test_day_continues_on_the_restored_database(
    moment: str, database: Database, database_url: str, postgres_url: str, tmp_path: Path
) -> None:
    has_come, in_transit = MOMENTS[moment]

    async def is_reached() -> bool:
        return bool(await fetch_rows(database, has_come))

    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        await submit(database, DailyParams(), system_clock, slot=DAY)
        async with run_service(database_url, sandbox, tmp_path) as service:
            await until(is_reached)
            service.kill()
            await service.program.wait()
        file = str(tmp_path / "quality.dump")
        assert (await run_app(tmp_path, "backup", file, DATABASE_URL=database_url)).code == 0
        assert (await run_app(tmp_path, "restore", file, DATABASE_URL=postgres_url)).code == 0
        moved = Database(postgres_url)
        assert await fetch_rows(moved, _HELD) == [], "the next process need not wait"
        async with run_service(postgres_url, sandbox, tmp_path):
            await until(lambda: is_day_done(moved))
        await assert_done_once(moved, sandbox, in_transit)
        await moved.close()


async def is_day_done(database: Database) -> bool:
    done = "SELECT 1 FROM runs WHERE kind = 'daily' AND state = 'done'"
    is_open = "SELECT 1 FROM deliveries WHERE state IN ('queued', 'sending')"
    return bool(await fetch_rows(database, done)) and not await fetch_rows(database, is_open)


async def assert_done_once(database: Database, sandbox: Sandbox, in_transit: int) -> None:
    graded = Counter(
        row["chat_id"] for row in await fetch_rows(database, "SELECT chat_id FROM reports")
    )
    assert set(graded.values()) == {1}
    assert len(await fetch_rows(database, "SELECT 1 FROM digests")) == 1
    mails = {(mail.recipients[0], mail.data) for mail in sandbox.smtp.messages}
    assert {recipient for recipient, _ in mails} == {"boss@example.ru", "second@example.ru"}
    assert len(mails) == 2, "a repeated mail has the same bytes"
    assert len(sandbox.smtp.messages) <= 2 + in_transit
