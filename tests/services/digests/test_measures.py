"""The figures of many different reports equal those that Python computes from their details."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.models import Report
from app.repositories.report_filter import ReportFilter
from app.services.digests.breakdowns import measure_breakdowns
from app.services.digests.measures import measure_reports
from app.services.digests.steadiness import measure_steadiness
from tests.support.measured import (
    Row,
    assert_broken_down,
    assert_measured,
    fetch_graded,
    measure_steady,
)
from tests.support.stage import Stage

_ZONES = ("Europe/Moscow", "America/New_York", "Asia/Kolkata")
_COPIES = 8


async def add_varied_reports(stage: Stage) -> None:
    """Grade all chats of the catalogue, mail them, and add copies that differ in every figure."""
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    await stage.change(
        "INSERT INTO accounts (avito_user_id, client_id, name) VALUES (77, 'second', 'Вторая')"
    )
    await stage.change(
        "UPDATE chats SET item_id = CASE WHEN id % 9 = 0 THEN NULL ELSE 1 + id % 5 END"
    )
    changed = {
        "id": "1000 * n + old.id",
        "digest_id": "CASE WHEN n < 4 THEN old.digest_id END",
        "account_id": "CASE WHEN old.chat_id % 3 = 0 THEN (SELECT max(id) FROM accounts)"
        " ELSE old.account_id END",
        "created_at": "old.created_at - n * 11 * interval '1 hour'",
        "first_client_at": "CASE WHEN old.id % 7 > 0"
        " THEN old.first_client_at - n * old.id * interval '31 minutes' END",
        "first_message_id": "CASE WHEN old.id % 14 > 0 THEN old.first_message_id ELSE 0 END",
        "score": "old.id * n * 7.31 % 100",
        "cost_usd": "CASE WHEN old.id % 17 > 0 OR n > 1 THEN old.cost_usd * n END",
        "model": "CASE WHEN n < 3 THEN old.model ELSE 'other' END",
        "prompt_version": "CASE WHEN n < 5 THEN old.prompt_version ELSE 'old' END",
        "tonality_grade": "(ARRAY['Высокая', 'Средняя', 'Низкая'])[1 + n % 3]",
        "detail": "jsonb_set(old.detail, '{answer_times,first_answer_seconds}',"
        " CASE WHEN n = 2 THEN 'null' ELSE to_jsonb((old.id * n * 7919) % 90000) END)"
        " - (CASE WHEN n = 7 THEN ARRAY['contact', 'bot_first'] ELSE ARRAY[]::text[] END)"
        " || jsonb_build_object('flags', (SELECT coalesce(jsonb_agg(flag), '[]') FROM"
        " unnest(ARRAY['critical', 'contradiction', 'no_evidence', 'addresses_grader', 'all_na'])"
        " WITH ORDINALITY AS known(flag, place) WHERE (old.id + n) % (place + 1) = 0))"
        " || CASE WHEN n = 3 THEN jsonb_build_object('bot_first', true) ELSE '{}' END",
        "repeat": "CASE n WHEN 1 THEN jsonb_build_object('criteria', jsonb_build_object('clarity',"
        " jsonb_build_array('Высокая', CASE old.id % 3 WHEN 0 THEN 'Низкая' ELSE 'Высокая' END)),"
        " 'checks', jsonb_build_object('polite', jsonb_build_array('y', 'n')))"
        " WHEN 2 THEN '{}' END",
    }
    columns = [column.name for column in Report.__table__.columns if not column.computed]
    values = ", ".join(changed.get(name, f"old.{name}") for name in columns)
    await stage.change(
        f"INSERT INTO reports ({', '.join(columns)}) SELECT {values}"  # noqa: S608 - our own columns
        f" FROM reports AS old, generate_series(1, {_COPIES}) AS n WHERE old.id < 1000"
    )
    regraded = {"id": "9000 + id", "kind": "'regrade'"}
    values = ", ".join(regraded.get(name, name) for name in columns)
    await stage.change(
        f"INSERT INTO reports ({', '.join(columns)}) SELECT {values} FROM reports"  # noqa: S608
        " WHERE id < 1000"
    )


async def assert_figures(
    stage: Stage, wanted: ReportFilter, keep: Callable[[Row], bool] = lambda _: True
) -> int:
    """Assert that all figures of the filter's reports are right; return their number."""
    rows = [row for row in await fetch_graded(stage, reviewed=wanted.reviewed) if keep(row)]
    async with stage.service.database.session() as session:
        for zone in _ZONES:
            assert_measured(await measure_reports(session, wanted, zone), rows, ZoneInfo(zone))
            assert_broken_down(
                await measure_breakdowns(session, wanted, zone),
                await _ask(stage, rows),
                ZoneInfo(zone),
            )
        assert await measure_steadiness(session, wanted) == measure_steady(rows)
    return len(rows)


