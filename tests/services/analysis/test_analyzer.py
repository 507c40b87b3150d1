"""Results of a grading run over real HTTP, with and without faults."""

import asyncio
import json
import re
from typing import Any

import pytest

from app.domain.outcomes import MAX_FAILURES
from app.sandbox.deepseek_faults import (
    BAD_REQUEST,
    BALANCE_EMPTY,
    BLANK,
    CONTENT_RISK,
    SERVER_ERROR,
    UNAUTHORIZED,
    user_message,
)
from app.sandbox.faults import Behaviour, ReceivedRequest
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage


def mentions(words: str) -> Any:
    """Return a filter for requests about the chat with these words."""

    def when(request: ReceivedRequest) -> bool:
        return words in user_message(request)

    return when


async def graded(stage: Stage, **body: Any) -> tuple[int, int, int, int]:
    answer = await stage.analyze(**body)
    return (
        answer["analyzed_chats"],
        answer["skipped_chats"],
        answer["failed_chats"],
        answer["waiting_chats"],
    )


async def test_each_chat_is_graded_with_quotes_or_has_a_reason(full_stage: Stage) -> None:
    stage = full_stage
    await stage.sync()
    analyzed, skipped, failed, waiting = await graded(stage)
    chats = await stage.rows(
        "SELECT count(*) AS n FROM chats WHERE last_person_message_id IS NOT NULL"
    )
    assert (failed, waiting) == (0, 0)
    assert analyzed + skipped == chats[0]["n"]
    assert (
        skipped
        == (
            await stage.rows(
                "SELECT count(*) AS n FROM chats WHERE outcome = 'skipped' AND outcome_code IS"
                " NOT NULL"
            )
        )[0]["n"]
    )
    assert analyzed == len(await stage.reports())
    await assert_quotes_are_verbatim(stage)


async def assert_quotes_are_verbatim(stage: Stage) -> None:
    """Check that each quote is verbatim in a message of the graded chat."""
    quoted = 0
    for report in await stage.rows("SELECT chat_id, detail FROM reports"):
        for verdict in report["detail"]["criteria"].values():
            for quote in verdict["quotes"]:
                (message,) = await stage.rows(
                    "SELECT chat_id, text FROM messages WHERE id = :id", id=quote["message_id"]
                )
                assert message["chat_id"] == report["chat_id"]
                assert quote["text"] in " ".join(message["text"].split())
                quoted += 1
    assert quoted > 100


async def test_chat_is_due_again_only_after_a_persons_message(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    assert await graded(stage) == (1, 0, 0, 0)
    stage.avito.add_message(
        chat.id, "system", type="system", text="[Системное сообщение] Объявление снято"
    )
    await stage.sync()
    assert await graded(stage) == (0, 0, 0, 0)
    stage.avito.add_message(chat.id, "client", text="Можно завтра?")
    await stage.sync()
    stage.clock.move(minutes=31)
    assert await graded(stage) == (1, 0, 0, 0)
    newest, oldest = await stage.reports()
    assert (oldest["total_messages"], newest["total_messages"]) == (4, 5)


async def test_limit_selects_the_longest_due_chats(stage: Stage) -> None:
    for minutes in (30, 900, 300):
        stage.add_talk(*GOOD_TALK, title=f"{minutes}", minutes_ago=minutes)
    await stage.sync()
    assert await graded(stage, limit=1) == (1, 0, 0, 2)
    assert [report["chat_title"] for report in await stage.reports()] == ["900"]
    assert await graded(stage) == (2, 0, 0, 0)


async def test_longest_due_chats_are_graded_first(stage: Stage, database_url: str) -> None:
    for minutes in (30, 900, 300, 600):
        stage.add_talk(*GOOD_TALK, ("client", f"Ждал {minutes}"), minutes_ago=minutes)
    await stage.sync()
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_max_concurrency=1) as one_at_a_time,
    ):
        assert await graded(one_at_a_time) == (4, 0, 0, 0)
    asked = [
        re.search(r"Ждал (\d+)", user_message(request))
        for request in stage.sandbox.deepseek.requests
    ]
    assert [found and found[1] for found in asked] == ["900", "600", "300", "30"]


