"""A report can be rebuilt: its requests byte for byte, and its verdict from the answers."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from app.errors import NotFoundError
from app.sandbox import deepseek_faults as faults
from app.sandbox.faults import ReceivedRequest
from app.sandbox.server import Sandbox
from app.services.analysis.audit import audit_report
from app.services.analysis.report_body import complete_detail
from tests.support.exchanges import replace_in_answers
from tests.support.regrades import regrade
from tests.support.replies import BOT_TEXT, PERSON_ANSWER, add_copies, add_timed_chat
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage

LOOP = faults.loop_with("да " * 1000)
IN_BODY = (
    "UPDATE reports SET body = jsonb_set(body::jsonb, string_to_array(:path, ','), '[1]')::json"
)
IN_DETAIL = "UPDATE reports SET detail = jsonb_set(detail, string_to_array(:path, ','), '[1]')"
CHANGES = (
    ("UPDATE reports SET tonality_grade = 'Низкая'", "", "тональность (reports.tonality_grade)"),
    ("UPDATE reports SET window_messages = 7", "", "число оценённых сообщений"),
    ("UPDATE reports SET repeat = '{}'", "", "повторная оценка (reports.repeat)"),
    (
        "UPDATE reports SET detail = detail - 'check_vector'",
        "",
        "ответы на проверки (detail.check_vector)",
    ),
    (IN_BODY, "clarity_grade", "ясность (body.clarity_grade)"),
    (IN_BODY, "recommendations", "рекомендации (body.recommendations)"),
    (IN_BODY, "summary", "вывод (body.summary)"),
    (IN_DETAIL, "critical", "критические ошибки (detail.critical)"),
    (IN_DETAIL, "late_answers", "поздние ответы (detail.late_answers)"),
    (IN_DETAIL, "objections", "возражения (detail.objections)"),
    (IN_DETAIL, "recommendations", "рекомендации (detail.recommendations)"),
    (IN_DETAIL, "check_vector", "ответы на проверки (detail.check_vector)"),
    (IN_DETAIL, "flags", "пометки (detail.flags)"),
    (IN_DETAIL, "grader_addressed_by", "обращения к проверяющему (detail.grader_addressed_by)"),
    (IN_DETAIL, "criteria,tonality", "тональность (detail.criteria.tonality)"),
)
"""Changes of a report (the statement and the changed path), and what they are named."""


async def grade(stage: Stage, *turns: tuple[str, str]) -> int:
    """Grade a new chat; return its report's number."""
    stage.add_talk(*turns)
    await stage.sync()
    assert (await stage.analyze())["analyzed_chats"] == 1
    return max(int(report["id"]) for report in await stage.reports())


async def audit(stage: Stage, report_id: int) -> dict[str, Any]:
    return await audit_report(stage.service.database, report_id)


def completions(stage: Stage) -> list[ReceivedRequest]:
    return [
        entry for entry in stage.sandbox.deepseek.requests if entry.path.endswith("completions")
    ]


def counts_to(stage: Stage, places: Iterable[int]) -> Callable[[ReceivedRequest], bool]:
    """Match the completions at these places, from 1."""
    return lambda _: len(completions(stage)) in places


async def test_report_is_rebuilt_after_a_message_turned_out_to_be_a_bots(stage: Stage) -> None:
    question, late = ("client", "Диван ещё есть?", 0), ("company", PERSON_ANSWER, 600)
    early = add_timed_chat(stage, question, ("company", BOT_TEXT, 3), late)
    await stage.sync()
    await stage.analyze()
    add_copies(stage, BOT_TEXT, [3, 4])
    await stage.sync()
    after = add_timed_chat(stage, question, ("company", BOT_TEXT, 3), late)
    await stage.sync()
    await stage.analyze()
    for chat, bots in ((early, 0), (after, 1)):
        (report,) = await stage.reports(chat_id=chat.id)
        found = await audit(stage, report["id"])
        assert found["differences"] == []
        assert found["requests"][0]["body"].count(r"\"r\": \"bot\"") == bots


@pytest.mark.parametrize("turns", [GOOD_TALK, BAD_TALK])
async def test_request_is_rebuilt_byte_for_byte(stage: Stage, turns: Any) -> None:
    found = await audit(stage, await grade(stage, *turns))
    received = stage.sandbox.deepseek.requests[-1].raw
    (request,) = found["requests"]
    assert request["body"].encode() == received
    assert request["sha256"] == request["sent_sha256"] == hashlib.sha256(received).hexdigest()
    assert found["differences"] == []


async def test_both_questions_of_a_retry_are_shown(stage: Stage) -> None:
    stage.sandbox.deepseek.switches.fail(faults.FOREIGN_QUOTES)
    found = await audit(stage, await grade(stage, *GOOD_TALK))
    sent = [request.raw for request in stage.sandbox.deepseek.requests[-2:]]
    assert [request["body"].encode() for request in found["requests"]] == sent
    assert found["differences"] == []


