"""Faults around the replicas: Postgres, Avito, DeepSeek, the mail server and clocks."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from app.sandbox.avito_switches import SERVER_ERROR as AVITO_ERROR
from app.sandbox.avito_switches import too_many as avito_too_many
from app.sandbox.deepseek_faults import OVERLOADED
from app.sandbox.deepseek_faults import too_many as model_too_many
from app.sandbox.faults import Behaviour, Cut, Slow
from tests.chaos import postgres
from tests.chaos.days import Day
from tests.chaos.postgres import OUTAGE_ERRORS
from tests.chaos.process_faults import stop_replica
from tests.chaos.proxies import Mode
from tests.chaos.replicas import Replica
from tests.chaos.taps import Step
from tests.chaos.world import RECIPIENTS

_TEMPORARY = (
    "451 4.7.1 Greylisted, try again later",
    "452 4.2.2 Mailbox full",
    "421 4.3.2 Service shutting down",
)
_POLICY = (
    "554 5.7.1 Message rejected as spam",
    "550 5.7.1 Listed on a block list",
    "552 5.3.4 Message too big",
    "554 5.7.1 Relay access denied",
)


# --- Postgres ---


@asynccontextmanager
async def _mark_database_fault(day: Day) -> AsyncIterator[None]:
    """Suspend the detection of stuck replicas during a database fault."""
    day.world.database_faults += 1
    try:
        yield
    finally:
        day.world.database_faults -= 1


async def _reach_random_step(day: Day) -> bool:
    """Wait for a random step of the date's work."""
    step = day.world.rng.choice((Step.SYNC, Step.GRADE, Step.GRADED, Step.MAIL, Step.AFTER_DOT))
    return await day.reach(step, day.world.rng.randint(1, 3), lambda _: True) is not None


async def crash_database(day: Day) -> None:
    """Kill the whole server or one backend with SIGKILL; it starts again."""
    folder = day.world.database.folder
    if folder is None or not await _reach_random_step(day):
        return
    async with _mark_database_fault(day):
        if day.world.rng.random() < 0.5:
            day.world.note("database.crash")
            postgres.crash(folder)
        else:
            day.world.note("database.backend_killed")
            postgres.kill_backend(folder, day.world.rng)
        await asyncio.sleep(3)


async def freeze_database(day: Day) -> None:
    """Freeze the server with SIGSTOP for seconds to a minute, as a paused container.

    Sometimes a replica is stopped meanwhile.
    """
    folder = day.world.database.folder
    if folder is None or not await _reach_random_step(day):
        return
    seconds = day.world.rng.choice((4, 12, 50))
    async with _mark_database_fault(day):
        day.world.note("database.freeze", f"{seconds} s")
        postgres.freeze(folder)
        try:
            await _wait_fault_end(day, seconds)
        finally:
            postgres.thaw(folder)
    day.world.note("database.thaw")


async def hold_database(day: Day) -> None:
    """Drop no connection, but hold all packets to and from Postgres for a while."""
    await _reach_random_step(day)
    seconds = day.world.rng.choice((5, 20, 50))
    async with _mark_database_fault(day):
        day.world.note("database.hold", f"{seconds} s")
        _set_modes(day.world.replicas, "postgres", Mode.HOLD)
        await _wait_fault_end(day, seconds)
        _set_modes(day.world.replicas, "postgres", Mode.PASS)
    day.world.note("database.pass")


async def _wait_fault_end(day: Day, seconds: float) -> None:
    """Wait for the end of a fault; in half of the cases stop a replica meanwhile."""
    await asyncio.sleep(seconds / 3)
    victims = day.world.list_victims()
    if victims and seconds > 10 and day.world.rng.random() < 0.5:
        replica = day.world.rng.choice(victims)
        await stop_replica(day, replica, "while the database is away")
        replica.start()
    await asyncio.sleep(seconds * 2 / 3)


