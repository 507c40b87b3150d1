"""The final state of a world as plain values; ``invariants`` checks them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import httpx

from tests.chaos.arrivals import Arrival, list_arrivals
from tests.chaos.dialogues import Key, WrittenMessage
from tests.chaos.model_calls import count_duplicates
from tests.chaos.replicas import KEY, Ledger, Stuck
from tests.chaos.world import World


@dataclass(frozen=True)
class StoredMessage:
    """A message in the database."""

    text: str
    deleted: bool


@dataclass(frozen=True)
class StoredChat:
    """A chat in the database and its unfinished work."""

    avito_id: str
    outcome: str
    newest_person_message: int | None
    newest_report_up_to: int | None
    due: bool
    unread: bool
    claimed: bool
    settling: bool = False
    """It waits because the buyer wrote while the last date was simulated."""


@dataclass(frozen=True)
class StoredReport:
    """A report: its chat, and the last graded message."""

    id: int
    chat: str
    last_message: int


@dataclass(frozen=True)
class StoredMail:
    """A digest. ``early``: the covered dates whose report was not due yet by the true time."""

    id: int
    day: date
    kind: str
    covered: tuple[date, ...]
    early: tuple[date, ...]
    reports: int
    mean: float | None


@dataclass(frozen=True)
class StoredDelivery:
    """The state of a delivery."""

    digest: int
    recipient: str
    state: str
    answer: str
    message_id: str


@dataclass(frozen=True)
class Evidence:
    """Input of all checks."""

    world: str
    dates: Sequence[date] = ()
    written: dict[Key, WrittenMessage] = field(default_factory=dict)
    stored: dict[Key, StoredMessage] = field(default_factory=dict)
    chats: Sequence[StoredChat] = ()
    reports: Sequence[StoredReport] = ()
    mails: Sequence[StoredMail] = ()
    deliveries: Sequence[StoredDelivery] = ()
    arrivals: Sequence[Arrival] = ()
    open_runs: Sequence[str] = ()
    pages: dict[date, int] = field(default_factory=dict)
    listed: dict[date, tuple[int, float | None]] = field(default_factory=dict)
    """By date of a mail: the number of its reports over REST, and their mean score."""
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    recoveries: Sequence[float] = ()
    lock_waits: Sequence[float] = ()
    model_calls: int = 0
    duplicate_calls: int = 0

    @property
    def kills(self) -> int:
        return sum(len(ledger.kills) for ledger in self.ledgers.values())

    @property
    def stuck(self) -> list[Stuck]:
        return [span for ledger in self.ledgers.values() for span in ledger.stuck]


async def gather(world: World) -> Evidence:
    """Read the world's database, mail server and REST."""
    mails = await _fetch_mails(world)
    return Evidence(
        world=world.name,
        dates=tuple(world.dates),
        written=world.dialogues.written,
        stored=await _fetch_messages(world),
        chats=await _fetch_chats(world),
        reports=await _fetch_reports(world),
        mails=mails,
        deliveries=await _fetch_deliveries(world),
        arrivals=list_arrivals(world),
        open_runs=await _fetch_open_runs(world),
        pages={day: await _fetch_page(world, day) for day in world.dates},
        listed={
            day: await _fetch_listed(world, day) for day in sorted({mail.day for mail in mails})
        },
        ledgers={replica.name: replica.ledger for replica in world.replicas},
        recoveries=world.recoveries,
        lock_waits=world.lock_waits,
        model_calls=len(world.calls),
        duplicate_calls=count_duplicates(world.calls, await _count_repeats(world)),
    )


async def _fetch_messages(world: World) -> dict[Key, StoredMessage]:
    rows = await world.database.rows(
        "SELECT chats.avito_id AS chat, messages.avito_id AS message, text, deleted_at IS NOT NULL"
        " AS deleted FROM messages JOIN chats ON chats.id = chat_id"
    )
    return {
        (row["chat"], row["message"]): StoredMessage(row["text"], row["deleted"]) for row in rows
    }