async def _ask(stage: Stage, rows: list[Row]) -> list[Row]:
    """Fill the missing times of the buyer's first message from the windows of the reports."""
    messages = {row["id"]: row for row in await stage.rows("SELECT * FROM messages")}

    def find(row: Row) -> Any:
        first = messages.get(row["first_message_id"])
        times = [
            message["sent_at"]
            for message in messages.values()
            if first
            and message["chat_id"] == row["chat_id"]
            and message["side"] == "client"
            and message["sent_at"] >= first["sent_at"]
        ]
        return min(times, default=None)

    return [{**row, "first_client_at": row["first_client_at"] or find(row)} for row in rows]


def assert_varied(rows: list[Row]) -> None:
    """Assert that no figure is the same for all reports: otherwise equal figures prove nothing."""
    flags = {flag for row in rows for flag in row["detail"]["flags"]}
    assert {"critical", "contradiction", "no_evidence", "addresses_grader"} <= flags
    for key in (
        lambda row: row["account_id"],
        lambda row: (row["model"], row["prompt_version"]),
        lambda row: row["created_at"].date(),
        lambda row: row["item_id"] is None,
        lambda row: row["first_client_at"] is None,
        lambda row: row["cost_usd"] is None,
        lambda row: row["review_id"] is None,
        lambda row: row["repeat"] is None,
        lambda row: "contact" in row["detail"],
        lambda row: isinstance(row["detail"].get("contact"), dict),
        lambda row: row["detail"].get("bot_first") is True,
        lambda row: row["detail"]["answer_times"]["first_answer_seconds"] is None,
        lambda row: row["objection_handling_grade"] == "Нет возражений",
        lambda row: row["digest_id"] is None,
    ):
        assert len({key(row) for row in rows}) > 1, key.__code__.co_firstlineno
    steady = measure_steady(rows)
    assert 0 < steady.criteria[0].flipped < steady.criteria[0].n
    assert len(rows) > 2 * len({row["chat_id"] for row in rows}) > 80


async def test_figures_equal_those_of_the_details(full_stage: Stage) -> None:
    stage = full_stage
    await add_varied_reports(stage)
    for report in (1, 2, 3):
        grades = {"tonality_grade": "Низкая", "objection_handling_grade": "Нет возражений"}
        path = f"/api/v1/reports/{report}/review"
        assert (await stage.rest.put(path, json={"grades": grades})).status_code == 200
    assert (await stage.rest.delete("/api/v1/reports/3/review")).status_code == 200
    rows = await fetch_graded(stage)
    assert_varied(rows)
    middle = rows[0]["created_at"] - timedelta(days=2)
    day = rows[0]["mailed_on"]
    filters: tuple[tuple[ReportFilter, Callable[[Row], bool]], ...] = (
        (ReportFilter(), lambda _: True),
        (ReportFilter(start=middle), lambda row: row["created_at"] >= middle),
        (ReportFilter(end=middle, reviewed=True), lambda row: row["created_at"] < middle),
        (ReportFilter(reviewed=True), lambda _: True),
        (ReportFilter(account="Вторая"), lambda row: row["account"] == "Вторая"),
        (
            ReportFilter(account="77", start=middle),
            lambda row: row["account"] == "Вторая" and row["created_at"] >= middle,
        ),
        (ReportFilter(mailed_on=[day]), lambda row: row["mailed_on"] == day),
        (ReportFilter(digest_ids=[1], reviewed=True), lambda row: row["digest_id"] == 1),
        (
            ReportFilter(chat_id=rows[5]["body"]["chat_id"]),
            lambda row: row["chat_id"] == rows[5]["chat_id"],
        ),
        (
            ReportFilter(grades={"tonality_grade": ["Низкая"]}),
            lambda row: row["tonality_grade"] == "Низкая",
        ),
        (
            ReportFilter(grades={"tonality_grade": ["Низкая"]}, reviewed=True),
            lambda row: row["tonality_grade"] == "Низкая",
        ),
        (ReportFilter(end=middle - timedelta(days=99)), lambda _: False),
    )
    counts = [await assert_figures(stage, wanted, keep) for wanted, keep in filters]
    assert len(set(counts)) >= 8, counts


_CHANGES = (
    "DELETE FROM reports WHERE id = 5 OR chat_id % 4 = 0",
    "UPDATE reports SET kind = 'regrade' WHERE id % 5 = 0",
    "UPDATE reports SET kind = 'grading' WHERE kind = 'regrade'",
    "UPDATE reports SET created_at = created_at - interval '30 days' WHERE id % 3 = 0",
    "UPDATE reports SET score = 1, closure_grade = 'Низкая' WHERE id % 3 = 0",
    "UPDATE reports SET digest_id = NULL WHERE id % 3 = 0",
    "UPDATE chats SET item_id = 42 WHERE id % 2 = 0",
)


async def test_figures_follow_every_change(full_stage: Stage) -> None:
    """An erasure, a regrade, and changes that the service itself does not make."""
    await add_varied_reports(full_stage)
    for change in _CHANGES:
        before = await fetch_graded(full_stage)
        await full_stage.change(change)
        assert await fetch_graded(full_stage) != before, change
        await assert_figures(full_stage, ReportFilter())