async def test_named_chats_and_force(stage: Stage) -> None:
    good, lonely = stage.add_talk(*GOOD_TALK), stage.add_talk(("client", "Алло?"))
    await stage.sync()
    assert await graded(stage, chat_ids=[good.id]) == (1, 0, 0, 0)
    assert await graded(stage, chat_ids=[]) == (0, 0, 0, 0)
    assert await graded(stage) == (0, 1, 0, 0)
    assert await graded(stage) == (0, 0, 0, 0), "an unchanged skipped chat is not counted again"
    assert await graded(stage, force=True) == (
        0,
        1,
        0,
        0,
    ), "skipped chats again, unchanged graded ones not"
    assert await graded(stage, force=True, chat_ids=[good.id, lonely.id]) == (1, 1, 0, 0)
    assert len(await stage.reports()) == 2


async def test_unknown_chats_are_named(stage: Stage) -> None:
    """If some are unknown, the message names them; if all are, the parameter is invalid.

    A chat that is not due is not unknown.
    """
    known = stage.add_talk(*GOOD_TALK).id
    await stage.sync()
    answer = await stage.analyze(chat_ids=["u2i-б", known, "u2i-а", "u2i-б"])
    assert answer["analyzed_chats"] == 1
    assert "не найдены чаты: u2i-а, u2i-б." in answer["message"]
    assert "не найдены" not in (await stage.analyze(chat_ids=[known]))["message"]
    unknown = [f"u2i-{number}" for number in range(7)]
    answer = await stage.post("/llm/analyze", {"chat_ids": unknown}, status=400)
    assert answer["errors"] == [
        {
            "field": "chat_ids",
            "message": "не найдены чаты: u2i-0, u2i-1, u2i-2, u2i-3, u2i-4 и другие, всего 7",
        }
    ]
    assert answer["errors"][0]["message"] in answer["message"]
    assert len(await stage.rows("SELECT 1 FROM runs WHERE kind = 'analyze'")) == 2


@pytest.mark.parametrize("refusal", [UNAUTHORIZED, BALANCE_EMPTY])
async def test_revoked_key_stops_the_run_and_keeps_its_reports(
    stage: Stage, refusal: Behaviour
) -> None:
    for number in range(12):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()
    assert (await graded(stage, limit=3))[0] == 3
    stage.sandbox.deepseek.switches.fail(refusal, path="chat/completions", times=None)
    answer = await stage.post("/llm/analyze", status=500)
    assert (
        answer["status"],
        answer["analyzed_chats"],
        answer["failed_chats"],
        answer["waiting_chats"],
    ) == ("error", 0, 0, 9)
    assert "DeepSeek" in answer["message"]
    stage.sandbox.deepseek.switches.faults.clear()
    assert await graded(stage) == (9, 0, 0, 0)


async def test_outage_from_the_start_fails_the_run_but_no_chat(stage: Stage) -> None:
    """Five consecutive failures without a success count against no chat."""
    for number in range(8):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()
    stage.sandbox.deepseek.switches.fail(SERVER_ERROR, path="chat/completions", times=None)
    answer = await stage.post("/llm/analyze", status=500)
    assert (answer["analyzed_chats"], answer["failed_chats"], answer["waiting_chats"]) == (0, 0, 8)
    assert await stage.rows("SELECT 1 FROM chats WHERE failures > 0") == []


async def test_outage_during_a_run_stops_it(stage: Stage, database_url: str) -> None:
    for number in range(14):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()
    first = iter(range(3))
    stage.sandbox.deepseek.switches.fail(
        SERVER_ERROR, when=lambda _: next(first, None) is None, times=None
    )
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_max_concurrency=1) as slow,
    ):
        answer = await slow.post("/llm/analyze", status=500)
    assert (answer["analyzed_chats"], answer["failed_chats"], answer["waiting_chats"]) == (3, 0, 11)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (BLANK, "answer_unusable"),
        (BAD_REQUEST, "request_refused"),
        (SERVER_ERROR, "model_unavailable"),
        (CONTENT_RISK, "model_refused"),
    ],
)
async def test_failing_chat_does_not_affect_others(
    stage: Stage, fault: Behaviour, code: str
) -> None:
    for number in range(3):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    stage.add_talk(("client", "Почём шкаф с зелёной дверцей?"), ("company", "5000"))
    await stage.sync()
    stage.sandbox.deepseek.switches.fail(fault, when=mentions("с зелёной дверцей"), times=None)
    assert await graded(stage) == (3, 0, 1, 0)
    (failed,) = await stage.rows(
        "SELECT outcome_code, outcome_detail FROM chats WHERE outcome = 'failed'"
    )
    assert failed["outcome_code"] == code
    assert failed["outcome_detail"] != ""
    assert "дверцей" not in failed["outcome_detail"], "what is told holds nothing of the chat"


