"""``/reports/{id}/review``: a person's word beside the machine's, in one report, in a chat and in
the list.
"""

import asyncio
import json
from typing import Any

from tests.stage import BAD_TALK, GOOD_TALK, Stage

SPAN = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def graded(stage: Stage) -> None:
    """Report 1 on a good chat without an objection, 2 on a bad one with it; whichever order they
    were written in.
    """
    for title, talk in (("Диван", GOOD_TALK), ("Шкаф", BAD_TALK)):
        stage.add_talk(*talk, title=title)
        await stage.sync()
        await stage.analyze()


def mean(grades: dict[str, Any], closure_weight: float = 1) -> float:
    """The score of the grades among these fields, by hand."""
    points = {"Высокая": 100, "Средняя": 50, "Низкая": 0}
    counted = [
        (points[word], closure_weight if name == "closure_grade" else 1)
        for name, word in grades.items()
        if word in points
    ]
    return round(
        sum(value * weight for value, weight in counted) / sum(weight for _, weight in counted), 2
    )


async def put(stage: Stage, number: int, body: object, status: int = 200) -> dict[str, Any]:
    answer = await stage.rest.put(f"/api/v1/reports/{number}/review", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def get(stage: Stage, path: str, status: int = 200) -> dict[str, Any]:
    answer = await stage.rest.get(f"/api/v1{path}")
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_both_words_are_kept(stage: Stage) -> None:
    await graded(stage)
    before = await get(stage, "/reports/1")
    assert (before["review"], before["closure_grade"], before["objection_handling_grade"]) == (
        None,
        "Высокая",
        "Нет возражений",
    )
    said = {
        "grades": {"closure_grade": "Низкая", "tonality_grade": "Высокая"},
        "comment": " Не попрощался ",
        "reviewer": "Мария",
    }
    after = await put(stage, 1, said)
    review = after.pop("review")
    assert {**after, "review": None} == before, "the machine's word is untouched"
    assert review.pop("reviewed_at").endswith("+03:00")
    machine = {name: value for name, value in before.items() if name.endswith("_grade")}
    assert review == {
        "report_id": 1,
        "grades": {**machine, "closure_grade": "Низкая"},
        "given": ["tonality_grade", "closure_grade"],
        "score": mean({**machine, "closure_grade": "Низкая"}),
        "comment": "Не попрощался",
        "reviewer": "Мария",
    }
    assert (await get(stage, "/reports/2"))["review"] is None


async def test_put_get_and_chat_say_the_same(stage: Stage) -> None:
    await graded(stage)
    answered = await put(stage, 2, {"grades": {"objection_handling_grade": "Нет возражений"}})
    assert await get(stage, "/reports/2") == answered
    assert (await get(stage, f"/chats/{answered['chat_id']}"))["reviews"] == [answered["review"]]
    other = await get(stage, "/reports/1")
    assert (await get(stage, f"/chats/{other['chat_id']}"))["reviews"] == []
    assert answered["review"]["score"] == mean(answered["review"]["grades"])


async def test_the_newest_word_wins_whole_and_the_earlier_stays_a_row(stage: Stage) -> None:
    await graded(stage)
    await put(stage, 1, {"grades": {"closure_grade": "Низкая"}, "reviewer": "Мария"})
    stage.clock.move(hours=1)
    second = (await put(stage, 1, {"grades": {"clarity_grade": "Средняя"}, "comment": "Спорно"}))[
        "review"
    ]
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


async def test_the_same_word_again_changes_nothing(stage: Stage) -> None:
    await graded(stage)
    said = {"grades": {"closure_grade": "Низкая"}, "comment": "Да"}
    first = await put(stage, 1, said)
    stage.clock.move(hours=1)
    assert await put(stage, 1, {**said, "reviewer": None}) == first
    assert len(await stage.rows("SELECT id FROM reviews")) == 1


async def test_many_at_once_leave_one_in_force(stage: Stage) -> None:
    await graded(stage)
    await asyncio.gather(*(put(stage, 1, {"comment": str(number)}) for number in range(8)))
    rows = await stage.rows("SELECT ended_at FROM reviews")
    assert (len(rows), sum(row["ended_at"] is None for row in rows)) == (8, 1)


async def test_it_is_taken_back_as_often_as_one_likes(stage: Stage) -> None:
    await graded(stage)
    before = await get(stage, "/reports/1")
    await put(stage, 1, {"comment": "Верно"})
    for _ in range(2):
        answer = await stage.rest.delete("/api/v1/reports/1/review")
        assert (answer.status_code, answer.json()) == (200, before)
    again = await put(stage, 1, {"comment": "Верно"})
    assert again["review"]["comment"] == "Верно"


async def test_a_comment_alone_leaves_the_machines_grades(stage: Stage) -> None:
    await graded(stage)
    found = await put(stage, 2, {"comment": "Согласна"})
    assert found["review"]["given"] == []
    assert found["review"]["grades"] == {
        name: value for name, value in found.items() if name.endswith("_grade")
    }
    assert found["review"]["score"] == found["score"]


async def test_corrected_grades_are_scored_with_the_reports_own_weights(stage: Stage) -> None:
    """Whatever the rubric of today is; a report from before weights were kept weighs all criteria
    alike.
    """
    await graded(stage)
    await stage.change(
        "UPDATE reports SET detail = jsonb_set(detail, '{criteria,closure,weight}', '5') WHERE"
        " id = 1"
    )
    low = {"grades": {"closure_grade": "Низкая"}}
    first = (await put(stage, 1, low))["review"]
    assert first["score"] == mean(first["grades"], closure_weight=5) < mean(first["grades"])
    await stage.change(
        "UPDATE reports SET detail = detail #- '{criteria,closure,weight}' WHERE id = 1"
    )
    assert (await put(stage, 1, {**low, "comment": "ещё раз"}))["review"]["score"] == mean(
        first["grades"]
    )


async def test_the_list_shows_the_machines_grades_unless_asked_for_the_reviewed(
    stage: Stage,
) -> None:
    await graded(stage)
    machine = await stage.rest.get("/api/v1/reports", params=SPAN)
    untouched = await stage.rest.get("/api/v1/reports", params={**SPAN, "grades": "reviewed"})
    assert untouched.content == machine.content
    await put(stage, 1, {"grades": {"tonality_grade": "Низкая"}})
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


async def test_filters_and_pages_go_by_the_grades_that_are_shown(stage: Stage) -> None:
    await graded(stage)
    await put(stage, 1, {"grades": {"tonality_grade": "Низкая"}, "comment": "x"})
    await put(stage, 1, {"grades": {"tonality_grade": "Средняя"}})
    await stage.copy_first_report(5)

    async def ids(**params: Any) -> list[int]:
        return [report["id"] for report in await stage.reports(**params)]

    everybody = {"tonality_grade": ["Высокая", "Средняя", "Низкая"]}
    assert await ids(**everybody, grades="reviewed") == await ids(), (
        "a review of a report multiplies no row"
    )
    assert 1 in await ids(tonality_grade="Высокая")
    assert 1 not in await ids(tonality_grade="Высокая", grades="reviewed")
    assert await ids(
        tonality_grade="Средняя",
        chat_id=(await get(stage, "/reports/1"))["chat_id"],
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


async def test_what_cannot_be_reviewed(stage: Stage) -> None:
    await graded(stage)
    await stage.copy_first_report(1)
    await stage.change("UPDATE reports SET kind = 'regrade' WHERE id = 1001")
    for number in (1001, 999_999):
        assert str(number) in (await put(stage, number, {"comment": "x"}, 404))["message"]
        assert (await stage.rest.delete(f"/api/v1/reports/{number}/review")).status_code == 404
    stage.rest.headers.pop("X-API-Key")
    await put(stage, 1, {"comment": "x"}, 401)
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


async def test_a_wrong_body_is_a_400_that_names_what_is_wrong(stage: Stage) -> None:
    await graded(stage)
    for body, field, said in WRONG:
        refused = await put(stage, 1, body, 400)
        assert [error["field"] for error in refused["errors"]] == [field]
        assert said in refused["errors"][0]["message"]
    assert await stage.rows("SELECT id FROM reviews") == []


async def test_what_is_no_json_is_refused(stage: Stage) -> None:
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
