"""Causes of failures, with few chats and with many.

A failure of one chat costs it a try. A general failure ends the run and costs no chat a try.
"""

from decimal import Decimal
from typing import Any

import pytest

from app.adapters import open_grader
from app.domain.outcomes import MAX_FAILURES
from app.sandbox.deepseek_faults import (
    ABORTED,
    BAD_REQUEST,
    CUT,
    SERVER_ERROR,
    TOO_LONG,
    Hang,
    error_body,
    too_many,
    user_message,
)
from app.sandbox.faults import Behaviour, CannedResponse, ReceivedRequest
from app.services.run_params import RegradeParams
from app.services.runs import submit, wait
from tests.support.regrades import PERIOD
from tests.support.stage import GOOD_TALK, Stage, on_stage

COMPLETIONS = "chat/completions"
UNTOLD: dict[str, Behaviour] = {
    "400": BAD_REQUEST,
    "too long": TOO_LONG,
    "cut connection": CUT,
    "429": too_many(),
}
"""What may be the chat's fault or everybody's."""
EVERYBODYS: dict[str, tuple[Behaviour, str]] = {
    "DeepSeek's words of today": (
        CannedResponse(
            400,
            error_body(
                "The supported API model names are deepseek-flash, deepseek-v4-pro, but you passed"
                " deepseek-chat."
            ),
        ),
        "DEEPSEEK_MODEL",
    ),
    "no such address": (CannedResponse(404, "<html>404 Not Found</html>"), "DEEPSEEK_BASE_URL"),
    "no money": (
        CannedResponse(
            429, {"error": {"message": "Check your plan", "code": "insufficient_quota"}}
        ),
        "кончились деньги",
    ),
    "gateway": (
        CannedResponse(403, "<html>403 Forbidden</html>", {"Server": "cloudflare"}),
        "отвечает cloudflare",
    ),
    "response format": (
        CannedResponse(400, error_body("This response_format type is unavailable now")),
        "DEEPSEEK_RESPONSE_FORMAT",
    ),
}


async def copied(stage: Stage, chats: int, *poisonous: str) -> None:
    """Sync this many good chats, and before them one chat for each of these texts."""
    for number, words in enumerate(poisonous):
        stage.add_talk(("client", words), *GOOD_TALK[1:], minutes_ago=900 - number)
    for number in range(chats):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()


def figures(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["analyzed_chats"], answer["failed_chats"], answer["waiting_chats"]


async def assert_no_chat_lost_a_try(stage: Stage) -> None:
    assert await stage.rows("SELECT 1 FROM chats WHERE failures > 0 OR outcome IS NOT NULL") == []


@pytest.mark.parametrize("chats", [1, 7])
async def test_wrong_model_name_ends_the_run_with_any_number_of_chats(
    stage: Stage, database_url: str, chats: int
) -> None:
    await copied(stage, chats)
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_model="deepseek-chat") as wrong,
    ):
        answer = await wrong.post("/llm/analyze", status=500)
    assert figures(answer) == (0, 0, chats)
    assert "DEEPSEEK_MODEL" in answer["message"]
    assert "Model Not Exist" in answer["message"]
    await assert_no_chat_lost_a_try(stage)
    assert figures(await stage.analyze()) == (chats, 0, 0)


@pytest.mark.parametrize(("fault", "setting"), EVERYBODYS.values(), ids=EVERYBODYS.keys())
async def test_general_fault_names_what_to_fix(
    stage: Stage, fault: Behaviour, setting: str
) -> None:
    await copied(stage, 2)
    stage.sandbox.deepseek.switches.fail(fault, path=COMPLETIONS, times=None)
    answer = await stage.post("/llm/analyze", status=500)
    assert figures(answer) == (0, 0, 2)
    assert setting in answer["message"]
    assert len(stage.sandbox.deepseek.requests) <= 2, "nobody asks again"
    await assert_no_chat_lost_a_try(stage)


@pytest.mark.parametrize(("fault", "chats"), [(BAD_REQUEST, 1), (too_many(), 1), (SERVER_ERROR, 4)])
async def test_failure_of_the_probe_ends_the_run(
    stage: Stage, fault: Behaviour, chats: int
) -> None:
    await copied(stage, chats)
    failing = stage.sandbox.deepseek.switches.fail(fault, path=COMPLETIONS, times=None)
    answer = await stage.post("/llm/analyze", status=500)
    assert figures(answer) == (0, 0, chats)
    assert "DeepSeek" in answer["message"]
    await assert_no_chat_lost_a_try(stage)
    failing.times = 0
    assert figures(await stage.analyze()) == (chats, 0, 0)


@pytest.mark.parametrize("fault", UNTOLD.values(), ids=UNTOLD.keys())
async def test_only_chat_that_always_fails_is_given_up(stage: Stage, fault: Behaviour) -> None:
    """The probe succeeds, so the chat is the cause.

    It does not fail every run, and it is not billed forever.
    """
    await copied(stage, 0, "отравленный")
    stage.sandbox.deepseek.switches.fail(
        fault, when=lambda request: "отравленный" in user_message(request), times=None
    )
    for _ in range(MAX_FAILURES):
        assert figures(await stage.analyze()) == (0, 1, 0)
    asked = len(stage.sandbox.deepseek.requests)
    assert figures(await stage.analyze()) == (0, 0, 0)
    assert len(stage.sandbox.deepseek.requests) == asked