async def test_personal_data_stays_masked(stage: Stage) -> None:
    number = "8 912 345-67-89"
    turns = (("client", f"Здравствуйте! Это Анна, звоните {number}"), *GOOD_TALK[1:])
    found = await audit(stage, await grade(stage, *turns))
    assert number not in found["requests"][0]["body"]
    assert found["differences"] == []


async def test_other_working_hours_do_not_matter(stage: Stage) -> None:
    report_id = await grade(stage, *GOOD_TALK)
    await stage.change("UPDATE chats SET client_name = 'Другое имя'")
    assert (await audit(stage, report_id))["differences"] == []


@pytest.mark.parametrize(
    ("sql", "difference"),
    [
        ("UPDATE messages SET text = text || '!'", "запрос 1"),
        ("UPDATE prompts SET system = system || '.'", "инструкция"),
        ("UPDATE reports SET score = 1", "балл"),
    ],
)
async def test_each_change_is_found(stage: Stage, sql: str, difference: str) -> None:
    report_id = await grade(stage, *GOOD_TALK)
    await stage.change(sql)
    assert any(difference in line for line in (await audit(stage, report_id))["differences"])


async def test_change_of_the_answer_is_found(stage: Stage) -> None:
    report_id = await grade(stage, *GOOD_TALK)
    await replace_in_answers(stage, "high", "low")
    assert any("отличается" in line for line in (await audit(stage, report_id))["differences"])


async def test_each_change_of_the_report_is_found(stage: Stage) -> None:
    report_id = await grade(stage, *GOOD_TALK)
    await stage.change("CREATE TABLE kept AS SELECT * FROM reports")
    for statement, path, difference in CHANGES:
        await stage.change(statement, path=path)
        differences = (await audit(stage, report_id))["differences"]
        assert len(differences) == 1, difference
        assert difference in differences[0]
        await stage.change(
            "UPDATE reports SET (tonality_grade, window_messages, body, detail, repeat) ="
            " (SELECT tonality_grade, window_messages, body, detail, repeat FROM kept)"
        )
    assert (await audit(stage, report_id))["differences"] == []


async def test_detail_of_the_previous_release_has_no_differences(stage: Stage) -> None:
    """It contains the usual values too, and the first objection twice."""
    report_id = await grade(stage, *GOOD_TALK)
    (row,) = await stage.rows("SELECT detail FROM reports")
    assert "critical" not in row["detail"]
    assert "weight" not in row["detail"]["criteria"]["tonality"]
    before = (await stage.rest.get(f"/api/v1/reports/{report_id}")).json()
    await stage.change(
        "UPDATE reports SET detail = CAST(:detail AS jsonb)",
        detail=json.dumps({**complete_detail(row["detail"]), "objection": None}),
    )
    (row,) = await stage.rows("SELECT detail FROM reports")
    assert row["detail"]["critical"] == []
    assert row["detail"]["criteria"]["tonality"]["weight"] == 1
    assert (await audit(stage, report_id))["differences"] == []
    assert (await stage.rest.get(f"/api/v1/reports/{report_id}")).json() == before


async def test_repeat_is_rebuilt(database_url: str) -> None:
    async with Sandbox() as sandbox, on_stage(database_url, sandbox, steadiness_share=1) as stage:
        sandbox.avito.accounts[0].chats.clear()
        report_id = await grade(stage, *GOOD_TALK)
        assert (await audit(stage, report_id))["differences"] == []
        await stage.change(
            "UPDATE reports SET repeat = jsonb_set(repeat, '{criteria,tonality,1}', '\"Низкая\"')"
        )
        (difference,) = (await audit(stage, report_id))["differences"]
        assert "повторная оценка (reports.repeat)" in difference


