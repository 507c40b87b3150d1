"""A report can be rebuilt: its requests byte for byte, and its verdict from the answers."""

import hashlib
from typing import Any

import pytest

from app.errors import NotFoundError
from app.sandbox import deepseek_faults as faults
from app.services.analysis.audit import audit_report
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage


async def grade(stage: Stage, *turns: tuple[str, str]) -> int:
    """Grade a new chat; return its report's number."""
    stage.add_talk(*turns)
    await stage.sync()
    assert (await stage.analyze())["analyzed_chats"] == 1
    return max(int(report["id"]) for report in await stage.reports())


async def audit(stage: Stage, report_id: int) -> dict[str, Any]:
    return await audit_report(stage.service.database, report_id)


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
        ("UPDATE model_exchanges SET answer = replace(answer, 'high', 'low')", "отличается"),
        ("UPDATE prompts SET system = system || '.'", "инструкция"),
        ("UPDATE reports SET score = 1", "балл"),
    ],
)
async def test_each_change_is_found(stage: Stage, sql: str, difference: str) -> None:
    report_id = await grade(stage, *GOOD_TALK)
    await stage.change(sql)
    assert any(difference in line for line in (await audit(stage, report_id))["differences"])


async def test_reports_without_answers_are_named(stage: Stage) -> None:
    report_id = await grade(stage, *GOOD_TALK)
    await stage.change("DELETE FROM model_exchanges")
    with pytest.raises(NotFoundError, match="не сохранены"):
        await audit(stage, report_id)
    with pytest.raises(NotFoundError, match="нет"):
        await audit(stage, 999)


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