async def strand_connections(day: Day) -> None:
    """Leave the Postgres connections of one replica or of all half-open for ever.

    The peer is gone without a reset.
    """
    await _reach_random_step(day)
    victims = day.world.list_victims()
    chosen = (
        victims
        if day.world.rng.random() < 0.3
        else day.world.rng.sample(victims, k=min(1, len(victims)))
    )
    for replica in chosen:
        replica.proxies["postgres"].strand_all()
    day.world.exempt(chosen, 150)
    day.world.note("database.strand", " ".join(replica.name for replica in chosen))


async def limit_connections(day: Day) -> None:
    """Leave the server almost no connections."""
    if day.world.database.folder is None:
        return
    await _reach_random_step(day)
    places = day.world.rng.choice((0, 1, 2, 4))
    async with _mark_database_fault(day):
        day.world.note("database.starve", f"{places} connections")
        with suppress(*OUTAGE_ERRORS):
            async with postgres.connection_limit(day.world.database, places):
                await asyncio.sleep(day.world.rng.uniform(5, 20))
    day.world.note("database.fed")


async def make_read_only(day: Day) -> None:
    """Make every transaction read-only for a while."""
    if day.world.database.folder is None:
        return
    await _reach_random_step(day)
    async with _mark_database_fault(day):
        day.world.note("database.read_only")
        with suppress(*OUTAGE_ERRORS):
            async with postgres.make_read_only(day.world.database):
                await asyncio.sleep(day.world.rng.uniform(5, 20))
    day.world.note("database.read_write")


async def lock_digests(day: Day) -> None:
    """Hold a long lock on ``digests`` when the mail is prepared."""
    if await day.reach(Step.GRADE, 1, lambda _: True):
        day.world.note("database.lock", "digests 25 s")
        await postgres.lock_table(day.world.database, "digests", 25)
        day.world.note("database.unlock")


def _set_modes(replicas: list[Replica], far_end: str, mode: Mode) -> None:
    for replica in replicas:
        replica.proxies[far_end].mode = mode


# --- Avito and DeepSeek ---


async def fail_server(day: Day) -> None:
    """Make Avito or the model fail, slow down, refuse by rate or disconnect.

    The fault lasts for seconds or until the date is over.
    """
    world, rng = day.world, day.world.rng
    name = rng.choice(("avito", "deepseek"))
    errors: Mapping[str, list[Behaviour]] = {
        "avito": [AVITO_ERROR, avito_too_many(), avito_too_many("2"), Cut(), Slow(2)],
        "deepseek": [OVERLOADED, model_too_many(), model_too_many("2"), Cut(), Slow(3)],
    }
    behaviour = rng.choice(errors[name])
    switches = world.sandbox.avito.switches if name == "avito" else world.sandbox.deepseek.switches
    world.note(f"{name}.fail", behaviour)
    fault = switches.fail(behaviour, times=rng.choice((3, 10, None)))
    await day.pause(rng.choice((5, 15, 40)))
    if fault in switches.faults:
        switches.faults.remove(fault)
    world.note(f"{name}.heal")


async def cut_off_server(day: Day) -> None:
    """Refuse, cut or hold the connections to Avito or the model."""
    rng = day.world.rng
    name, mode = rng.choice(("avito", "deepseek")), rng.choice((Mode.REFUSE, Mode.HOLD))
    day.world.note(f"{name}.{mode.value}")
    _set_modes(day.world.replicas, name, mode)
    for replica in day.world.replicas:
        replica.proxies[name].cut_all()
    await day.pause(rng.uniform(5, 25))
    _set_modes(day.world.replicas, name, Mode.PASS)
    day.world.note(f"{name}.pass")


# --- SMTP ---


