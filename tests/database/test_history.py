"""The cost of frequent work does not grow with the history."""

from functools import partial

from app.clock import local_date
from tests.support.chats import MOSCOW
from tests.support.frequent_work import count_rows, list_works
from tests.support.history import add_history, count_rows_read, list_scans, remove_history
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

_COPIES = 1_000
_SLACK = 300
"""Rows: a day has more reports, and a plan may change once."""
_SLACK_OF_MAIL = 3_000
"""Rows: the four weeks that a mail is compared with have 230 more reports, in up to twelve queries.

A scan of the chats or of the reports would be 6,000 rows more.
"""
_FEW = 30
"""Rows of a summary of two reports: their figures and chats, the accounts, and the settings."""
_LARGE = 2_000
"""Of a small table, a scan may be cheaper than an index."""
_SCANNED = {"mail of one report": {"digests"}}
"""Large tables that a work still scans: the mail lists the dates of all mails before it."""


async def test_frequent_work_reads_no_more_rows_with_four_times_the_history(stage: Stage) -> None:
    await _mail_two_reports(stage)
    try:
        await add_history(stage, range(_COPIES))
        usual = await count_rows(stage)
        await add_history(stage, range(_COPIES, 4 * _COPIES))
        grown = await count_rows(stage)
    finally:
        await remove_history(stage)
    assert {
        name: (usual[name], rows)
        for name, rows in grown.items()
        if rows > 1.2 * usual[name] + (_SLACK_OF_MAIL if "mail of" in name else _SLACK)
    } == {}


async def test_frequent_work_scans_no_large_table(stage: Stage) -> None:
    """The plans of its queries read large tables by an index."""
    await _mail_two_reports(stage)
    try:
        await add_history(stage, range(4 * _COPIES))
        scans = {
            name: await list_scans(stage, work, rows=_LARGE)
            for name, work in list_works(stage).items()
        }
    finally:
        await remove_history(stage)
    assert {
        name: tables for name, tables in scans.items() if tables - _SCANNED.get(name, set())
    } == {}


async def test_a_summary_reads_no_history_outside_its_period(stage: Stage) -> None:
    """The history ends the day before the period."""
    await _mail_two_reports(stage)
    today = local_date(stage.clock(), MOSCOW)
    read: list[int] = []
    try:
        for copies in (range(_COPIES), range(_COPIES, 4 * _COPIES)):
            await add_history(stage, copies)
            path = f"/api/v1/reports/summary?start_date={today}&end_date={today}"
            read.append(await count_rows_read(stage, partial(stage.rest.get, path)))
        assert (await stage.rest.get(path)).json()["reports"] == 2
    finally:
        await remove_history(stage)
    assert max(read) < _FEW


async def _mail_two_reports(stage: Stage) -> None:
    """Create the rows that the history copies."""
    stage.add_talk(*GOOD_TALK, minutes_ago=300)
    stage.add_talk(*BAD_TALK, minutes_ago=280)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
