"""Invariants of a world after its faults.

Each check yields one line for each violation; the goal is none.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from tests.chaos.arrivals import Arrival, Fate
from tests.chaos.evidence import Evidence, StoredMail
from tests.chaos.replicas import Sample
from tests.chaos.world import RECIPIENTS

PLACEHOLDER = "[сообщение удалено]"
"""Stored text of a message that was deleted before a sync."""
EXIT_SECONDS = 10.0
READY_SECONDS = 75.0
"""Limit within which a replica that has been stuck for a minute must report it."""
STUCK_SECONDS = 660.0
"""Limit within which a replica that has been stuck for ten minutes must end."""
LOCK_SECONDS = 90.0
DUPLICATE_CALLS_PER_KILL = 0.1

_IN_DOUBT = frozenset({Fate.CUT, Fate.KILLED, Fate.FROZEN})
"""After these the sender cannot know whether the mail was accepted (RFC 1047)."""
_FEWEST_DATES = 25
"""With fewer dates the figures are printed but not checked."""
_GROWTH = {"rss_mb": 0.10, "descriptors": 0.05, "connections": 0.02}
"""Maximum growth of a process per date."""

Check = Callable[[Evidence], Iterator[str]]


def find_lost_messages(evidence: Evidence) -> Iterator[str]:
    """The database equals Avito and keeps the texts that it had before their deletion."""
    for key, written in evidence.written.items():
        stored = evidence.stored.get(key)
        if stored is None:
            yield f"message {key[1][:8]} of chat {key[0]} is missing"
        elif stored.deleted != written.deleted:
            yield (
                f"message {key[1][:8]} deleted={written.deleted} is stored as"
                f" deleted={stored.deleted}"
            )
        elif stored.text != written.text and not (
            written.deleted and not written.kept and stored.text == PLACEHOLDER
        ):
            yield f"message {key[1][:8]} has lost its text: {stored.text!r}"
    for key in evidence.stored.keys() - evidence.written.keys():
        yield f"message {key[1][:8]} was never written"


def find_chats_left(evidence: Evidence) -> Iterator[str]:
    """Each chat is skipped, or graded up to the newest message of a person.

    None is due, unread or claimed. A chat that is still settling is due and waits.
    """
    for chat in evidence.chats:
        waits = chat.settling and chat.outcome == "waiting"
        if not waits and (chat.due or chat.outcome not in ("graded", "skipped")):
            yield f"chat {chat.avito_id} is due, {chat.outcome}"
        elif chat.outcome == "graded" and chat.newest_person_message != chat.newest_report_up_to:
            yield (
                f"chat {chat.avito_id} is graded up to {chat.newest_report_up_to}, not"
                f" {chat.newest_person_message}"
            )
        if chat.unread:
            yield f"chat {chat.avito_id} is still to be read"
        if chat.claimed:
            yield f"chat {chat.avito_id} is claimed for ever"


def find_repeated_gradings(evidence: Evidence) -> Iterator[str]:
    """A chat is graded once for each newest message of a person."""
    graded = Counter((report.chat, report.last_message) for report in evidence.reports)
    for (chat, message), times in graded.items():
        if times > 1:
            yield f"chat {chat} is graded {times} times up to message {message}"


def find_unmailed_reports(evidence: Evidence) -> Iterator[str]:
    """Each report is in the sheet of one mail to each recipient; copies count as one mail."""
    carried: Mapping[tuple[int, str], set[str]] = defaultdict(set)
    for arrival in evidence.arrivals:
        for number in arrival.reports:
            carried[number, arrival.recipient].add(arrival.message_id)
    for report in evidence.reports:
        for recipient in RECIPIENTS:
            mails = len(carried[report.id, recipient])
            if mails != 1:
                yield f"report {report.id} came to {recipient} in {mails} mails"


def find_lost_mails(evidence: Evidence) -> Iterator[str]:
    """Every delivery arrived, and its state is correct."""
    came = Counter((arrival.recipient, arrival.message_id) for arrival in evidence.arrivals)
    for delivery in evidence.deliveries:
        arrived = came[delivery.recipient, delivery.message_id] > 0
        if not arrived:
            yield (
                f"mail {delivery.digest} to {delivery.recipient} never came: {delivery.state}"
                f" {delivery.answer[:80]}"
            )
        elif delivery.state != "sent":
            yield f"mail {delivery.digest} to {delivery.recipient} came and is {delivery.state}"


def find_repeated_mails(evidence: Evidence) -> Iterator[str]:
    """A mail is repeated only if its sender cannot know whether it arrived."""
    for (recipient, message_id), copies in _group_by_mail(evidence).items():
        for copy in copies[:-1]:
            if copy.fate not in _IN_DOUBT:
                yield f"{message_id} came again to {recipient}, though {copy.fate}"


def find_changed_mails(evidence: Evidence) -> Iterator[str]:
    """A repeated mail has identical bytes."""
    for (recipient, message_id), copies in _group_by_mail(evidence).items():
        if len({copy.print for copy in copies}) > 1:
            yield (
                f"{message_id} to {recipient} has come in {len({copy.print for copy in copies})}"
                " forms"
            )


def find_uncovered_dates(evidence: Evidence) -> Iterator[str]:
    """Each date is covered by one daily mail.

    It is the mail of that date or one that names it. A mail created before the date does not count.
    """
    covering = _group_by_date(evidence)
    for day in evidence.dates:
        mails = [mail for mail in covering[day] if day not in mail.early]
        if not mails:
            early = " but one that was made before it came" if covering[day] else ""
            yield f"{day} has no mail{early}"
        elif len(mails) > 1:
            yield f"{day} has {len(mails)} mails: {', '.join(str(mail.id) for mail in mails)}"


def find_missing_pages(evidence: Evidence) -> Iterator[str]:
    """``GET /reports/daily/{date}`` answers 200 for each date."""
    for day, status in evidence.pages.items():
        if status != 200:
            yield f"GET /reports/daily/{day} answers {status}"


def find_wrong_sums(evidence: Evidence) -> Iterator[str]:
    """The four numbers of each mail add up to its N."""
    for message_id in {
        arrival.message_id for arrival in evidence.arrivals if arrival.printed is None
    }:
        yield f"{message_id} prints no N"
    for printed in {
        arrival.printed for arrival in evidence.arrivals if arrival.printed is not None
    }:
        if printed[0] != sum(printed[1:]):
            yield f"N = {printed[0]}, but {' + '.join(map(str, printed[1:]))}"


def find_wrong_figures(evidence: Evidence) -> Iterator[str]:
    """For the date of a mail, REST returns as many reports as the mails had, and the same mean."""
    of_day: Mapping[date, list[StoredMail]] = defaultdict(list)
    for mail in evidence.mails:
        of_day[mail.day].append(mail)
    for day, (count, mean) in evidence.listed.items():
        carried = sum(mail.reports for mail in of_day[day])
        if count != carried:
            yield f"mail={day} gives {count} reports, the mail carried {carried}"
        elif len(of_day[day]) == 1 and not _are_equal(mean, of_day[day][0].mean):
            yield f"mail={day} has a mean of {mean}, the mail said {of_day[day][0].mean}"


def find_open_work(evidence: Evidence) -> Iterator[str]:
    """In the end no run and no delivery is claimed, queued or running."""
    yield from (f"run {run}" for run in evidence.open_runs)
    for delivery in evidence.deliveries:
        if delivery.state in ("queued", "sending"):
            yield f"delivery of mail {delivery.digest} to {delivery.recipient} is {delivery.state}"


def find_hidden_failures(evidence: Evidence) -> Iterator[str]:
    """A replica that is stuck for more than a minute answers 503."""
    for span in evidence.stuck:
        if span.seconds > READY_SECONDS and "503" not in span.readiness:
            answers = ", ".join(
                f"{count} × {answer}" for answer, count in Counter(span.readiness).items()
            )
            yield (
                f"{span.replica} asked nothing of Postgres for {span.seconds:.0f} s; readiness:"
                f" {answers or 'not asked'}"
            )


def find_dead_replicas(evidence: Evidence) -> Iterator[str]:
    """No replica is stuck for more than ten minutes, or at the end."""
    for span in evidence.stuck:
        if span.seconds > STUCK_SECONDS or span.at_end:
            yield (
                f"{span.replica} was stuck for {span.seconds:.0f}"
                f" s{', to the end' if span.at_end else ''}"
            )


def find_slow_exits(evidence: Evidence) -> Iterator[str]:
    """SIGTERM ends a process within ten seconds."""
    for name, ledger in evidence.ledgers.items():
        for seconds in ledger.exit_seconds:
            if seconds > EXIT_SECONDS:
                yield f"{name} took {seconds:.1f} s to end"


def find_long_waits(evidence: Evidence) -> Iterator[str]:
    """If a replica is frozen with the lock of chats, the others finish within 90 s."""
    for seconds in evidence.lock_waits:
        if seconds > LOCK_SECONDS:
            yield f"the others took more than {LOCK_SECONDS:.0f} s ({seconds:.0f} s)"


def find_growth(evidence: Evidence) -> Iterator[str]:
    """Resources of a process that is never killed do not grow over the dates."""
    for name, ledger in evidence.ledgers.items():
        samples = drop_warm_up(ledger.samples)
        if (
            not ledger.kills
            and not ledger.exit_seconds
            and len({sample.day for sample in samples}) >= _FEWEST_DATES
        ):
            for what, allowed in _GROWTH.items():
                growth = calculate_slope(samples, what)
                if growth > allowed:
                    yield f"{name}: {what} grows by {growth:.3f} a date"


CHECKS: Mapping[str, Check] = {
    "messages lost, or their texts": find_lost_messages,
    "chats not graded, not read or claimed": find_chats_left,
    "gradings repeated": find_repeated_gradings,
    "reports that came in no mail, or in several": find_unmailed_reports,
    "mails lost, or in a wrong state": find_lost_mails,
    "mails repeated without doubt": find_repeated_mails,
    "mails repeated in another form": find_changed_mails,
    "dates without a mail, or with several": find_uncovered_dates,
    "dates without a page": find_missing_pages,
    "mails whose numbers do not add up": find_wrong_sums,
    "dates whose REST figures differ from the mail": find_wrong_figures,
    "runs and deliveries left open": find_open_work,
    "stuck replicas that say they are ready": find_hidden_failures,
    "replicas dead for good": find_dead_replicas,
    "exits of more than 10 s after SIGTERM": find_slow_exits,
    "work held up by a frozen replica for over 90 s": find_long_waits,
    "leaks": find_growth,
}


def run_checks(evidence: Evidence) -> dict[str, list[str]]:
    """Return the violations of a world by title of the check, including empty lists."""
    return {title: list(check(evidence)) for title, check in CHECKS.items()}


def drop_warm_up(samples: list[Sample]) -> list[Sample]:
    """Drop the first quarter, in which caches and pools fill."""
    return samples[len(samples) // 4 :]


def calculate_slope(samples: list[Sample], what: str) -> float:
    """Return the growth of a figure per date, by least squares."""
    days = [sample.day.toordinal() for sample in samples]
    values = [float(getattr(sample, what)) for sample in samples]
    mean_day, mean_value = sum(days) / len(days), sum(values) / len(values)
    spread = sum((day - mean_day) ** 2 for day in days)
    return (
        sum(
            (day - mean_day) * (value - mean_value) for day, value in zip(days, values, strict=True)
        )
        / spread
        if spread
        else 0.0
    )


def _group_by_mail(evidence: Evidence) -> Mapping[tuple[str, str], list[Arrival]]:
    copies: Mapping[tuple[str, str], list[Arrival]] = defaultdict(list)
    for arrival in evidence.arrivals:
        copies[arrival.recipient, arrival.message_id].append(arrival)
    return copies


def _group_by_date(evidence: Evidence) -> Mapping[date, list[StoredMail]]:
    covering: Mapping[date, list[StoredMail]] = defaultdict(list)
    for mail in evidence.mails:
        if mail.kind == "daily":
            for day in mail.covered:
                covering[day].append(mail)
    return covering


def _are_equal(one: float | None, other: float | None) -> bool:
    return one is other is None or (
        one is not None and other is not None and abs(one - other) < 0.01
    )
