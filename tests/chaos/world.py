"""A world: one account's chats, the sandbox, a Postgres, the replicas and the true time."""

import asyncio
import random
import time as machine
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from app.clock import at_local
from app.domain.working_hours import ROUND_THE_CLOCK_TEXT
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.chaos.clocks import TrueClock
from tests.chaos.dialogues import Dialogues
from tests.chaos.journal import Journal
from tests.chaos.model_calls import CallRecorder, ModelCall
from tests.chaos.postgres import OUTAGE_ERRORS, Postgres
from tests.chaos.proxies import Proxy, to_port, to_socket
from tests.chaos.replicas import KEY, Replica
from tests.chaos.taps import Taps

RECIPIENTS = ("boss@example.ru", "second@example.ru")
FAR_ENDS = ("postgres", "avito", "deepseek", "smtp")

_LOOK_SECONDS = 2.0
_PROBE_SECONDS = 12.0
_CLOCKS_APART = timedelta(minutes=15)
"""Smaller differences between clocks are not a fault."""


@dataclass(frozen=True)
class Calendar:
    """The due time of reports, and the first date of the simulation."""

    zone: ZoneInfo
    report_time: time
    first: date

    def moment(self, day: date) -> datetime:
        """Return when the report of a date is due."""
        return at_local(day, self.report_time, self.zone)


@dataclass
class World:
    """One simulated company."""

    name: str
    calendar: Calendar
    rng: random.Random
    truth: TrueClock
    sandbox: Sandbox
    database: Postgres
    dialogues: Dialogues
    journal: Journal
    calls: list[ModelCall]
    replicas: list[Replica] = field(default_factory=list)
    dates: list[date] = field(default_factory=list)
    """Dates whose report has become due."""
    mailed_at: dict[int, datetime] = field(default_factory=dict)
    """By id of a mail: the true time when it was first seen."""
    recoveries: list[float] = field(default_factory=list)
    """Seconds from a kill to the end of the date's work."""
    lock_waits: list[float] = field(default_factory=list)
    """Seconds of a date's work during which a replica was frozen with the lock of chats."""
    database_faults: int = 0
    """Number of current faults that block the Postgres of all replicas."""
    policy_until: date | None = None
    """The last date on which the mail server refuses every mail by policy."""
    exempt_until: dict[str, float] = field(default_factory=dict)
    """Replicas exempt from faults until a monotonic moment, so that their recovery is observed."""

    @property
    def kills(self) -> int:
        """Number of SIGKILLs so far."""
        return sum(len(replica.ledger.kills) for replica in self.replicas)

    def note(self, kind: str, details: object = "") -> None:
        """Record an event."""
        self.journal.write(self.name, self.truth(), kind, details)

    def advance_to(self, moment: datetime) -> None:
        """Advance the time for all replicas."""
        self.truth.advance_to(moment)
        self.set_clock()

    def set_clock(self) -> None:
        """Set the clocks of all replicas again."""
        for replica in self.replicas:
            replica.set_clock()

    def start(self) -> None:
        """Start the replicas that are down."""
        for replica in self.replicas:
            replica.start()

    def list_exposed(self) -> list[Replica]:
        """Return the replicas that may get a fault, including those about to start."""
        now = machine.monotonic()
        return [
            one
            for one in self.replicas
            if not one.never_killed and self.exempt_until.get(one.name, 0) < now
        ]

    def list_victims(self) -> list[Replica]:
        """Return the exposed replicas that run."""
        return [one for one in self.list_exposed() if one.alive]

    def exempt(self, replicas: Iterable[Replica], seconds: float) -> None:
        """Exempt replicas from faults for a number of seconds."""
        for replica in replicas:
            self.exempt_until[replica.name] = machine.monotonic() + seconds

    def heal(self) -> None:
        """End all faults that are switches."""
        for far_end in (self.sandbox.avito, self.sandbox.deepseek):
            far_end.switches.faults.clear()
            far_end.switches.latency_seconds = 0.0
        self.heal_mail()
        for replica in self.replicas:
            replica.heal()

    def heal_mail(self) -> None:
        """Make the mail server accept everything again."""
        switches = self.sandbox.smtp.switches
        switches.recipient_answers.clear()
        (
            switches.data_answer,
            switches.cut_after_dot,
            switches.refuse_connections,
            switches.latency_seconds,
        ) = (
            None,
            False,
            False,
            0.0,
        )

    async def note_mails(self, connection: asyncpg.Connection) -> None:
        """Record the true time of new mails."""
        for row in await connection.fetch(
            "SELECT id FROM digests WHERE id > $1", max(self.mailed_at, default=0)
        ):
            self.mailed_at[row["id"]] = self.truth()

    def is_early(self, mail: int, day: date) -> bool:
        """Return whether a mail existed before a date's report was due.

        This happens if a replica's clock is far ahead.
        """
        return self.mailed_at.get(mail, self.truth()) + _CLOCKS_APART < self.calendar.moment(day)

    async def delete_recent(self) -> None:
        """Delete a message that is recent enough for sync to notice.

        Check first whether it is stored.
        """
        young = sorted(self.dialogues.list_recent())
        if not young:
            return
        key = self.rng.choice(young)
        stored = (
            "SELECT 1 FROM messages JOIN chats ON chats.id = chat_id WHERE chats.avito_id = $1 AND"
            " messages.avito_id = $2"
        )
        with suppress(*OUTAGE_ERRORS):
            kept = bool(await self.database.rows(stored, *key))
            self.dialogues.delete_message(key, kept=kept)
            self.note("message.taken_back", f"{key[1][:8]} kept={kept}")

    async def post(self, path: str, seconds: float = 15) -> int | None:
        """Send a POST to a replica; None without a response in time."""
        up = [replica for replica in self.replicas if replica.alive and replica.frozen_at is None]
        if not up:
            return None
        replica = self.rng.choice(up)
        with replica.probing(), suppress(httpx.HTTPError):
            async with httpx.AsyncClient(
                base_url=replica.url, headers={"X-API-Key": KEY}, timeout=seconds
            ) as rest:
                return (await rest.post(f"/api/v1{path}")).status_code
        return None

    async def watch(self) -> None:
        """Check the replicas until cancelled: stuck, readiness, resources."""
        probed_at = 0.0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            answers: list[str | None] = [None] * len(self.replicas)
            if machine.monotonic() - probed_at > _PROBE_SECONDS:
                answers = list(
                    await asyncio.gather(*(replica.readiness() for replica in self.replicas))
                )
                probed_at = machine.monotonic()
                for replica in self.replicas:
                    replica.sample()
            if not self.database_faults:
                with suppress(*OUTAGE_ERRORS):
                    async with self.database.connected() as connection:
                        await self.note_mails(connection)
            for replica, answer in zip(self.replicas, answers, strict=True):
                replica.check_stuck(answer, blocked=self.database_faults > 0)


