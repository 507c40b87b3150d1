"""``/reports/{id}/review``: a review in the report, in the chat and in the list."""

import asyncio
import json
from typing import Any

from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

SPAN = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def grade_two_chats(stage: Stage) -> None:
    """Grade a good chat without an objection (report 1) and a bad one with it (report 2)."""
    for title, talk in (("Диван", GOOD_TALK), ("Шкаф", BAD_TALK)):
        stage.add_talk(*talk, title=title)
        await stage.sync()
        await stage.analyze()


def calculate_score(grades: dict[str, Any], closure_weight: float = 1) -> float:
    """Calculate the expected score of the grade fields."""
    points = {"Высокая": 100, "Средняя": 50, "Низкая": 0}
    counted = [
        (points[word], closure_weight if name == "closure_grade" else 1)
        for name, word in grades.items()
        if word in points
    ]
    return round(
        sum(value * weight for value, weight in counted) / sum(weight for _, weight in counted), 2
    )


async def put_review(stage: Stage, number: int, body: object, status: int = 200) -> dict[str, Any]:
    answer = await stage.rest.put(f"/api/v1/reports/{number}/review", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def fetch(stage: Stage, path: str, status: int = 200) -> dict[str, Any]:
    answer = await stage.rest.get(f"/api/v1{path}")
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_review_and_model_grades_are_both_kept(stage: Stage) -> None:
    await grade_two_chats(stage)
    before = await fetch(stage, "/reports/1")
    assert (before["review"], before["closure_grade"], before["objection_handling_grade"]) == (
        None,
        "Высокая",
        "Нет возражений",
    )
    body = {
        "grades": {"closure_grade": "Низкая", "tonality_grade": "Высокая"},
        "comment": " Не попрощался ",
        "reviewer": "Мария",
    }
    after = await put_review(stage, 1, body)
    review = after.pop("review")
    assert {**after, "review": None} == before, "the model's grades are unchanged"
    assert review.pop("reviewed_at").endswith("+03:00")
    machine = {name: value for name, value in before.items() if name.endswith("_grade")}
    assert review == {
        "report_id": 1,
        "grades": {**machine, "closure_grade": "Низкая"},
        "given": ["tonality_grade", "closure_grade"],
        "score": calculate_score({**machine, "closure_grade": "Низкая"}),
        "blind": False,
        "comment": "Не попрощался",
        "reviewer": "Мария",
    }
    assert (await fetch(stage, "/reports/2"))["review"] is None


async def test_put_get_and_chat_return_the_same_review(stage: Stage) -> None:
    await grade_two_chats(stage)
    answered = await put_review(
        stage, 2, {"grades": {"objection_handling_grade": "Нет возражений"}}
    )
    assert await fetch(stage, "/reports/2") == answered
    assert (await fetch(stage, f"/chats/{answered['chat_id']}"))["reviews"] == [answered["review"]]
    other = await fetch(stage, "/reports/1")
    assert (await fetch(stage, f"/chats/{other['chat_id']}"))["reviews"] == []
    assert answered["review"]["score"] == calculate_score(answered["review"]["grades"])


async def test_new_review_replaces_the_earlier_one_whose_row_is_kept(stage: Stage) -> None:
    await grade_two_chats(stage)
    await put_review(stage, 1, {"grades": {"closure_grade": "Низкая"}, "reviewer": "Мария"})
    stage.clock.move(hours=1)
    second = (
        await put_review(stage, 1, {"grades": {"clarity_grade": "Средняя"}, "comment": "Спорно"})
    )["review"]
    assert (second["given"], second["reviewer"], second["grades"]["closure_grade"]) == (
        ["clarity_grade"],
        None,
        "Высокая",
    )
    rows = await stage.rows("SELECT reviewer, ended_at, reviewed_at FROM reviews ORDER BY id")
    assert [(row["reviewer"], row["ended_at"]) for row in rows] == [
        ("Мария", rows[1]["reviewed_at"]),
        (None, None),
    ]


async def test_identical_review_changes_nothing(stage: Stage) -> None:
    await grade_two_chats(stage)
    body = {"grades": {"closure_grade": "Низкая"}, "comment": "Да"}
    first = await put_review(stage, 1, body)
    stage.clock.move(hours=1)
    assert await put_review(stage, 1, {**body, "reviewer": None}) == first
    assert len(await stage.rows("SELECT id FROM reviews")) == 1


async def test_concurrent_reviews_leave_one_current(stage: Stage) -> None:
    await grade_two_chats(stage)
    await asyncio.gather(*(put_review(stage, 1, {"comment": str(number)}) for number in range(8)))
    rows = await stage.rows("SELECT ended_at FROM reviews")
    assert (len(rows), sum(row["ended_at"] is None for row in rows)) == (8, 1)


async def test_delete_is_idempotent(stage: Stage) -> None:
    await grade_two_chats(stage)
    before = await fetch(stage, "/reports/1")
    await put_review(stage, 1, {"comment": "Верно"})
    for _ in range(2):
        answer = await stage.rest.delete("/api/v1/reports/1/review")
        assert (answer.status_code, answer.json()) == (200, before)
    again = await put_review(stage, 1, {"comment": "Верно"})
    assert again["review"]["comment"] == "Верно"


async def test_comment_alone_keeps_the_model_grades(stage: Stage) -> None:
    await grade_two_chats(stage)
    found = await put_review(stage, 2, {"comment": "Согласна"})
    assert found["review"]["given"] == []
    assert found["review"]["grades"] == {
        name: value for name, value in found.items() if name.endswith("_grade")
    }
    assert found["review"]["score"] == found["score"]


async def test_corrected_grades_are_scored_with_the_reports_own_weights(stage: Stage) -> None:
    """The current rubric does not matter; without stored weights all criteria weigh 1."""
    await grade_two_chats(stage)
    await stage.change(
        "UPDATE reports SET detail = jsonb_set(detail, '{criteria,closure,weight}', '5') WHERE"
        " id = 1"
    )
    low = {"grades": {"closure_grade": "Низкая"}}
    first = (await put_review(stage, 1, low))["review"]
    assert (
        first["score"]
        == calculate_score(first["grades"], closure_weight=5)
        < calculate_score(first["grades"])
    )
    await stage.change(
        "UPDATE reports SET detail = detail #- '{criteria,closure,weight}' WHERE id = 1"
    )
    assert (await put_review(stage, 1, {**low, "comment": "ещё раз"}))["review"][
        "score"
    ] == calculate_score(first["grades"])


async def test_list_has_model_grades_unless_reviewed_ones_are_requested(
    stage: Stage,
) -> None:
    await grade_two_chats(stage)
    machine = await stage.rest.get("/api/v1/reports", params=SPAN)
    untouched = await stage.rest.get("/api/v1/reports", params={**SPAN, "grades": "reviewed"})
    assert untouched.content == machine.content
    await put_review(stage, 1, {"grades": {"tonality_grade": "Низкая"}})
    assert (await stage.rest.get("/api/v1/reports", params=SPAN)).content == machine.content
    assert (
        await stage.rest.get("/api/v1/reports", params={**SPAN, "grades": "machine"})
    ).content == machine.content
    reviewed = await stage.rest.get("/api/v1/reports", params={**SPAN, "grades": "reviewed"})
    expected = [
        {**report, **({"tonality_grade": "Низкая"} if report["id"] == 1 else {})}
        for report in machine.json()
    ]
    assert reviewed.text == json.dumps(expected, ensure_ascii=False, separators=(",", ":")), (
        "the same fields in the same order"
    )


async def test_filters_and_pages_use_the_shown_grades(stage: Stage) -> None:
    await grade_two_chats(stage)
    await put_review(stage, 1, {"grades": {"tonality_grade": "Низкая"}, "comment": "x"})
    await put_review(stage, 1, {"grades": {"tonality_grade": "Средняя"}})
    await stage.copy_first_report(5)

    async def list_ids(**params: Any) -> list[int]:
        return [report["id"] for report in await stage.reports(**params)]

    all_grades = {"tonality_grade": ["Высокая", "Средняя", "Низкая"]}
    assert await list_ids(**all_grades, grades="reviewed") == await list_ids(), (
        "a reviewed report is listed once"
    )
    assert 1 in await list_ids(tonality_grade="Высокая")
    assert 1 not in await list_ids(tonality_grade="Высокая", grades="reviewed")
    assert await list_ids(
        tonality_grade="Средняя",
        chat_id=(await fetch(stage, "/reports/1"))["chat_id"],
        grades="reviewed",
    ) == [1]
    answer = await stage.rest.get(
        "/api/v1/reports", params={**SPAN, "grades": "reviewed", "limit": 2}
    )
    found = answer.json()
    while "next" in answer.links:
        answer = await stage.rest.get(answer.links["next"]["url"])
        found += answer.json()
    assert found == await stage.reports(grades="reviewed")


async def test_regrade_and_unknown_report_cannot_be_reviewed(stage: Stage) -> None:
    await grade_two_chats(stage)
    await stage.copy_first_report(1)
    await stage.change("UPDATE reports SET kind = 'regrade' WHERE id = 1001")
    for number in (1001, 999_999):
        assert str(number) in (await put_review(stage, number, {"comment": "x"}, 404))["message"]
        assert (await stage.rest.delete(f"/api/v1/reports/{number}/review")).status_code == 404
    stage.rest.headers.pop("X-API-Key")
    await put_review(stage, 1, {"comment": "x"}, 401)
    assert (await stage.rest.delete("/api/v1/reports/1/review")).status_code == 401
    assert await stage.rows("SELECT id FROM reviews") == []


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "grades", "хотя бы одну"),
    ({"grades": {}, "comment": "  ", "reviewer": "Мария"}, "grades", "хотя бы одну"),
    ({"grades": {"tonality_grade": None}}, "grades", "хотя бы одну"),
    (
        {"grades": {"tonality_grade": "Высокий"}},
        "grades.tonality_grade",
        "Высокая, Средняя, Низкая",
    ),
    (
        {"grades": {"tonality_grade": "Нет возражений"}},
        "grades.tonality_grade",
        "Высокая, Средняя, Низкая",
    ),
    ({"grades": {"tonality": "Высокая"}}, "grades.tonality", "неизвестный"),
    ({"grades": ["Высокая"]}, "grades", "нужен объект"),
    ({"comment": "x", "author": "Мария"}, "author", "неизвестный"),
    ({"comment": 5}, "comment", "нужна строка"),
    ({"comment": "а" * 10_001}, "comment", "не длиннее 10000"),
    ({"comment": "x\u0000"}, "body", "недопустимый знак"),
]


async def test_invalid_body_is_a_400_that_names_the_fault(stage: Stage) -> None:
    await grade_two_chats(stage)
    for body, field, message in WRONG:
        refused = await put_review(stage, 1, body, 400)
        assert [error["field"] for error in refused["errors"]] == [field]
        assert message in refused["errors"][0]["message"]
    assert await stage.rows("SELECT id FROM reviews") == []


async def test_non_json_body_is_rejected(stage: Stage) -> None:
    json_type, plain = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    for headers, content, status in (
        ({}, b"", 400),
        (plain, b"{}", 400),
        (json_type, b"[]", 400),
        (json_type, b"x" * 1_000_001, 413),
    ):
        answer = await stage.rest.put("/api/v1/reports/1/review", headers=headers, content=content)
        assert (answer.status_code, answer.json()["status"]) == (status, "error")
    unknown = await stage.rest.get("/api/v1/reports", params={**SPAN, "grades": "human"})
    assert unknown.json()["errors"] == [
        {"field": "grades", "message": "одно из: machine, reviewed"}
    ]
