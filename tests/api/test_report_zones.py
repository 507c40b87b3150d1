"""After a change of REPORT_TIMEZONE: one moment, one spelling, wherever a report is shown."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from tests.api.test_reports import two_reports
from tests.services.sheets import rows_of
from tests.services.test_regrade import regrade
from tests.stage import BAD_TALK, GOOD_TALK, Stage, on_stage

MOSCOW, VLADIVOSTOK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Vladivostok")
ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def get(stage: Stage, path: str, **params: str) -> Any:
    answer = await stage.rest.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def expected(stage: Stage, zone: ZoneInfo) -> dict[int, str]:
    """By report, regrades included, its moment as the zone's clocks show it."""
    rows = await stage.rows("SELECT id, created_at FROM reports")
    return {
        row["id"]: row["created_at"].astimezone(zone).isoformat(timespec="milliseconds")
        for row in rows
    }


def by_number(reports: list[dict[str, Any]]) -> dict[int, str]:
    return {int(report["id"]): report["created_at"] for report in reports}


def as_table(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


def check_sheet(content: bytes, spelled: dict[int, str], offsets: set[str]) -> None:
    """Excel knows no zones: a cell holds the wall clock, and the offset stands in its format."""
    wall = {
        number: datetime.fromisoformat(moment).replace(tzinfo=None)
        for number, moment in spelled.items()
    }
    assert by_number(as_table(rows_of(content, "Отчёты"))) == wall
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        styles = archive.read("xl/styles.xml").decode()
    shown = {
        offset
        for offset in ("+03:00", "+10:00", "-04:00", "-05:00")
        if f"ss &quot;{offset}&quot;" in styles
    }
    assert shown == offsets


async def check_lists(stage: Stage, spelled: dict[int, str], offsets: set[str]) -> None:
    """The list in each of its forms, with the machine's grades and with a person's."""
    assert (
        by_number(await stage.reports())
        == by_number(await stage.reports(grades="reviewed"))
        == spelled
    )
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, "format": "csv"})
    lines = csv.DictReader(
        io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"
    )
    assert by_number(list(lines)) == spelled
    check_sheet(
        (await stage.rest.get("/api/v1/reports", params={**ALL, "format": "xlsx"})).content,
        spelled,
        offsets,
    )


async def check_single(stage: Stage, spelled: dict[int, str]) -> None:
    """Each report by its number, and those of its chat."""
    for number, moment in spelled.items():
        detail = await get(stage, f"/reports/{number}")
        assert detail["created_at"] == moment
        shown = by_number((await get(stage, f"/chats/{detail['chat_id']}"))["reports"])
        assert shown
        assert shown.items() <= spelled.items()


async def test_a_report_is_shown_everywhere_in_the_zone_that_is_set_now(
    stage: Stage, database_url: str
) -> None:
    """Written in Moscow's evening, which is the next day in Vladivostok."""
    stage.clock.set(datetime(2026, 11, 22, 17, 30, tzinfo=UTC))
    await two_reports(stage)
    await regrade(stage)
    await stage.mail()
    await stage.rest.put("/api/v1/reports/1/review", json={"grades": {"tonality_grade": "Средняя"}})
    before = await stage.rest.get("/api/v1/reports", params=ALL)
    old, new = await expected(stage, MOSCOW), await expected(stage, VLADIVOSTOK)
    assert len(new) == 4, "two of them regrades"
    assert by_number(before.json()) == {number: old[number] for number in (1, 2)}
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
            by_number(await moved.reports(start_date="2026-11-23", end_date="2026-11-23")) == listed
        )
        pages = [(await moved.rest.get("/api/v1/reports/daily/2026-11-22")).text]
        await moved.mail(date="2026-11-22", resend=True)
        pages.append((await moved.rest.get("/api/v1/reports/daily/2026-11-22")).text)
        text = (await moved.rest.get("/api/v1/reports", params=ALL)).text
    assert text == before.text.replace(old[1], new[1]).replace(old[2], new[2]), (
        "to the letter but for the moments"
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
    ], "a mail's page is in the zone that it names"
    mail = message_from_bytes(stage.sandbox.smtp.messages[-1].data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    (attached,) = mail.iter_attachments()
    check_sheet(attached.get_content(), listed, {"+10:00"})


async def test_the_offset_is_the_one_of_the_moment(stage: Stage, database_url: str) -> None:
    """New York puts its clocks back at 2:00 on 1 November: half past one comes twice, an hour
    apart.
    """
    for hour, talk in ((5, GOOD_TALK), (6, BAD_TALK)):
        stage.clock.set(datetime(2026, 11, 1, hour, 30, tzinfo=UTC))
        stage.add_talk(*talk)
        await stage.sync()
        await stage.analyze()
    async with on_stage(
        database_url, stage.sandbox, stage.clock, report_timezone="America/New_York"
    ) as moved:
        spelled = by_number(await moved.reports())
        assert [(spelled[number][:15], spelled[number][-6:]) for number in (1, 2)] == [
            ("2026-11-01T01:3", "-04:00"),
            ("2026-11-01T01:3", "-05:00"),
        ]
        assert spelled == await expected(moved, ZoneInfo("America/New_York"))
        await check_lists(moved, spelled, {"-04:00", "-05:00"})
        await check_single(moved, spelled)


async def test_a_moment_within_a_text_stays_as_it_is(stage: Stage, database_url: str) -> None:
    """Also where somebody has written a body anew, in an order that puts the text first."""
    await two_reports(stage)
    words = '"created_at":"2020-01-01T00:00:00.000+03:00", "created_at": "2020'
    sql = (
        "UPDATE reports SET body = (body::jsonb || jsonb_build_object('summary', CAST(:words AS"
        " text)))::json WHERE id = 1"
    )
    await stage.change(sql, words=words)
    async with on_stage(
        database_url, stage.sandbox, stage.clock, report_timezone="Asia/Vladivostok"
    ) as moved:
        reports = await moved.reports()
        assert by_number(reports) == await expected(moved, VLADIVOSTOK)
        assert [report["summary"] for report in reports if report["id"] == 1] == [words]


async def test_runs_and_deliveries_go_by_the_same_clock(stage: Stage) -> None:
    await two_reports(stage)
    await stage.mail()
    mail, *_ = runs = await get(stage, "/runs")
    delivery, *_ = (await get(stage, f"/runs/{mail['id']}"))["deliveries"]
    moments = [
        *(run[name] for run in runs for name in ("created_at", "started_at", "finished_at")),
        delivery["sent_at"],
    ]
    assert len(moments) >= 10
    assert {moment[-6:] for moment in moments} == {"+03:00"}
