"""The cost of frequent work does not grow with the history."""

from datetime import datetime, timedelta
from functools import partial

from app.clock import local_date
from app.repositories import coverage, due_chats, unread_chats
from app.repositories.grading_scope import Scope
from tests.support.chats import MOSCOW
from tests.support.frequent_work import count_rows, list_works
from tests.support.history import add_history, count_rows_read, list_scans
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

_COPIES, _A_DAY = 1_000, 5
"""The history has 200 days, later 800. A mail compares itself with four weeks of them."""
_SLACK = 100
"""Rows: a plan may change once. A scan of the mails would be 600 more, of the chats 6,000."""
_FEW = 30
"""Rows of a summary of two reports: their figures and chats, the accounts, and the settings. Also
more than a query for recent chats reads if there are none."""
_LARGE = 2_000
"""Of a small table, a scan may be cheaper than an index."""


async def test_frequent_work_reads_no_more_rows_with_four_times_the_history(stage: Stage) -> None:
    await _mail_two_reports(stage)
    await add_history(stage, range(_COPIES), a_day=_A_DAY)
    usual = await count_rows(stage)
    await add_history(stage, range(_COPIES, 4 * _COPIES), a_day=_A_DAY)
    grown = await count_rows(stage)
    assert {
        name: (usual[name], rows) for name, rows in grown.items() if rows > usual[name] + _SLACK
    } == {}


async def test_frequent_work_scans_no_large_table(stage: Stage) -> None:
    """The plans of its queries read large tables by an index."""
    await _mail_two_reports(stage)
    await add_history(stage, range(4 * _COPIES), a_day=_A_DAY)
    scans = {
        name: await list_scans(stage, work, rows=_LARGE) for name, work in list_works(stage).items()
    }
    assert {name: tables for name, tables in scans.items() if tables} == {}


async def test_a_summary_reads_no_history_outside_its_period(stage: Stage) -> None:
    """The history ends the day before the period."""
    await _mail_two_reports(stage)
    today = local_date(stage.clock(), MOSCOW)
    read: list[int] = []
    for copies in (range(_COPIES), range(_COPIES, 4 * _COPIES)):
        await add_history(stage, copies, a_day=_A_DAY)
        path = f"/api/v1/reports/summary?start_date={today}&end_date={today}"
        read.append(await count_rows_read(stage, partial(stage.rest.get, path)))
    assert (await stage.rest.get(path)).json()["reports"] == 2
    assert max(read) < _FEW


async def test_a_daily_run_reads_no_old_leads_and_no_chats_that_were_never_graded(
    stage: Stage,
) -> None:
    """Both stay for ever: a skipped lead, and a chat of an import that is too old to be graded."""
    await _mail_two_reports(stage)
    week_ago = stage.clock() - timedelta(days=7)
    await add_history(stage, range(2 * _COPIES), a_day=_A_DAY)
    await stage.change(_MAKE_LEADS, before=week_ago)
    await stage.change(_MAKE_NEVER_GRADED, before=week_ago)
    await stage.change("ANALYZE chats")
    read = await count_rows_read(stage, partial(_count_chats, stage, week_ago))
    assert read < _ROWS_OF_A_WEEK


async def test_a_sync_reads_no_chats_that_avito_has_lost(stage: Stage) -> None:
    """They were last read within their first hour, and a message could be deleted until then."""
    await _mail_two_reports(stage)
    await add_history(stage, range(_COPIES), a_day=_A_DAY)
    await stage.change(_MAKE_LOST)
    await stage.change("ANALYZE chats")
    assert await count_rows_read(stage, partial(_list_recent, stage)) < _FEW


_ROWS_OF_A_WEEK = 400
"""Rows of 70 chats and their messages in three queries."""
_MAKE_LEADS = """
    UPDATE chats SET lead_message_id = last_person_message_id, last_person_message_id = NULL,
        last_person_at = NULL, unanswered_since = NULL, outcome = 'skipped'
    WHERE id % 2 = 0 AND last_person_at < :before
"""
_MAKE_NEVER_GRADED = """
    UPDATE chats SET due_since = last_person_at, seen_message_id = NULL, outcome = NULL
    WHERE id % 2 = 1 AND last_person_at < :before
"""

_MAKE_LOST = """
    UPDATE chats SET messages_read_at = last_message_at + interval '1 minute', read_error = 'lost'
"""


async def _list_recent(stage: Stage) -> None:
    now = stage.clock()
    async with stage.service.database.session() as session:
        assert await unread_chats.list_recent(session, 1, since=now, now=now, limit=100) == []


async def _count_chats(stage: Stage, since: datetime) -> None:
    """Count the chats of a mail, and those that a daily run would grade: none."""
    span = {
        "start": since,
        "end": stage.clock(),
        "after_message_id": None,
        "last_message_id": 2**62,
        "late_since": since,
    }
    async with stage.service.database.session() as session:
        assert await coverage.list_coverage(session, [], span)
        assert await coverage.list_ungraded(session, span, None) == []
        assert await due_chats.count_due(session, Scope(written_since=since), 0) == 0


async def _mail_two_reports(stage: Stage) -> None:
    """Create the rows that the history copies."""
    stage.add_talk(*GOOD_TALK, minutes_ago=300)
    stage.add_talk(*BAD_TALK, minutes_ago=280)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