async def test_message_copied_later_changes_neither_audit_nor_regrade(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    inside = stage.clock() - timedelta(minutes=63)
    stage.avito.add_message(chat.id, "client", text="Поздно скопировано", at=inside)
    await stage.sync(full=True)
    (row,) = await stage.rows("SELECT id FROM reports")
    assert (await audit(stage, row["id"]))["differences"] == []
    await regrade(stage)
    first, second = (request.body["messages"][1]["content"] for request in completions(stage))
    assert second.splitlines()[1] == first.splitlines()[1]
    assert '"earlier": 0' in second
    (again,) = await stage.rows("SELECT id FROM reports WHERE kind = 'regrade'")
    assert (await audit(stage, again["id"]))["differences"] == []


async def test_truncated_answer_is_kept_without_counting(stage: Stage) -> None:
    stage.sandbox.deepseek.switches.fail(LOOP)
    found = await audit(stage, await grade(stage, *GOOD_TALK))
    assert [request["body"].encode() for request in found["requests"]] == [
        request.raw for request in completions(stage)
    ]
    assert [(request["unused"], request["attempts"]) for request in found["requests"]] == [
        ("truncated", 1),
        (None, 2),
    ]
    assert found["requests"][0]["answer"] == "да " * 1000
    assert found["differences"] == []


async def test_truncated_retry_leaves_the_first_answer_in_use(stage: Stage) -> None:
    switches = stage.sandbox.deepseek.switches
    switches.fail(faults.FOREIGN_QUOTES, when=counts_to(stage, {1}))
    switches.fail(LOOP, when=counts_to(stage, {2, 3}), times=None)
    found = await audit(stage, await grade(stage, *GOOD_TALK))
    assert [request["body"].encode() for request in found["requests"]] == [
        request.raw for request in completions(stage)
    ]
    assert [request["unused"] for request in found["requests"]] == [None, *["truncated"] * 2]
    assert found["differences"] == []


async def test_answer_before_strict_masking_is_kept_without_counting(stage: Stage) -> None:
    switches = stage.sandbox.deepseek.switches
    switches.fail(faults.WRONG_GRADE, when=counts_to(stage, {1}))
    switches.fail(faults.CONTENT_RISK, when=counts_to(stage, {2}))
    found = await audit(stage, await grade(stage, *GOOD_TALK))
    answered = [completions(stage)[place].raw for place in (0, 2)]
    assert [request["body"].encode() for request in found["requests"]] == answered
    assert [request["unused"] for request in found["requests"]] == ["masking", None]
    assert found["differences"] == []


async def test_reports_without_answers_are_named(stage: Stage) -> None:
    report_id = await grade(stage, *GOOD_TALK)
    await stage.change("DELETE FROM packed_exchanges")
    with pytest.raises(NotFoundError, match="не сохранены"):
        await audit(stage, report_id)
    with pytest.raises(NotFoundError, match="нет"):
        await audit(stage, 999)


async def test_report_without_a_question_is_regraded(stage: Stage) -> None:
    await grade(stage, *GOOD_TALK)
    await stage.change("DELETE FROM packed_exchanges")
    await regrade(stage)
    (again,) = await stage.rows("SELECT id FROM reports WHERE kind = 'regrade'")
    assert (await audit(stage, again["id"]))["differences"] == []


async def test_failed_chat_shows_the_answers(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    stage.sandbox.deepseek.switches.fail(faults.WRONG_GRADE, times=2)
    await stage.sync()
    assert (await stage.analyze())["failed_chats"] == 1
    card = (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()
    first, second = card["model_answers"]
    assert '"grade": "excellent"' in first["answer"]
    assert first["complaint"] is None
    assert "high, medium, low" in second["complaint"]
    assert (await stage.analyze())["analyzed_chats"] == 1
    assert (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()["model_answers"] == []


async def test_failed_chat_shows_truncated_answers(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    stage.sandbox.deepseek.switches.fail(LOOP, times=2)
    await stage.sync()
    assert (await stage.analyze())["failed_chats"] == 1
    card = (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()
    assert [entry["answer"] for entry in card["model_answers"]] == ["да " * 1000] * 2


async def test_failed_chat_shows_the_answer_before_a_refusal(stage: Stage) -> None:
    """The refused chat is a suspect first, and fails with the probe."""
    chat = stage.add_talk(*GOOD_TALK)
    switches = stage.sandbox.deepseek.switches
    switches.fail(faults.WRONG_GRADE, when=counts_to(stage, {1}))
    switches.fail(faults.BAD_REQUEST, when=counts_to(stage, {2}))
    await stage.sync()
    assert (await stage.analyze())["failed_chats"] == 1
    card = (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()
    (answer,) = card["model_answers"]
    assert '"grade": "excellent"' in answer["answer"]


async def test_failed_chat_shows_the_answer_before_two_blocks(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    switches = stage.sandbox.deepseek.switches
    switches.fail(faults.WRONG_GRADE, when=counts_to(stage, {1}))
    switches.fail(faults.CONTENT_RISK, when=counts_to(stage, {2, 3}), times=None)
    await stage.sync()
    assert (await stage.analyze())["failed_chats"] == 1
    card = (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()
    assert len(card["model_answers"]) == 1


async def test_failed_chat_shows_no_answers_of_an_earlier_run(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    stage.sandbox.deepseek.switches.fail(faults.WRONG_GRADE, times=2)
    await stage.sync()
    await stage.analyze()
    stage.sandbox.deepseek.switches.fail(faults.BAD_REQUEST)
    assert (await stage.analyze())["failed_chats"] == 1
    card = (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()
    assert card["model_answers"] == []