async def test_many_failing_chats_do_not_block_others(stage: Stage, database_url: str) -> None:
    """More of them than the failure limit are at the head of the queue, graded one by one."""
    await copied(stage, 2, *(f"отравленный {number}" for number in range(6)))
    stage.sandbox.deepseek.switches.fail(
        BAD_REQUEST, when=lambda request: "отравленный" in user_message(request), times=None
    )
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_max_concurrency=1) as slow,
    ):
        assert figures(await slow.analyze()) == (2, 6, 0)
    probes = [
        request
        for request in stage.sandbox.deepseek.requests
        if "ещё продаётся?" in user_message(request) and is_probe(request)
    ]
    assert len(probes) == 1, "the sixth is told by the chat that was graded after it"


def is_probe(request: ReceivedRequest) -> bool:
    return bool(request.body["max_tokens"] < 100)


async def test_outage_during_the_last_chats_costs_no_try(stage: Stage, database_url: str) -> None:
    await copied(stage, 5)
    first = iter(range(3))
    stage.sandbox.deepseek.switches.fail(
        SERVER_ERROR, when=lambda _: next(first, None) is None, times=None
    )
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_max_concurrency=1) as slow,
    ):
        assert figures(await slow.post("/llm/analyze", status=500)) == (3, 0, 2)
    assert await stage.rows("SELECT 1 FROM chats WHERE failures > 0") == []


async def test_probe_has_the_form_of_a_grading_without_a_chat(stage: Stage) -> None:
    await copied(stage, 1)
    stage.sandbox.deepseek.switches.fail(BAD_REQUEST, times=1)
    assert figures(await stage.analyze()) == (0, 1, 0)
    grading, probe = (request.body for request in stage.sandbox.deepseek.requests)
    assert probe["messages"][0] == grading["messages"][0]
    assert {name: probe[name] for name in probe if name not in ("messages", "max_tokens")} == {
        name: grading[name] for name in grading if name not in ("messages", "max_tokens")
    }
    assert GOOD_TALK[1][1] not in probe["messages"][1]["content"]
    (run,) = await stage.rows("SELECT lost_usd FROM runs WHERE kind = 'analyze'")
    assert 0 < run["lost_usd"] < Decimal("0.001"), "the day's budget counts it"


async def test_probe_timeout_is_an_outage(stage: Stage, database_url: str) -> None:
    await copied(stage, 1)
    stage.sandbox.deepseek.switches.fail(BAD_REQUEST, times=1)
    stage.sandbox.deepseek.switches.fail(Hang(600), times=None)
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_timeout_seconds=0.3) as hasty,
    ):
        answer = await hasty.post("/llm/analyze", status=500)
    assert figures(answer) == (0, 0, 1)
    assert "DEEPSEEK_TIMEOUT_SECONDS" in answer["message"]


async def test_interrupted_probe_is_billed(stage: Stage) -> None:
    await copied(stage, 1)
    stage.sandbox.deepseek.switches.fail(BAD_REQUEST, times=1)
    stage.sandbox.deepseek.switches.fail(ABORTED, times=None)
    assert figures(await stage.post("/llm/analyze", status=500)) == (0, 0, 1)
    (run,) = await stage.rows("SELECT lost_usd FROM runs WHERE kind = 'analyze'")
    assert run["lost_usd"] > 0


async def test_failed_chat_waits_if_the_budget_allows_no_probe(
    stage: Stage, database_url: str
) -> None:
    await copied(stage, 1)
    stage.sandbox.deepseek.switches.fail(ABORTED, times=None)
    async with open_grader(stage.service.settings) as grader:
        one_chat = grader.most_usd(()) * Decimal("1.1")
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_daily_budget_usd=one_chat) as frugal,
    ):
        answer = await frugal.analyze()
    assert figures(answer) == (0, 0, 1)
    assert "бюджет" in answer["message"]
    assert not any(is_probe(request) for request in stage.sandbox.deepseek.requests)
    await assert_no_chat_lost_a_try(stage)


async def test_general_failure_also_stops_a_regrade(stage: Stage) -> None:
    await copied(stage, 1)
    await stage.analyze()
    failing = stage.sandbox.deepseek.switches.fail(SERVER_ERROR, path=COMPLETIONS, times=None)
    database, clock = stage.service.database, stage.service.clock
    for state, failed in (("failed", 0), ("done", 1)):
        run_id = await submit(database, RegradeParams(period=PERIOD), clock)
        stage.service.worker.wake()
        run = await wait(database, run_id)
        assert (run.state, run.figures) == (
            state,
            {"regraded_reports": 0, "failed_reports": failed},
        )
        failing.when = lambda request: not is_probe(request)