async def _fetch_chats(world: World) -> list[StoredChat]:
    rows = await world.database.rows(
        """
        SELECT avito_id, outcome, last_person_message_id, messages_due,
               outcome_code IS NOT DISTINCT FROM 'settling' AND last_person_at > $1 AS settling,
               due_since IS NOT NULL AS due, grading_token IS NOT NULL AS claimed,
               (SELECT max(last_message_id) FROM reports
                WHERE chat_id = chats.id AND kind = 'grading') AS graded_up_to
        FROM chats
        """,
        world.calendar.moment(world.dates[-1]) - timedelta(minutes=30),
    )
    return [
        StoredChat(
            row["avito_id"],
            row["outcome"],
            row["last_person_message_id"],
            row["graded_up_to"],
            due=row["due"],
            unread=row["messages_due"],
            claimed=row["claimed"],
            settling=row["settling"],
        )
        for row in rows
    ]


async def _fetch_reports(world: World) -> list[StoredReport]:
    rows = await world.database.rows(
        "SELECT reports.id, avito_id, last_message_id FROM reports JOIN chats ON chats.id = chat_id"
        " WHERE kind = 'grading'"
    )
    return [StoredReport(row["id"], row["avito_id"], row["last_message_id"]) for row in rows]


async def _count_repeats(world: World) -> int:
    (row,) = await world.database.rows(
        "SELECT count(*) AS repeats FROM reports WHERE repeat IS NOT NULL"
    )
    return int(row["repeats"])


async def _fetch_mails(world: World) -> list[StoredMail]:
    rows = await world.database.rows("""
        SELECT id, day, kind, reports_count, (figures ->> 'mean_score')::float AS mean,
               ARRAY(SELECT jsonb_array_elements_text(figures -> 'covered_days')) AS covered
        FROM digests ORDER BY id
        """)
    mails = []
    for row in rows:
        covered = tuple(date.fromisoformat(day) for day in row["covered"])
        early = tuple(day for day in covered if world.is_early(row["id"], day))
        mails.append(
            StoredMail(
                row["id"],
                row["day"],
                row["kind"],
                covered,
                early,
                row["reports_count"],
                row["mean"],
            )
        )
    return mails


async def _fetch_deliveries(world: World) -> list[StoredDelivery]:
    rows = await world.database.rows(
        "SELECT digest_id, recipient, state, coalesce(answer, '') AS answer, message_id FROM"
        " deliveries"
    )
    return [StoredDelivery(*row.values()) for row in rows]


async def _fetch_open_runs(world: World) -> list[str]:
    rows = await world.database.rows(
        "SELECT id, kind, slot, state FROM runs WHERE state IN ('queued', 'running') ORDER BY id"
    )
    return [f"{row['kind']} {row['slot']} ({row['id']}) {row['state']}" for row in rows]


async def _fetch_page(world: World, day: date) -> int:
    answer = await _get(world, f"/reports/daily/{day}")
    return answer.status_code if answer is not None else 0


async def _fetch_listed(world: World, day: date) -> tuple[int, float | None]:
    answer = await _get(world, f"/reports/summary?mail={day}")
    if answer is None or answer.status_code != 200:
        return -1, None
    reports = await _get(world, f"/reports?mail={day}")
    count = len(reports.json()) if reports is not None and reports.status_code == 200 else -1
    return count, answer.json()["mean_score"]


async def _get(world: World, path: str) -> httpx.Response | None:
    """Request a path from the first replica that answers."""
    for replica in world.replicas:
        if not replica.alive:
            continue
        with replica.probing():
            try:
                async with httpx.AsyncClient(
                    base_url=replica.url, headers={"X-API-Key": KEY}, timeout=15
                ) as rest:
                    return await rest.get(f"/api/v1{path}")
            except httpx.HTTPError:
                continue
    return None
