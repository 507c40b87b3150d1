"""One mail run carried out by hand: with a lease that a test can lose, a mail client of its own,
and a process that can be ended.
"""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.clients.mail import SmtpClient
from app.clock import local_date
from app.database.engine import Database
from app.services.mail.arrivals import Arrivals
from app.services.mail.composer import MailSettings
from app.services.mail.mailer import send_daily_report
from app.services.run_params import MailParams
from app.services.runs import Lease, Progress, RunContext, StepResult, submit
from tests.support.daily_mails import BOSS, SECOND
from tests.support.stage import MovableClock, Stage, until


@dataclass
class Process:
    """What one process of the service knows: its connections, its clock, its arrivals. ``smtp``:
    options of its mail client.
    """

    stage: Stage
    database: Database
    clock: MovableClock = field(default_factory=MovableClock)
    recipients: tuple[str, ...] = (BOSS, SECOND)
    finish_seconds: float = 5.0
    smtp: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        options: dict[str, Any] = {
            "username": None,
            "password": None,
            "security": "none",
            **self.smtp,
        }
        client = SmtpClient("127.0.0.1", self.stage.sandbox.smtp_port, **options)
        self.arrivals = Arrivals(finish_seconds=self.finish_seconds)
        self.post = MailSettings(
            client, "reports@example.ru", self.recipients, timedelta(days=7), arrivals=self.arrivals
        )

    async def begin(self, *, slot: str | None = None, **params: Any) -> RunContext[MailParams]:
        """A mail run of today (``date=None``: of no date) that this process holds the lease of."""
        zone = self.stage.service.settings.report_timezone
        asked = MailParams.model_validate({"date": local_date(self.clock(), zone), **params})
        number = await submit(self.database, asked, self.clock, slot=slot)
        return await self._take(
            RunContext(number, slot, asked, uuid.uuid4(), self.clock(), Progress())
        )

    async def _take(self, run: RunContext[MailParams]) -> RunContext[MailParams]:
        """Hold the lease of the run, as the only one of its kind."""
        async with self.database.transaction() as session:
            await session.execute(
                text("UPDATE runs SET state = 'queued' WHERE kind = 'mail' AND state = 'running'")
            )
            lease = (
                "state = 'running', lease_token = :token, lease_until = now() + interval '30"
                " seconds'"
            )
            await session.execute(
                text(f"UPDATE runs SET {lease} WHERE id = :id"),  # noqa: S608 - our own
                {"id": run.id, "token": run.token},
            )
        return run

    def work_on(self, run: RunContext[MailParams]) -> asyncio.Task[StepResult]:
        """Carry the run out, in the background."""
        zone = self.stage.service.settings.report_timezone
        return asyncio.create_task(
            send_daily_report(self.database, self.post, zone, self.clock, run)
        )

    async def mail(self, **params: Any) -> StepResult:
        """Begin a run and carry it out."""
        return await self.work_on(await self.begin(**params))

    async def resume(self, run: RunContext[MailParams]) -> StepResult:
        """Carry out a run that another process has begun."""
        own = replace(
            run, token=uuid.uuid4(), progress=Progress(), lease=Lease(), stopping=asyncio.Event()
        )
        return await self.work_on(await self._take(own))


def lose_lease(run: RunContext[MailParams]) -> None:
    """What a freeze of a minute does."""
    run.lease.renew(time.monotonic() - 60)


async def received_any(stage: Stage, count: int = 1) -> None:
    """Waits until the mail server has got so many mails."""

    async def enough() -> bool:
        return len(stage.sandbox.smtp.messages) >= count

    await until(enough)


async def unwritten_arrivals(process: Process, count: int) -> None:
    """Waits until the process holds so many acknowledged arrivals that are not written."""

    async def so_many() -> bool:
        return process.arrivals.unwritten == count

    await until(so_many)


async def state_of(stage: Stage, recipient: str, state: str) -> None:
    """Waits until the last mail's delivery to this recipient is in a state."""

    async def reached() -> bool:
        row = (await delivery_rows(stage)).get(recipient)
        return row is not None and bool(row["state"] == state)

    await until(reached)


async def delivery_rows(stage: Stage) -> dict[str, dict[str, Any]]:
    """The last mail's ledger, by recipient."""
    rows = await stage.rows(
        """SELECT recipient, state, tries, refusals, answer, next_try_at,
            claimed_until > now() AS claimed FROM deliveries
           WHERE digest_id = (SELECT max(id) FROM digests) ORDER BY id"""
    )
    return {row["recipient"]: row for row in rows}


async def pass_claims(stage: Stage) -> None:
    """What twelve minutes do."""
    await stage.change(
        "UPDATE deliveries SET claimed_until = now() - interval '1 second' WHERE claimed_until IS"
        " NOT NULL"
    )