@asynccontextmanager
async def open_world(
    name: str,
    calendar: Calendar,
    database: Postgres,
    journal: Journal,
    folder: Path,
    *,
    seed: str,
    replicas: int,
) -> AsyncIterator[World]:
    """Create a world whose replicas are down, an hour before its first report."""
    rng = random.Random(seed)  # noqa: S311 - reproducible
    truth = TrueClock(calendar.moment(calendar.first) - timedelta(minutes=55))
    avito = LocalAvito(clock=truth)
    dialogues = Dialogues(avito, truth, rng)
    calls: list[ModelCall] = []
    sandbox = Sandbox(avito=avito)
    sandbox.deepseek.app.add_middleware(CallRecorder, calls=calls)
    for far_end in (avito, sandbox.deepseek):
        far_end.switches.record_requests = False
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sandbox)
        world = World(name, calendar, rng, truth, sandbox, database, dialogues, journal, calls)
        for number in range(1, replicas + 1):
            replica = await _open_replica(f"{name}-{number}", world, folder)
            stack.push_async_callback(replica.close)
            world.replicas.append(replica)
        yield world


async def _open_replica(name: str, world: World, folder: Path) -> Replica:
    sandbox, taps = world.sandbox, Taps(name)
    proxies = {
        "postgres": Proxy(to_socket(world.database.socket), taps.postgres),
        "avito": Proxy(to_port(sandbox.host, urlsplit(sandbox.avito_url).port or 0), taps.avito),
        "deepseek": Proxy(
            to_port(sandbox.host, urlsplit(sandbox.deepseek_url).port or 0), taps.deepseek
        ),
        "smtp": Proxy(to_port(sandbox.host, sandbox.smtp_port), taps.smtp, taps.smtp_ended),
    }
    for proxy in proxies.values():
        await proxy.start()
    replica = Replica(name, world.truth, folder, proxies, taps)
    replica.environment = {
        "LANG": "C.UTF-8",
        **sandbox.environment(),
        "DATABASE_URL": world.database.url_at(proxies["postgres"].port),
        "AVITO_BASE_URL": f"http://127.0.0.1:{proxies['avito'].port}",
        "DEEPSEEK_BASE_URL": f"http://127.0.0.1:{proxies['deepseek'].port}",
        "SMTP_PORT": str(proxies["smtp"].port),
        "DATA_DIR": str(folder),
        "API_KEYS": KEY,
        "PORT": str(replica.port),
        "MAIL_FROM": "reports@example.ru",
        "REPORT_RECIPIENTS": ",".join(RECIPIENTS),
        "REPORT_TIME": f"{world.calendar.report_time:%H:%M}",
        "REPORT_TIMEZONE": world.calendar.zone.key,
        "AVITO_REQUESTS_PER_MINUTE": "0",
        "WORKING_HOURS": ROUND_THE_CLOCK_TEXT,  # the tests run at any hour
        "DEEPSEEK_MAX_CONCURRENCY": "4",
        "LOG_FORMAT": "json",
    }
    return replica