async def test_failed_chat_is_retried_three_times_then_only_with_force(stage: Stage) -> None:
    stage.add_talk(*BAD_TALK)
    await stage.sync()
    blank = stage.sandbox.deepseek.switches.fail(BLANK, path="chat/completions", times=None)
    for _ in range(MAX_FAILURES):
        assert await graded(stage) == (0, 0, 1, 0)
    assert await graded(stage) == (0, 0, 0, 0)
    assert await graded(stage, force=True) == (0, 0, 1, 0)
    blank.times = 0
    assert await graded(stage, force=True) == (1, 0, 0, 0)


async def test_new_message_resets_the_failures_of_a_chat(stage: Stage) -> None:
    chat = stage.add_talk(*BAD_TALK)
    await stage.sync()
    blank = stage.sandbox.deepseek.switches.fail(BLANK, path="chat/completions", times=None)
    for _ in range(MAX_FAILURES):
        await graded(stage)
    blank.times = 0
    stage.avito.add_message(chat.id, "company", text="Доставка 500 рублей")
    await stage.sync()
    assert await graded(stage) == (1, 0, 0, 0)


async def test_invalid_answer_is_requested_again_with_its_errors(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    stage.sandbox.deepseek.switches.fail(BLANK, path="chat/completions", times=1)
    assert await graded(stage) == (1, 0, 0, 0)
    first, second = (user_message(request) for request in stage.sandbox.deepseek.requests)
    assert second.startswith(first)
    assert len(second) > len(first)
    (report,) = await stage.rows(
        "SELECT completion_tokens, cost_usd, model, prompt_version FROM reports"
    )
    assert report["completion_tokens"] > 0
    assert report["cost_usd"] > 0
    assert (report["model"], len(report["prompt_version"])) == ("deepseek-flash", 12)


async def test_personal_data_is_masked_in_requests_and_restored_in_quotes(stage: Stage) -> None:
    stage.add_talk(
        ("client", "Здравствуйте, это Анна. Мой номер 8 (900) 123-45-67, почта anna@example.ru"),
        (
            "company",
            (
                "Добрый день, Анна! Перезвоню на 8 (900) 123-45-67 сегодня до 18:00, договоримся о"
                " доставке."
            ),
        ),
        ("client", "Спасибо, жду"),
        ("company", "Договорились, до связи!"),
    )
    await stage.sync()
    await stage.analyze()
    sent = json.dumps(
        [request.body for request in stage.sandbox.deepseek.requests], ensure_ascii=False
    )
    assert "123-45-67" not in sent
    assert "anna@example.ru" not in sent
    assert "Анна" not in sent
    assert "[ТЕЛЕФОН_1]" in sent


async def test_daily_budget_is_never_exceeded(full_stage: Stage, database_url: str) -> None:
    """The remaining chats wait for the next day, and the response reports it."""
    stage = full_stage
    await stage.sync()
    await stage.analyze(limit=10)
    spent = (await stage.rows("SELECT sum(cost_usd) AS usd FROM reports"))[0]["usd"]
    limit = spent * 2
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_daily_budget_usd=limit) as frugal,
    ):
        answer = await frugal.analyze()
        assert 0 < answer["analyzed_chats"] < 37
        assert answer["waiting_chats"] > 0
        assert "бюджет" in answer["message"]
        assert (await frugal.rows("SELECT sum(cost_usd) AS usd FROM reports"))[0]["usd"] <= limit
        again = await frugal.analyze()
        assert (
            again["waiting_chats"]
            == answer["waiting_chats"] - again["analyzed_chats"] - again["skipped_chats"]
        )


async def test_two_replicas_share_one_budget(full_stage: Stage, database_url: str) -> None:
    stage = full_stage
    await stage.sync()
    await stage.analyze(limit=10)
    limit = (await stage.rows("SELECT sum(cost_usd) AS usd FROM reports"))[0]["usd"] * 2
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_daily_budget_usd=limit) as one,
        on_stage(database_url, stage.sandbox, deepseek_daily_budget_usd=limit) as other,
    ):
        await asyncio.gather(one.analyze(), other.analyze(), one.analyze(), other.analyze())
    spent = (await stage.rows("SELECT sum(cost_usd) AS usd, count(*) AS n FROM reports"))[0]
    assert spent["usd"] <= limit
    assert 10 < spent["n"] < 47
