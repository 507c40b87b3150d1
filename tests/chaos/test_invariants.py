"""Tests of the checks: each fault of a world is found by its own check and no other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.chaos.dialogues import Said
from tests.chaos.evidence import (
    Arrival,
    Evidence,
    Fate,
    StoredChat,
    StoredDelivery,
    StoredMail,
    StoredMessage,
    StoredReport,
    fate_of,
)
from tests.chaos.invariants import CHECKS, judge
from tests.chaos.replicas import Ledger, Sample, Stuck
from tests.chaos.taps import Conversation
from tests.chaos.world import RECIPIENTS

DAYS = (date(2027, 3, 27), date(2027, 3, 28))


def whole() -> Evidence:
    """Build a world without violations: one chat, and a mail for each of two dates."""
    said, deleted = ("chat", "said"), ("chat", "deleted")
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
        said={said: Said("Вопрос"), deleted: Said("Ответ", deleted=True, kept=True)},
        stored={
            said: StoredMessage("Вопрос", deleted=False),
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
                Fate.HEARD,
            )
            for one in deliveries
        ],
        pages=dict.fromkeys(DAYS, 200),
        listed=dict.fromkeys(DAYS, (1, 50.0)),
        ledgers={"w-1": Ledger(exit_seconds=[1.0])},
        lock_waits=[40.0],
    )


def test_a_whole_world_has_no_violation() -> None:
    assert {title: words for title, words in judge(whole()).items() if words} == {}


Change = Callable[[Evidence], Evidence]
HEARD, IN_DOUBT = Fate.HEARD, Fate.CUT


def again(fate: Fate, *, print_: str = "") -> Change:
    """Add an earlier copy of the first mail whose session ended with this fate."""

    def change(evidence: Evidence) -> Evidence:
        first = evidence.arrivals[0]
        return replace(
            evidence,
            arrivals=[replace(first, fate=fate, print=print_ or first.print), *evidence.arrivals],
        )

    return change


def ledger(**fields: object) -> Change:
    return lambda evidence: replace(evidence, ledgers={"w-1": Ledger(**fields)})  # type: ignore[arg-type]


def mail(**fields: Any) -> Change:
    return lambda evidence: replace(
        evidence, mails=[evidence.mails[0], replace(evidence.mails[1], **fields)]
    )


def delivery(**fields: object) -> Change:
    return lambda evidence: replace(
        evidence,
        deliveries=[replace(evidence.deliveries[0], **fields), *evidence.deliveries[1:]],  # type: ignore[arg-type]
    )


def chat(**fields: object) -> Change:
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
        chat(newest_person_message=9),
        ("chats not graded, not read or claimed",),
    ),
    "a chat that failed": (chat(outcome="failed"), ("chats not graded, not read or claimed",)),
    "a chat that is still due": (chat(due=True), ("chats not graded, not read or claimed",)),
    "a chat that is claimed for ever": (
        chat(claimed=True),
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
        delivery(state="queued"),
        ("mails lost, or in a wrong state", "runs and deliveries left open"),
    ),
    "a mail that came again though it was acknowledged": (
        again(HEARD),
        ("mails repeated without doubt",),
    ),
    "a mail that came again after a reply that was not waited for": (
        again(Fate.GIVEN_UP),
        ("mails repeated without doubt",),
    ),
    "a mail that came again in another form": (
        again(IN_DOUBT, print_="other"),
        ("mails repeated in another form",),
    ),
    "a date without a mail": (mail(covered=()), ("dates without a mail, or with several",)),
    "a date with two mails": (mail(covered=DAYS), ("dates without a mail, or with several",)),
    "a date with an early mail alone": (
        mail(early=DAYS),
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
        ledger(stuck=[Stuck("w-1", 0, seconds=100, readiness=["200"])]),
        ("stuck replicas that say they are ready",),
    ),
    "a replica that is stuck for good": (
        ledger(stuck=[Stuck("w-1", 0, seconds=700, readiness=["503"])]),
        ("replicas dead for good",),
    ),
    "a replica that is stuck at the end": (
        ledger(stuck=[Stuck("w-1", 0, seconds=70, readiness=["503"], at_end=True)]),
        ("replicas dead for good",),
    ),
    "a slow exit": (ledger(exit_seconds=[10.5]), ("exits of more than 10 s after SIGTERM",)),
    "work that a frozen replica holds up": (
        lambda evidence: replace(evidence, lock_waits=[91.0]),
        ("work held up by a frozen replica for over 90 s",),
    ),
    "a leak": (ledger(samples=GROWING), ("leaks",)),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_found(fault: str) -> None:
    change, titles = BROKEN[fault]
    assert tuple(title for title, words in judge(change(whole())).items() if words) == titles


def test_every_check_is_tried() -> None:
    assert {title for _, titles in BROKEN.values() for title in titles} == set(CHECKS)


def test_a_mail_that_is_in_doubt_may_come_again() -> None:
    for fate in (Fate.CUT, Fate.KILLED, Fate.FROZEN):
        assert not any(judge(again(fate)(whole())).values())


@pytest.mark.parametrize(
    ("talk", "ledger_", "fate"),
    [
        (
            Conversation("w-1", dot_at=10, answered_at=11, ended_at=11.1, ended_by_replica=True),
            Ledger(),
            Fate.HEARD,
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
        (Conversation("w-1", dot_at=60, answered_at=61), Ledger(freezes=[(10, 59)]), Fate.HEARD),
        (Conversation("w-1", dot_at=10, ended_at=11), Ledger(kills=[9]), Fate.CUT),
        (
            Conversation("w-1", dot_at=10, ended_at=70, ended_by_replica=True),
            Ledger(),
            Fate.GIVEN_UP,
        ),
    ],
)
def test_how_a_conversation_ended(talk: Conversation, ledger_: Ledger, fate: Fate) -> None:
    assert fate_of(talk, ledger_) is fate
