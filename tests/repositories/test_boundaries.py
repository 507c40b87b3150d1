"""Rules of the domain at their boundaries in SQL.

The numbers are literals on purpose: a changed constant must fail a test here.
"""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.domain.criteria import GRADE_COLUMNS
from app.domain.flags import Flag
from app.domain.outcomes import Outcome
from app.models import Chat
from app.repositories import due_chats, report_figures, report_measures, unread_chats
from app.repositories.chats import find_chats
from app.repositories.grading_scope import Scope
from app.repositories.report_filter import ReportFilter
from tests.support.rows import NOON, add_account, add_chat, add_report, add_run


async def add_scored(session: AsyncSession, *scores: str, flag: str = "", low: str = "") -> None:
    """Add a chat with one report for each score."""
    account, run = await add_account(session), await add_run(session)
    for score in scores:
        chat = await add_chat(session, account)
        await add_report(session, run, chat, score, flags=[flag], low=low or None)


async def test_a_report_is_bad_below_50(database: Database) -> None:
    async with database.transaction() as session:
        await add_scored(session, "49.99", "50")
        (whole, *_) = [
            row
            for row in await report_measures.measure(session, ReportFilter(), "Europe/Moscow")
            if row["day"] is row["account_id"] is row["model"] is None
        ]
    assert (whole["reports"], whole["bad_reports"]) == (2, 1)


async def test_a_report_is_good_from_80(database: Database) -> None:
    async with database.transaction() as session:
        await add_scored(session, "79.99", "80")
        best = await report_figures.list_best(session, ReportFilter(), waiting=[], limit=9)
    assert [row["score"] for row in best] == [80]


_DOUBTFUL = {Flag.ADDRESSES_GRADER, Flag.CONTRADICTION, Flag.NO_EVIDENCE}


@pytest.mark.parametrize("flag", Flag)
async def test_a_report_with_a_doubtful_grade_is_no_example(database: Database, flag: Flag) -> None:
    async with database.transaction() as session:
        await add_scored(session, "100", flag=flag)
        best = await report_figures.list_best(session, ReportFilter(), waiting=[], limit=9)
    assert (not best) == (flag in _DOUBTFUL)


@pytest.mark.parametrize("low", GRADE_COLUMNS)
async def test_a_low_grade_makes_a_report_one_of_the_worst(database: Database, low: str) -> None:
    async with database.transaction() as session:
        await add_scored(session, "90", low=low)
        worst = await report_figures.list_worst(session, ReportFilter(), limit=9)
        best = await report_figures.list_best(session, ReportFilter(), waiting=[], limit=9)
    assert (len(worst), len(best)) == (1, 0)


async def test_a_waiting_buyer_is_no_example(database: Database) -> None:
    async with database.transaction() as session:
        await add_scored(session, "90", "90")
        waiting, answered = [
            row["id"]
            for row in await report_figures.list_best(session, ReportFilter(), waiting=[], limit=9)
        ]
        chat = await session.get_one(Chat, waiting)
        best = await report_figures.list_best(session, ReportFilter(), waiting=[chat.id], limit=9)
    assert [row["id"] for row in best] == [answered]


@pytest.mark.parametrize(("failures", "is_claimed"), [(3, True), (4, False)])
async def test_a_failed_chat_is_graded_four_times(
    database: Database, failures: int, is_claimed: bool
) -> None:
    async with database.transaction() as session:
        await add_chat(
            session,
            await add_account(session),
            last_person_message_id=1,
            due_since=NOON,
            outcome=Outcome.FAILED,
            outcome_message_id=1,
            failures=failures,
        )
        claimed = await due_chats.claim_due(session, Scope(), 1, uuid.uuid4(), limit=9)
        forced = await due_chats.count_due(session, Scope(force=True), 1)
    assert (len(claimed), forced) == (int(is_claimed), 1)


@pytest.mark.parametrize(("age", "is_read"), [("64:59", True), ("65:00", False)])
async def test_a_chat_is_read_again_while_a_message_can_be_deleted(
    database: Database, age: str, is_read: bool
) -> None:
    minutes, seconds = map(int, age.split(":"))
    later = NOON + timedelta(hours=2)
    async with database.transaction() as session:
        account = await add_account(session)
        await add_chat(
            session,
            account,
            messages_due=False,
            last_message_at=NOON,
            messages_read_at=NOON + timedelta(minutes=minutes, seconds=seconds),
        )
        recent = await unread_chats.list_recent(
            session, account.id, since=later, now=later, limit=0
        )
    assert len(recent) == int(is_read)


@pytest.mark.parametrize(
    ("outcome", "seen", "is_due", "current"),
    [
        (None, None, False, None),
        (Outcome.GRADED, 7, False, Outcome.GRADED),
        (Outcome.GRADED, 6, True, Outcome.WAITING),
        (Outcome.SKIPPED, 7, False, Outcome.SKIPPED),
        (Outcome.FAILED, 7, True, Outcome.FAILED),
        (Outcome.FAILED, 6, True, Outcome.WAITING),
        (None, None, True, Outcome.WAITING),
    ],
)
async def test_chat_with_ungraded_messages_is_waiting(
    database: Database,
    outcome: Outcome | None,
    seen: int | None,
    is_due: bool,
    current: Outcome | None,
) -> None:
    async with database.transaction() as session:
        chat = await add_chat(
            session,
            await add_account(session),
            outcome=outcome,
            outcome_message_id=seen,
            last_person_message_id=7,
            due_since=NOON if is_due else None,
        )
        (found,) = await find_chats(session, chat.avito_id, account=None, settling=None)
    assert found.outcome == current
