"""Figures by listing, hour and weekday: the summary, the list of reports and the mail agree."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from app.services.digests.breakdowns import LISTINGS
from tests.support.digests import figures, summary
from tests.support.stage import GOOD_TALK, Stage, on_stage

ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
FIGURES = (
    "chats",
    "mean_score",
    "bad_reports",
    "bad_share",
    "critical_reports",
    "first_answer",
)


async def add_reports(stage: Stage, listings: dict[int | None, Sequence[float]]) -> None:
    """Give each listing reports with these scores, each in a chat of its own.

    The chats and reports are copies of a real one.
    """
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.change("UPDATE chats SET item_id = 999")
    number = 0
    for item_id, scores in listings.items():
        for score in scores:
            number += 1
            await copy_report(stage, 1000 + number, item_id, score)
    await stage.change("DELETE FROM packed_exchanges")
    await stage.change("DELETE FROM reports WHERE id = 1")
    assert chat.id


async def copy_report(stage: Stage, number: int, item_id: int | None, score: float) -> None:
    title = f"Лот {item_id}" if item_id else "Чат без объявления"
    await stage.change(
        "INSERT INTO chats (id, account_id, avito_id, item_id, item_title)"
        " SELECT CAST(:number AS bigint), account_id, 'u2i-' || CAST(:number AS bigint),"
        " :item_id, :title FROM chats LIMIT 1",
        number=number,
        item_id=item_id,
        title=title,
    )
    columns = (
        "account_id, run_id, tonality_grade, professionalism_grade, clarity_grade,"
        " problem_solving_grade, objection_handling_grade, closure_grade, detail,"
        " first_client_at, last_message_id, window_messages, model, prompt_version,"
        " prompt_hit_tokens, prompt_miss_tokens, completion_tokens, cost_usd, first_message_id"
    )
    await stage.change(
        f"INSERT INTO reports (id, chat_id, created_at, body, score, {columns})"  # noqa: S608
        " SELECT CAST(:number AS bigint), CAST(:number AS bigint), created_at,"
        " jsonb_set(body::jsonb, '{chat_title}', to_jsonb(CAST(:title AS text)))::json,"
        f" :score, {columns} FROM reports WHERE id = 1",
        number=number,
        score=score,
        title=title,
    )


async def test_listings_with_few_reports_have_only_their_number(stage: Stage) -> None:
    await add_reports(stage, {7: [10, 20, 30, 40, 60], 8: [10, 10, 10, 10], None: [90] * 6})
    told = await summary(stage, **ALL)
    entries = {entry["item_id"]: entry for entry in told["by_listing"]}
    assert [entry["n"] for entry in told["by_listing"]] == [6, 5, 4], "most reports first"
    assert {name: entries[8][name] for name in FIGURES} == dict.fromkeys(FIGURES)
    five = entries[7]
    assert (five["title"], five["mean_score"], five["bad_reports"], five["bad_share"]) == (
        "Лот 7",
        32.0,
        4,
        0.8,
    )
    assert (five["chats"], five["first_answer"]["reports"]) == (5, 5)
    assert (entries[None]["title"], entries[None]["mean_score"]) == ("Чат без объявления", 90.0)
    assert told["other_listings"] == {"listings": 0, "n": 0}
    assert told["worst_listings"] == [{"item_id": 7, "title": "Лот 7", "n": 5, "mean_score": 32.0}]


async def test_a_listing_has_the_title_of_its_newest_report(stage: Stage) -> None:
    await add_reports(stage, {7: [50] * 5})
    await stage.change(
        "UPDATE reports SET body = jsonb_set(body::jsonb, '{chat_title}', '\"Новое имя\"')::json"
        " WHERE id = 1005"
    )
    (entry,) = (await summary(stage, **ALL))["by_listing"]
    assert (entry["title"], entry["n"]) == ("Новое имя", 5)


async def test_the_others_are_counted_and_the_worst_is_never_lost(stage: Stage) -> None:
    """The worst listing is reported even if it is not among those with most reports."""
    many: dict[int | None, Sequence[float]] = {
        number: [80.0] * 6 for number in range(1, LISTINGS + 1)
    }
    await add_reports(stage, {**many, 100: [0.0] * 5, 101: [99.0] * 2})
    told = await summary(stage, **ALL)
    assert len(told["by_listing"]) == LISTINGS
    assert told["other_listings"] == {"listings": 2, "n": 7}
    assert [entry["item_id"] for entry in told["worst_listings"]][:1] == [100]
    assert told["reports"] == 6 * LISTINGS + 7


async def test_good_and_unnamed_listings_are_not_the_worst(stage: Stage) -> None:
    """Avito may return a listing without a title. Nobody could find it by its name."""
    await add_reports(stage, {1: [79.9] * 5, 2: [80] * 5, 3: [98] * 5, 4: [20] * 5})
    await stage.change(
        "UPDATE reports SET body = jsonb_set(body::jsonb, '{chat_title}', '\"Чат без объявления\"')"
        "::json FROM chats WHERE chats.id = chat_id AND item_id = 4"
    )
    day = (await stage.mail())["date"]
    told = await summary(stage, mail=day)
    assert [entry["item_id"] for entry in told["worst_listings"]] == [1]
    assert [entry["item_id"] for entry in (await figures(stage))["worst_listings"]] == [1]
    assert {entry["item_id"] for entry in told["by_listing"]} == {1, 2, 3, 4}


async def test_the_mail_names_the_worst_listings_of_the_summary(stage: Stage) -> None:
    await add_reports(
        stage,
        {1: [40] * 5, 2: [10, 20, 20, 20, 21], 3: [30] * 7, 4: [20] * 5, 5: [0] * 4, None: [5] * 9},
    )
    day = (await stage.mail())["date"]
    told, stored = await summary(stage, mail=day), await figures(stage)
    assert [entry["item_id"] for entry in told["worst_listings"]] == [2, 4, 3]
    assert told["worst_listings"] == [
        {
            "item_id": listing["item_id"],
            "title": listing["chat_title"],
            "n": listing["reports"],
            "mean_score": round(listing["mean_score"], 2),
        }
        for listing in stored["worst_listings"]
    ]
    in_breakdown = {entry["item_id"]: entry for entry in told["by_listing"]}
    for entry in told["worst_listings"]:
        assert in_breakdown[entry["item_id"]] | entry == in_breakdown[entry["item_id"]]
    lines = stage.last_mail().replace("\u00a0", " ").splitlines()
    start = lines.index("ОБЪЯВЛЕНИЯ С САМОЙ НИЗКОЙ ОЦЕНКОЙ") + 1
    assert lines[start : start + 4] == [
        "Лот 2: 18 из 100, 5 отчётов",
        "Лот 4: 20 из 100, 5 отчётов",
        "Лот 3: 30 из 100, 7 отчётов",
        "",
    ]
    page = (await stage.rest.get(f"/api/v1/reports/daily/{day}")).text
    assert "Объявления с самой низкой оценкой" in page


async def test_the_mail_has_no_listings_if_none_has_enough_reports(stage: Stage) -> None:
    await add_reports(stage, {1: [10] * 4, 2: [20] * 4, None: [0] * 8})
    await stage.mail()
    assert (await figures(stage))["worst_listings"] == []
    assert "ОБЪЯВЛЕНИЯ" not in stage.last_mail()


async def ask_at(stage: Stage, moments: Sequence[datetime]) -> None:
    """Give the reports these times of the buyer's first message, in order of their numbers."""
    for number, moment in enumerate(moments, start=1001):
        await stage.change(
            "UPDATE reports SET first_client_at = :at WHERE id = :id", at=moment, id=number
        )