async def fail_mail(day: Day) -> None:
    """Make the mail server refuse connections, recipients or mails on a date.

    The refusals are temporary or permanent.
    """
    switches, rng = day.world.sandbox.smtp.switches, day.world.rng
    match kind := rng.choice(("connect", "temporary", "recipient", "policy")):
        case "connect":
            switches.refuse_connections = True
        case "temporary":
            switches.recipient_answers[RECIPIENTS[-1]] = rng.choice(_TEMPORARY)
        case "recipient":
            switches.recipient_answers[RECIPIENTS[-1]] = "550 5.1.1 No such user"
        case _:
            switches.data_answer = rng.choice(_POLICY)
    day.world.note("smtp.fail", kind)
    # Refuse once: after the third refusal the service may give the recipient up.
    if kind == "recipient":
        await day.reach(Step.MAIL, len(RECIPIENTS), lambda _: True)
        await day.pause(2)
    else:
        await day.pause(rng.uniform(8, 20))
    day.world.heal_mail()
    day.world.note("smtp.heal")


async def refuse_by_policy(day: Day) -> None:
    """Make the mail server refuse every mail by policy on three dates.

    The reply concerns the mail, not a recipient.
    """
    day.world.sandbox.smtp.switches.data_answer = day.world.rng.choice(_POLICY)
    day.world.policy_until = day.date + timedelta(days=2)
    day.world.note("smtp.policy", day.world.sandbox.smtp.switches.data_answer)


async def cut_after_dot(day: Day) -> None:
    """Accept a mail and close the connection before the reply."""
    day.world.sandbox.smtp.switches.cut_after_dot = True
    day.world.note("smtp.cut_after_dot")
    await day.reach(Step.BEFORE_DOT, 1, lambda _: True)
    await day.pause(day.world.rng.uniform(0.5, 3))
    day.world.sandbox.smtp.switches.cut_after_dot = False


async def answer_late(day: Day) -> None:
    """Delay the reply to the final dot by up to more than a minute, as a content filter does."""
    seconds = day.world.rng.choice((20, 70))
    for replica in day.world.replicas:
        replica.taps.answer_delay_seconds = seconds
    day.world.note("smtp.slow", f"{seconds} s after the dot")
    if await day.reach(Step.BEFORE_DOT, 1, lambda _: True):
        await asyncio.sleep(seconds + 2)
    for replica in day.world.replicas:
        replica.taps.answer_delay_seconds = 0


async def hold_mail(day: Day) -> None:
    """Stop the mail server's replies in the middle of a mail."""
    if await day.reach(Step.MAIL, 1, lambda _: True):
        day.world.note("smtp.hold")
        _set_modes(day.world.replicas, "smtp", Mode.HOLD)
        await asyncio.sleep(day.world.rng.choice((15, 65)))
        _set_modes(day.world.replicas, "smtp", Mode.PASS)
        day.world.note("smtp.pass")


# --- clocks ---


async def set_wrong_clock(day: Day) -> None:
    """Set the clock of one replica or of all wrong by hours or days for a minute."""
    rng = day.world.rng
    error = rng.choice(
        (timedelta(hours=26), timedelta(hours=26), timedelta(hours=-2), timedelta(days=40))
    )
    chosen = day.world.replicas if rng.random() < 0.5 else [rng.choice(day.world.replicas)]
    await day.pause(rng.uniform(0, 5))
    _set_clocks(day, chosen, error)
    await asyncio.sleep(rng.uniform(35, 60))
    _set_clocks(day, chosen, timedelta())


async def do_nothing(_day: Day) -> None:
    """Cause no fault. ``FAULTS=nothing`` looks for leaks over hundreds of dates."""


async def skew_clocks(day: Day) -> None:
    """Set the clocks of the replicas minutes apart."""
    for replica in day.world.replicas:
        _set_clocks(day, [replica], timedelta(minutes=day.world.rng.uniform(-8, 8)))


def _set_clocks(day: Day, replicas: list[Replica], error: timedelta) -> None:
    for replica in replicas:
        replica.clock_error = error
        replica.set_clock()
    day.world.note(
        "clock",
        f"{' '.join(replica.name for replica in replicas)} {error.total_seconds() / 3600:+.2f} h",
    )
