"""Tests of the checks: each fault of a world is found by its own check and no other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.chaos.arrivals import Arrival, Fate, find_fate
from tests.chaos.dialogues import WrittenMessage
from tests.chaos.evidence import (
    Evidence,
    StoredChat,
    StoredDelivery,
    StoredMail,
    StoredMessage,
    StoredReport,
)
from tests.chaos.invariants import CHECKS, run_checks
from tests.chaos.model_calls import ModelCall, count_duplicates
from tests.chaos.replicas import Ledger, Sample, Stuck
from tests.chaos.taps import Conversation
from tests.chaos.world import RECIPIENTS

DAYS = (date(2027, 3, 27), date(2027, 3, 28))


def build_evidence() -> Evidence:
    """Build a world without violations: one chat, and a mail for each of two dates."""
    written, deleted = ("chat", "expected_text"), ("chat", "deleted")
    mails = [
        StoredMail(number, day, "daily", (day,), early=(), reports=1, mean=50.0)
        for number, day in enumerate(DAYS)
    ]
    deliveries = [
        StoredDelivery(mail.id, recipient, "sent", "250 OK", f"<{mail.id}.{recipient}>")
        for mail in mails
        for recipient in RECIPIENTS
    ]
    return Evidence(
        world="w",
        dates=DAYS,
        written={
            written: WrittenMessage("Вопрос"),
            deleted: WrittenMessage("Ответ", deleted=True, kept=True),
        },
        stored={
            written: StoredMessage("Вопрос", deleted=False),
            deleted: StoredMessage("Ответ", deleted=True),
        },
        chats=[StoredChat("chat", "graded", 8, 8, due=False, unread=False, claimed=False)],
        reports=[StoredReport(0, "chat", 7), StoredReport(1, "chat", 8)],
        mails=mails,
        deliveries=deliveries,
        arrivals=[
            Arrival(
                one.recipient,
                one.message_id,
                one.message_id,
                (4, 1, 1, 1, 1),
                frozenset({one.digest}),
                Fate.ACKNOWLEDGED,
            )
            for one in deliveries
        ],
        pages=dict.fromkeys(DAYS, 200),
        listed=dict.fromkeys(DAYS, (1, 50.0)),
        ledgers={"w-1": Ledger(exit_seconds=[1.0])},
        lock_waits=[40.0],
    )


def test_intact_world_has_no_violation() -> None:
    assert {title: lines for title, lines in run_checks(build_evidence()).items() if lines} == {}


Change = Callable[[Evidence], Evidence]
ACKNOWLEDGED, IN_DOUBT = Fate.ACKNOWLEDGED, Fate.CUT


def repeat_first_mail(fate: Fate, *, print_: str = "") -> Change:
    """Add an earlier copy of the first mail whose session ended with this fate."""

    def change(evidence: Evidence) -> Evidence:
        first = evidence.arrivals[0]
        return replace(
            evidence,
            arrivals=[replace(first, fate=fate, print=print_ or first.print), *evidence.arrivals],
        )

    return change


def change_ledger(**fields: object) -> Change:
    return lambda evidence: replace(evidence, ledgers={"w-1": Ledger(**fields)})  # type: ignore[arg-type]


def change_mail(**fields: Any) -> Change:
    return lambda evidence: replace(
        evidence, mails=[evidence.mails[0], replace(evidence.mails[1], **fields)]
    )


def change_delivery(**fields: object) -> Change:
    return lambda evidence: replace(
        evidence,
        deliveries=[replace(evidence.deliveries[0], **fields), *evidence.deliveries[1:]],  # type: ignore[arg-type]
    )


def change_chat(**fields: object) -> Change:
    return lambda evidence: replace(evidence, chats=[replace(evidence.chats[0], **fields)])  # type: ignore[arg-type]


GROWING = [Sample(DAYS[0] + timedelta(days=number), 100 + number, 20, 3) for number in range(60)]

BROKEN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "a lost message": (
        lambda evidence: replace(evidence, stored=dict(list(evidence.stored.items())[1:])),
        ("messages lost, or their texts",),
    ),
    "a lost text of a deleted message": (
        lambda evidence: replace(
            evidence,
            stored={
                **evidence.stored,
                ("chat", "deleted"): StoredMessage("[сообщение удалено]", True),
            },
        ),
        ("messages lost, or their texts",),
    ),
    "a deletion that was missed": (
        lambda evidence: replace(
            evidence, stored={**evidence.stored, ("chat", "deleted"): StoredMessage("Ответ", False)}
        ),
        ("messages lost, or their texts",),
    ),
    "a chat that is not graded": (
        change_chat(newest_person_message=9),
        ("chats not graded, not read or claimed",),
    ),
    "a chat that failed": (
        change_chat(outcome="failed"),
        ("chats not graded, not read or claimed",),
    ),
    "a chat that is still due": (change_chat(due=True), ("chats not graded, not read or claimed",)),
    "a chat that failed and is settling": (
        change_chat(outcome="failed", due=True, settling=True),
        ("chats not graded, not read or claimed",),
    ),
    "a chat that is claimed for ever": (
        change_chat(claimed=True),
        ("chats not graded, not read or claimed",),
    ),
    "a chat that is graded twice": (
        lambda evidence: replace(
            evidence, reports=[*evidence.reports, replace(evidence.reports[1], id=0)]
        ),
        ("gradings repeated",),
    ),
    "a report in no mail": (
        lambda evidence: replace(
            evidence,
            arrivals=[replace(evidence.arrivals[0], reports=frozenset()), *evidence.arrivals[1:]],
        ),
        ("reports that came in no mail, or in several",),
    ),
    "a report in two mails": (
        lambda evidence: replace(
            evidence,
            arrivals=[replace(one, reports=frozenset({0, 1})) for one in evidence.arrivals],
        ),
        ("reports that came in no mail, or in several",),
    ),
    "a mail that never came": (
        lambda evidence: replace(evidence, arrivals=evidence.arrivals[1:]),
        ("reports that came in no mail, or in several", "mails lost, or in a wrong state"),
    ),
    "a mail that came and is open": (
        change_delivery(state="queued"),
        ("mails lost, or in a wrong state", "runs and deliveries left open"),
    ),
    "a mail that came again though it was acknowledged": (
        repeat_first_mail(ACKNOWLEDGED),
        ("mails repeated without doubt",),
    ),
    "a mail that came again after a reply that was not waited for": (
        repeat_first_mail(Fate.GIVEN_UP),
        ("mails repeated without doubt",),
    ),
    "a mail that came again in another form": (
        repeat_first_mail(IN_DOUBT, print_="other"),
        ("mails repeated in another form",),
    ),
    "a date without a mail": (change_mail(covered=()), ("dates without a mail, or with several",)),
    "a date with two mails": (
        change_mail(covered=DAYS),
        ("dates without a mail, or with several",),
    ),
    "a date with an early mail alone": (
        change_mail(early=DAYS),
        ("dates without a mail, or with several",),
    ),
    "a date without a page": (
        lambda evidence: replace(evidence, pages={DAYS[0]: 404}),
        ("dates without a page",),
    ),
    "numbers that do not add up": (
        lambda evidence: replace(
            evidence,
            arrivals=[
                replace(evidence.arrivals[0], printed=(5, 1, 1, 1, 1)),
                *evidence.arrivals[1:],
            ],
        ),
        ("mails whose numbers do not add up",),
    ),
    "a mail without its numbers": (
        lambda evidence: replace(
            evidence, arrivals=[replace(evidence.arrivals[0], printed=None), *evidence.arrivals[1:]]
        ),
        ("mails whose numbers do not add up",),
    ),
    "another count over REST": (
        lambda evidence: replace(evidence, listed={DAYS[0]: (2, 50.0)}),
        ("dates whose REST figures differ from the mail",),
    ),
    "another mean over REST": (
        lambda evidence: replace(evidence, listed={DAYS[0]: (1, 51.0)}),
        ("dates whose REST figures differ from the mail",),
    ),
    "a run that is left": (
        lambda evidence: replace(evidence, open_runs=["daily"]),
        ("runs and deliveries left open",),
    ),
    "a stuck replica that says it is ready": (
        change_ledger(stuck=[Stuck("w-1", 0, seconds=100, readiness=["200"])]),
        ("stuck replicas that say they are ready",),
    ),
    "a replica that is stuck for good": (
        change_ledger(stuck=[Stuck("w-1", 0, seconds=700, readiness=["503"])]),
        ("replicas dead for good",),
    ),
    "a replica that is stuck at the end": (
        change_ledger(stuck=[Stuck("w-1", 0, seconds=70, readiness=["503"], at_end=True)]),
        ("replicas dead for good",),
    ),
    "a slow exit": (change_ledger(exit_seconds=[10.5]), ("exits of more than 10 s after SIGTERM",)),
    "work that a frozen replica holds up": (
        lambda evidence: replace(evidence, lock_waits=[91.0]),
        ("work held up by a frozen replica for over 90 s",),
    ),
    "a leak": (change_ledger(samples=GROWING), ("leaks",)),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_found(fault: str) -> None:
    change, titles = BROKEN[fault]
    assert (
        tuple(title for title, lines in run_checks(change(build_evidence())).items() if lines)
        == titles
    )


def test_every_check_has_a_case() -> None:
    assert {title for _, titles in BROKEN.values() for title in titles} == set(CHECKS)


def test_mail_in_doubt_may_be_repeated() -> None:
    for fate in (Fate.CUT, Fate.KILLED, Fate.FROZEN):
        assert not any(run_checks(repeat_first_mail(fate)(build_evidence())).values())


@pytest.mark.parametrize(
    ("session", "ledger_", "fate"),
    [
        (
            Conversation("w-1", dot_at=10, answered_at=11, ended_at=11.1, ended_by_replica=True),
            Ledger(),
            Fate.ACKNOWLEDGED,
        ),
        (
            Conversation("w-1", dot_at=10, answered_at=11, ended_at=11.1),
            Ledger(kills=[11.2]),
            Fate.KILLED,
        ),
        (
            Conversation("w-1", dot_at=10, ended_at=11, ended_by_replica=True),
            Ledger(kills=[11]),
            Fate.KILLED,
        ),
        (Conversation("w-1", dot_at=10.01, answered_at=10.02), Ledger(kills=[10]), Fate.KILLED),
        (Conversation("w-1", dot_at=10, ended_at=50), Ledger(freezes=[(10.5, 50)]), Fate.FROZEN),
        (Conversation("w-1", dot_at=10, answered_at=11), Ledger(freezes=[(9.9, 50)]), Fate.FROZEN),
        (
            Conversation("w-1", dot_at=60, answered_at=61),
            Ledger(freezes=[(10, 59)]),
            Fate.ACKNOWLEDGED,
        ),
        (Conversation("w-1", dot_at=10, ended_at=11), Ledger(kills=[9]), Fate.CUT),
        (
            Conversation("w-1", dot_at=10, ended_at=70, ended_by_replica=True),
            Ledger(),
            Fate.GIVEN_UP,
        ),
    ],
)
def test_fate_of_a_session(session: Conversation, ledger_: Ledger, fate: Fate) -> None:
    assert find_fate(session, ledger_) is fate


def test_second_grading_on_purpose_is_not_paid_twice() -> None:
    twice, once = ("Вопрос 1 Ответ 2", "Вопрос 3 Ответ 4")
    calls = [ModelCall(prompt, answered=True) for prompt in (twice, once, twice)]
    assert count_duplicates([*calls, ModelCall(once)], repeats=1) == 0
    assert count_duplicates([*calls, ModelCall(once, answered=True)], repeats=1) == 1