async def test_hours_and_weekdays_are_local_across_a_change_of_the_clocks(
    database_url: str,
) -> None:
    """On Sunday, 25 October 2026, Berlin's clocks go back from 3:00 to 2:00 at 1:00 UTC."""
    night = datetime(2026, 10, 25, tzinfo=UTC)
    moments = [
        *(night + timedelta(minutes=minutes) for minutes in (0, 30, 59)),  # 02:.. in summer
        *(night + timedelta(hours=1, minutes=minutes) for minutes in (0, 59)),  # 02:.. again
        night + timedelta(hours=2),  # 03:00 in winter
        night - timedelta(hours=2),  # Sunday 00:00 in summer
        night - timedelta(hours=2, minutes=1),  # Saturday 23:59
        night + timedelta(hours=23),  # Monday 00:00 in winter
    ]
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, report_timezone="Europe/Berlin") as stage,
    ):
        await add_reports(stage, {1: [60.0] * len(moments)})
        await ask_at(stage, moments)
        told = await summary(stage, **ALL)
    assert {entry["hour"]: entry["n"] for entry in told["by_hour"]} == {0: 2, 2: 5, 3: 1, 23: 1}
    assert {entry["weekday"]: entry["n"] for entry in told["by_weekday"]} == {1: 1, 6: 1, 7: 7}
    assert [entry["mean_score"] for entry in told["by_hour"]] == [None, 60.0, None, None]
    local = [moment.astimezone(ZoneInfo("Europe/Berlin")) for moment in moments]
    assert sum(moment.hour == 2 for moment in local) == 5


