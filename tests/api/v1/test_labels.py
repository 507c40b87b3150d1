"""``/labels``: the weekly sample without grades, and blind labels."""

import json
from datetime import timedelta

import pytest

from tests.support.labels import (
    HIGH,
    LOW,
    add_weeks,
    fetch_sample,
    put_correction,
    put_label,
    withdraw_review,
)
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage


async def test_the_sample_has_messages_and_criteria_but_no_grade(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, title="Диван")
    stage.add_talk(*BAD_TALK, title="Шкаф", client="Олег")
    await stage.sync()
    await stage.analyze()
    sample = await fetch_sample(stage)
    assert (sample["reports"], sample["labelled"]) == (2, 0)
    assert {chat["chat_title"]: chat["client_name"] for chat in sample["chats"]} == {
        "Диван": "Анна",
        "Шкаф": "Олег",
    }
    talk = next(chat for chat in sample["chats"] if chat["chat_title"] == "Шкаф")
    assert [(one["side"], one["text"]) for one in talk["messages"]] == list(BAD_TALK)
    assert talk["messages"][0]["sent_at"].endswith("+03:00")
    assert talk.keys() == {"report_id", "chat_title", "client_name", "labelled", "messages"}
    (report,) = [one for one in await stage.reports() if one["chat_title"] == "Шкаф"]
    chats = json.dumps(sample["chats"], ensure_ascii=False)
    for hidden in ("grade", "score", report["summary"], report["recommendations"].split("\n")[0]):
        assert hidden not in chats
    closure = sample["criteria"][-1]
    assert (closure["criterion"], len(closure["questions"])) == ("closure", 3)
    assert [level["grade"] for level in closure["levels"]] == ["Высокая", "Средняя", "Низкая"]
    assert [level["grade"] for level in sample["criteria"][4]["levels"]][-1] == "Нет возражений"


async def test_the_sample_is_the_same_for_everyone_and_keeps_its_labelled_chats(
    stage: Stage,
) -> None:
    await add_weeks(stage, weeks=1, reports=40)
    first = await fetch_sample(stage)
    numbers = [chat["report_id"] for chat in first["chats"]]
    assert (first["reports"], len(set(numbers))) == (40, 10)
    assert numbers != sorted(row["id"] for row in await stage.rows("SELECT id FROM reports"))[:10]
    for number in numbers[:3]:
        await put_label(stage, number, HIGH)
    assert await fetch_sample(stage) == first | {
        "labelled": 3,
        "chats": [chat | {"labelled": chat["report_id"] in numbers[:3]} for chat in first["chats"]],
    }
    await stage.change(
        "INSERT INTO reports OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(r,"
        " jsonb_build_object('id', 5000 + n))).* FROM reports r, generate_series(1, 300) n"
        " WHERE r.id = 1"
    )
    later = [chat["report_id"] for chat in (await fetch_sample(stage))["chats"]]
    assert set(numbers[:3]) < set(later)
    assert max(later) > 5000, "a newer report may take the place of one without a label"
    gone = next(number for number in numbers if number not in later)
    await put_label(stage, gone, HIGH)  # a person has read it meanwhile


async def test_only_reports_of_the_sample_can_be_labelled(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=400)
    sampled = {chat["report_id"] for chat in (await fetch_sample(stage))["chats"]}
    newest = [row["id"] for row in await stage.rows("SELECT id FROM reports ORDER BY id DESC")]
    others = [number for number in newest if number not in sampled][:50]
    refused = [
        number
        for number in others
        if (await stage.rest.put(f"/api/v1/labels/{number}", json={"grades": HIGH})).status_code
        == 404
    ]
    assert len(refused) > 40, "nearly all: a few have been in the sample before newer reports came"
    answer = await put_label(stage, refused[0], HIGH, 404)
    assert f"Отчёта {refused[0]} нет в выборке его недели" in answer["message"]
    await put_label(stage, 999_999, HIGH, 404)
    assert len(await stage.rows("SELECT id FROM reviews")) == len(others) - len(refused)


