"""A mail run executed step by step.

A test can make it lose its lease, use its own mail client, or end its process.
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
from app.services.mail.mailer import send_daily_report
from app.services.mail.settings import MailSettings
from app.services.run_params import MailParams
from app.services.runs import Lease, Progress, RunContext, StepResult, submit
from tests.support.daily_mails import BOSS, SECOND
from tests.support.stage import MovableClock, Stage, until


@dataclass
class Process:
    """One process of the service: its connections, clock and unwritten arrivals.

    ``smtp`` are options of its mail client.
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
        """Queue a mail run of today (``date=None``: without a date) and hold its lease."""
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
        """Execute the run in the background."""
        zone = self.stage.service.settings.report_timezone
        return asyncio.create_task(
            send_daily_report(self.database, self.post, zone, self.clock, run)
        )

    async def mail(self, **params: Any) -> StepResult:
        """Queue and execute a run."""
        return await self.work_on(await self.begin(**params))

    async def resume(self, run: RunContext[MailParams]) -> StepResult:
        """Execute a run that another process has started."""
        own = replace(
            run, token=uuid.uuid4(), progress=Progress(), lease=Lease(), stopping=asyncio.Event()
        )
        return await self.work_on(await self._take(own))


def lose_lease(run: RunContext[MailParams]) -> None:
    """Expire the lease as a freeze of a minute does."""
    run.lease.renew(time.monotonic() - 60)


async def wait_for_mails(stage: Stage, count: int = 1) -> None:
    """Wait until the mail server has received this many mails."""

    async def enough() -> bool:
        return len(stage.sandbox.smtp.messages) >= count

    await until(enough)


async def wait_for_unwritten_arrivals(process: Process, count: int) -> None:
    """Wait until the process holds this many unwritten arrivals."""

    async def so_many() -> bool:
        return process.arrivals.unwritten == count

    await until(so_many)


async def wait_for_delivery_state(stage: Stage, recipient: str, state: str) -> None:
    """Wait until the last mail's delivery to this recipient has this state."""

    async def reached() -> bool:
        row = (await fetch_deliveries(stage)).get(recipient)
        return row is not None and bool(row["state"] == state)

    await until(reached)


async def fetch_deliveries(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return the deliveries of the last mail by recipient."""
    rows = await stage.rows(
        """SELECT recipient, state, tries, refusals, answer, next_try_at,
            claimed_until > now() AS claimed FROM deliveries
           WHERE digest_id = (SELECT max(id) FROM digests) ORDER BY id"""
    )
    return {row["recipient"]: row for row in rows}


async def expire_claims(stage: Stage) -> None:
    """Expire all claims of deliveries, as twelve minutes do."""
    await stage.change(
        "UPDATE deliveries SET claimed_until = now() - interval '1 second' WHERE claimed_until IS"
        " NOT NULL"
    )


async def create_unsent_delivery(idle_stage: Stage, process: Process, recipient: str) -> int:
    """Create a mail that could not be sent; return the ID of the recipient's delivery."""
    idle_stage.sandbox.smtp.switches.refuse_connections = True
    await process.mail()
    idle_stage.sandbox.smtp.switches.refuse_connections = False
    (row,) = await idle_stage.rows("SELECT id FROM deliveries WHERE recipient = :to", to=recipient)
    return int(row["id"])


async def begin_slow_delivery(
    idle_stage: Stage, database: Database, recipient: str
) -> tuple[Process, RunContext[MailParams], asyncio.Task[StepResult]]:
    """Begin a mail run; return it when the server has the mail and delays its reply by 0.5 s."""
    process = Process(idle_stage, database, recipients=(recipient,))
    idle_stage.sandbox.smtp.switches.dot_latencies[recipient] = 0.5
    run = await process.begin()
    step = process.work_on(run)
    await wait_for_mails(idle_stage)
    return process, run, step