async def test_the_hour_is_that_of_the_first_message_of_the_episode(stage: Stage) -> None:
    """The buyer returns after four days; the company had written first."""
    now = stage.clock().replace(minute=30, second=0, microsecond=0)
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5 * 24 * 60)
    returned = now - timedelta(hours=5)
    stage.avito.add_message(chat.id, "client", text="Диван ещё у вас?", at=returned)
    stage.avito.add_message(chat.id, "company", text="Да, приезжайте.", at=now - timedelta(hours=2))
    await stage.sync()
    await stage.analyze()
    moscow = returned.astimezone(stage.service.settings.report_timezone)
    told = await summary(stage, **ALL)
    assert [entry["hour"] for entry in told["by_hour"]] == [moscow.hour]
    assert [entry["weekday"] for entry in told["by_weekday"]] == [moscow.isoweekday()]
    (stored,) = await stage.rows("SELECT first_client_at FROM reports")
    assert stored["first_client_at"] == returned


async def test_reports_of_an_earlier_release_are_counted_by_their_window(stage: Stage) -> None:
    """The company wrote first; the report does not have the column's value."""
    now = stage.clock().replace(minute=30, second=0, microsecond=0)
    chat = stage.add_talk(("company", "Скидка на диван!"), minutes_ago=10 * 60)
    asked = now - timedelta(hours=5)
    stage.avito.add_message(chat.id, "client", text="Какая скидка?", at=asked)
    stage.avito.add_message(
        chat.id, "company", text="Десять процентов.", at=asked + timedelta(minutes=5)
    )
    await stage.sync()
    await stage.analyze()
    new = await summary(stage, **ALL)
    await stage.change("UPDATE reports SET first_client_at = NULL")
    old = await summary(stage, **ALL)
    assert (old["by_hour"], old["by_weekday"]) == (new["by_hour"], new["by_weekday"])
    local = asked.astimezone(stage.service.settings.report_timezone)
    assert [entry["hour"] for entry in old["by_hour"]] == [local.hour]


async def test_breakdowns_add_up_to_the_list(full_stage: Stage) -> None:
    await full_stage.sync()
    await full_stage.analyze()
    told = await summary(full_stage, **ALL)
    listed = await full_stage.reports()
    for name in ("by_listing", "by_hour", "by_weekday"):
        assert sum(entry["n"] for entry in told[name]) == len(listed), name
    for entry in told["by_weekday"]:
        assert (entry["mean_score"] is None) is (entry["n"] < 5)


async def test_breakdowns_follow_the_filter(stage: Stage) -> None:
    await add_reports(stage, {7: [50] * 5, 8: [70] * 5})
    await stage.change("UPDATE reports SET kind = 'regrade' WHERE id = 1001")
    told = await summary(stage, **ALL)
    assert {entry["item_id"]: entry["n"] for entry in told["by_listing"]} == {7: 4, 8: 5}
    nothing = await summary(stage, start_date="2020-01-01", end_date="2020-01-01")
    assert [nothing[name] for name in ("by_listing", "worst_listings", "by_hour")] == [[], [], []]
    assert nothing["other_listings"] == {"listings": 0, "n": 0}


async def test_reviewed_scores_count_if_requested(stage: Stage) -> None:
    await add_reports(stage, {7: [100] * 5})
    grades = dict.fromkeys(
        ("tonality_grade", "professionalism_grade", "clarity_grade", "problem_solving_grade"),
        "Низкая",
    )
    review = await stage.rest.put("/api/v1/reports/1001/review", json={"grades": grades})
    assert review.status_code == 200, review.text
    corrected = review.json()["review"]["score"]
    (entry,) = (await summary(stage, **ALL, grades="reviewed"))["by_listing"]
    assert entry["mean_score"] == pytest.approx(mean([corrected, 100, 100, 100, 100]), abs=0.01)
    (machine,) = (await summary(stage, **ALL))["by_listing"]
    assert machine["mean_score"] == 100.0


async def test_a_new_report_has_the_time_of_the_first_message(full_stage: Stage) -> None:
    await full_stage.sync()
    await full_stage.analyze()
    rows: list[dict[str, Any]] = await full_stage.rows(
        "SELECT count(*) AS missing FROM reports WHERE first_client_at IS NULL"
    )
    assert rows == [{"missing": 0}]