async def test_each_week_has_a_sample_of_its_own(stage: Stage) -> None:
    await add_weeks(stage, weeks=3, reports=12)
    zone = stage.service.settings.report_timezone
    found: list[int] = []
    for ago in range(3):
        day = (stage.clock() - timedelta(weeks=ago)).astimezone(zone).date()
        sample = await fetch_sample(stage, week=day.isoformat())
        assert sample["week"] == (day - timedelta(days=day.weekday())).isoformat()
        assert (sample["reports"], len(sample["chats"])) == (12, 10)
        found += [chat["report_id"] for chat in sample["chats"]]
    assert len(set(found)) == 30
    assert (await fetch_sample(stage, week="2020-01-01"))["chats"] == []


async def test_a_label_is_a_review_marked_as_blind(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=1)
    answer = await put_label(stage, 1, LOW, reviewer="Мария")
    assert answer == {
        "status": "success",
        "message": "Оценки отчёта 1 вслепую сохранены.",
        "report_id": 1,
    }
    review = (await stage.rest.get("/api/v1/reports/1")).json()["review"]
    assert (review["blind"], review["score"], review["reviewer"]) == (True, 0, "Мария")
    assert review["grades"] == LOW
    await put_label(stage, 1, LOW, reviewer="Мария")
    assert len(await stage.rows("SELECT id FROM reviews")) == 1, "the same again changes nothing"
    await put_label(stage, 1, HIGH, reviewer="Мария")
    rows = await stage.rows("SELECT blind, ended_at IS NULL AS current FROM reviews ORDER BY id")
    assert rows == [{"blind": True, "current": False}, {"blind": True, "current": True}]


async def test_a_correction_and_a_label_do_not_replace_each_other(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=1)
    correction = {"grades": {"closure_grade": "Низкая"}, "reviewer": "Начальник"}
    await stage.rest.put("/api/v1/reports/1/review", json=correction)
    await put_label(stage, 1, LOW)
    review = (await stage.rest.get("/api/v1/reports/1")).json()["review"]
    assert (review["blind"], review["reviewer"]) == (False, "Начальник")
    assert (await fetch_sample(stage))["labelled"] == 1
    await stage.rest.delete("/api/v1/reports/1/review")
    assert (await stage.rest.get("/api/v1/reports/1")).json()["review"] is None
    assert (await fetch_sample(stage))["labelled"] == 1


async def test_a_withdrawn_label_does_not_count_and_can_be_given_again(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=1)
    await put_label(stage, 1, HIGH)
    for _ in range(2):
        await put_label(stage, 1, LOW)
        await withdraw_review(stage, 1)
        sample = await fetch_sample(stage)
        assert (sample["labelled"], sample["chats"][0]["labelled"]) == (0, False)
    await put_label(stage, 1, LOW)
    review = (await stage.rest.get("/api/v1/reports/1")).json()["review"]
    assert (review["blind"], review["grades"]) == (True, LOW)
    assert (await fetch_sample(stage))["labelled"] == 1
    rows = await stage.rows("SELECT ended_at IS NULL AS current FROM reviews ORDER BY id")
    assert [row["current"] for row in rows] == [False, False, False, True], "the history stays"


async def test_a_withdrawn_label_does_not_return_with_a_later_correction(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=1)
    await put_label(stage, 1, LOW)
    await withdraw_review(stage, 1)
    await put_correction(stage, 1)
    assert (await fetch_sample(stage))["labelled"] == 0
    await put_label(stage, 1, LOW)
    assert (await fetch_sample(stage))["labelled"] == 1


async def test_a_label_replaced_by_a_correction_counts_after_its_withdrawal(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=1)
    await put_label(stage, 1, LOW)
    await put_correction(stage, 1)
    assert (await fetch_sample(stage))["labelled"] == 1
    await withdraw_review(stage, 1)
    assert (await fetch_sample(stage))["labelled"] == 1


@pytest.mark.parametrize("missing", HIGH)
async def test_a_label_needs_all_six_grades(stage: Stage, missing: str) -> None:
    grades = {name: grade for name, grade in HIGH.items() if name != missing}
    answer = await put_label(stage, 1, grades, 400)
    assert [error["field"] for error in answer["errors"]] == [f"grades.{missing}"]


async def test_a_label_without_a_body_is_a_400(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=1)
    answer = await stage.rest.put("/api/v1/labels/1")
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (
        400,
        ["grades"],
    )
