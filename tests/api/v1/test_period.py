"""After a change of REPORT_TIMEZONE a report has the same time in every output."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.label_sheets import read_rows
from tests.support.regrades import regrade
from tests.support.reports import add_ordered_reports
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage

MOSCOW, VLADIVOSTOK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Vladivostok")
ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def get(stage: Stage, path: str, **params: str) -> Any:
    answer = await stage.rest.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_expected_times(stage: Stage, zone: ZoneInfo) -> dict[int, str]:
    """Return the creation time of each report, regrades included, in the zone."""
    rows = await stage.rows("SELECT id, created_at FROM reports")
    return {
        row["id"]: row["created_at"].astimezone(zone).isoformat(timespec="milliseconds")
        for row in rows
    }


def map_times(reports: list[dict[str, Any]]) -> dict[int, str]:
    return {int(report["id"]): report["created_at"] for report in reports}


def make_dicts(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


def check_sheet(content: bytes, times: dict[int, str], offsets: set[str]) -> None:
    """Check times and offsets of a sheet.

    Excel has no time zones: a cell contains the local time, and its format contains the offset.
    """
    wall = {
        number: datetime.fromisoformat(moment).replace(tzinfo=None)
        for number, moment in times.items()
    }
    assert map_times(make_dicts(read_rows(content, "Отчёты"))) == wall
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        styles = archive.read("xl/styles.xml").decode()
    shown = {
        offset
        for offset in ("+03:00", "+10:00", "-04:00", "-05:00")
        if f"ss &quot;{offset}&quot;" in styles
    }
    assert shown == offsets


async def check_lists(stage: Stage, times: dict[int, str], offsets: set[str]) -> None:
    """Check the list in each format, with the model's and with the reviewed grades."""
    assert (
        map_times(await stage.reports())
        == map_times(await stage.reports(grades="reviewed"))
        == times
    )
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, "format": "csv"})
    lines = csv.DictReader(
        io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"
    )
    assert map_times(list(lines)) == times
    check_sheet(
        (await stage.rest.get("/api/v1/reports", params={**ALL, "format": "xlsx"})).content,
        times,
        offsets,
    )


async def check_single(stage: Stage, times: dict[int, str]) -> None:
    """Check each report by its ID, and the reports of its chat."""
    for number, moment in times.items():
        detail = await get(stage, f"/reports/{number}")
        assert detail["created_at"] == moment
        shown = map_times((await get(stage, f"/chats/{detail['chat_id']}"))["reports"])
        assert shown
        assert shown.items() <= times.items()


async def test_report_times_are_in_the_current_zone_everywhere(
    stage: Stage, database_url: str
) -> None:
    """Written on an evening in Moscow, which is the next day in Vladivostok."""
    stage.clock.set(datetime(2026, 11, 22, 17, 30, tzinfo=UTC))
    await add_ordered_reports(stage)
    await regrade(stage)
    await stage.mail()
    await stage.rest.put("/api/v1/reports/1/review", json={"grades": {"tonality_grade": "Средняя"}})
    before = await stage.rest.get("/api/v1/reports", params=ALL)
    old, new = (
        await list_expected_times(stage, MOSCOW),
        await list_expected_times(stage, VLADIVOSTOK),
    )
    assert len(new) == 4, "two of them regrades"
    assert map_times(before.json()) == {number: old[number] for number in (1, 2)}
    listed = {number: new[number] for number in (1, 2)}
    async with (
        stage.resting(),
        on_stage(
            database_url, stage.sandbox, stage.clock, report_timezone="Asia/Vladivostok"
        ) as moved,
    ):
        await check_lists(moved, listed, {"+10:00"})
        await check_single(moved, new)
        review = await moved.rest.put(
            "/api/v1/reports/2/review", json={"grades": {}, "comment": "Верно."}
        )
        assert review.json()["created_at"] == new[2]
        assert (
            map_times(await moved.reports(start_date="2026-11-23", end_date="2026-11-23")) == listed
        )
        pages = [(await moved.rest.get("/api/v1/reports/daily/2026-11-22")).text]
        await moved.mail(date="2026-11-22", resend=True)
        pages.append((await moved.rest.get("/api/v1/reports/daily/2026-11-22")).text)
        text = (await moved.rest.get("/api/v1/reports", params=ALL)).text
    assert text == before.text.replace(old[1], new[1]).replace(old[2], new[2]), (
        "identical except for the times"
    )
    named = [
        [
            zone
            for zone in ("Europe/Moscow (UTC+03:00)", "Asia/Vladivostok (UTC+10:00)")
            if zone in page
        ]
        for page in pages
    ]
    assert named == [
        ["Europe/Moscow (UTC+03:00)"],
        ["Asia/Vladivostok (UTC+10:00)"],
    ], "a mail's page uses the zone that it names"
    mail = message_from_bytes(stage.sandbox.smtp.messages[-1].data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    (attached,) = mail.iter_attachments()
    check_sheet(attached.get_content(), listed, {"+10:00"})


async def test_offset_is_that_of_the_reports_time(stage: Stage, database_url: str) -> None:
    """New York sets its clocks back at 2:00 on 1 November: 1:30 occurs twice, an hour apart."""
    for hour, talk in ((5, GOOD_TALK), (6, BAD_TALK)):
        stage.clock.set(datetime(2026, 11, 1, hour, 30, tzinfo=UTC))
        stage.add_talk(*talk)
        await stage.sync()
        await stage.analyze()
    async with on_stage(
        database_url, stage.sandbox, stage.clock, report_timezone="America/New_York"
    ) as moved:
        times = map_times(await moved.reports())
        assert [(times[number][:15], times[number][-6:]) for number in (1, 2)] == [
            ("2026-11-01T01:3", "-04:00"),
            ("2026-11-01T01:3", "-05:00"),
        ]
        assert times == await list_expected_times(moved, ZoneInfo("America/New_York"))
        await check_lists(moved, times, {"-04:00", "-05:00"})
        await check_single(moved, times)


async def test_time_within_a_text_is_not_converted(stage: Stage, database_url: str) -> None:
    """Also if a body was rewritten in an order that puts the text first."""
    await add_ordered_reports(stage)
    text_with_times = '"created_at":"2020-01-01T00:00:00.000+03:00", "created_at": "2020'
    sql = (
        "UPDATE reports SET body = (body::jsonb || jsonb_build_object('summary', CAST(:words AS"
        " text)))::json WHERE id = 1"
    )
    await stage.change(sql, words=text_with_times)
    async with on_stage(
        database_url, stage.sandbox, stage.clock, report_timezone="Asia/Vladivostok"
    ) as moved:
        reports = await moved.reports()
        assert map_times(reports) == await list_expected_times(moved, VLADIVOSTOK)
        assert [report["summary"] for report in reports if report["id"] == 1] == [text_with_times]


async def test_runs_and_deliveries_use_the_same_zone(stage: Stage) -> None:
    await add_ordered_reports(stage)
    await stage.mail()
    mail, *_ = runs = await get(stage, "/runs")
    delivery, *_ = (await get(stage, f"/runs/{mail['id']}"))["deliveries"]
    moments = [
        *(run[name] for run in runs for name in ("created_at", "started_at", "finished_at")),
        delivery["sent_at"],
    ]
    assert len(moments) >= 10
    assert {moment[-6:] for moment in moments} == {"+03:00"}
