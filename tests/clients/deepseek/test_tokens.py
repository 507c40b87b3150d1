"""Billed tokens of truncated answers, incomplete answers and probes."""

import asyncio
import json
from typing import Any

import pytest

from app.clients.deepseek import (
    Completion,
    DeepSeekBlockedError,
    DeepSeekClient,
    DeepSeekTimeoutError,
    DeepSeekTruncatedError,
    Usage,
)
from app.clients.retry import RetryPolicy
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import LocalDeepSeek, estimate_tokens
from tests.support.deepseek_prompts import (
    PROMPT_TOKENS,
    SYSTEM,
    USER,
    MakeDeepSeek,
    request_completion,
)

MOST = Usage(0, (len(SYSTEM) + len(USER)) // 2, 700)
"""The upper limit of a request of these tests."""


async def test_truncated_answer_is_requested_once_more(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.LENGTH)
    answer = await request_completion(deepseek, max_tokens=400)
    assert [request.body["max_tokens"] for request in local_deepseek.requests] == [400, 800]
    assert (answer.text, answer.finish_reason, answer.attempts) == ("{}", "stop", 2)
    assert answer.usage == Usage(
        estimate_tokens(SYSTEM), PROMPT_TOKENS + estimate_tokens(USER), 2
    )  # both are billed


async def test_answer_truncated_twice_is_an_error(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.LENGTH, times=None)
    truncated: list[Completion] = []
    with pytest.raises(DeepSeekTruncatedError, match="800") as caught:
        await request_completion(deepseek, max_tokens=400, on_truncated=truncated.append)
    assert len(local_deepseek.requests) == 2
    assert [(entry.text, entry.attempts) for entry in truncated] == [("{", 1), ("{", 2)]
    assert caught.value.usage == Usage(
        estimate_tokens(SYSTEM), PROMPT_TOKENS + estimate_tokens(USER), 2
    )


async def test_error_without_an_answer_is_not_billed(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    for fault in (faults.NULL_CHOICES, faults.HTML):
        local_deepseek.switches.fail(fault)
    assert (await request_completion(deepseek)).usage == Usage(0, PROMPT_TOKENS, 1)


LOOPS = {
    "phrase": '{"summary": "' + "Продавец ответил. " * 60,
    "counter": '{"ev": [' + "".join(f'{{"i": {n}, "q": "Добрый день"}}, ' for n in range(60)),
    "blank lines": '{"summary": "Продавец ответил."' + "\n" * 1_200,
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS.keys())
async def test_request_whose_answer_repeats_itself_is_never_sent_again(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, text: str
) -> None:
    """At temperature 0 the model would repeat itself again."""
    local_deepseek.switches.fail(
        faults.loop_with(text), when=lambda request: request.body["temperature"] == 0, times=None
    )
    answer = await request_completion(deepseek, max_tokens=400)
    first, second = (request.body for request in local_deepseek.requests)
    assert second == {**first, "max_tokens": 800, "temperature": second["temperature"]}
    assert second["temperature"] > 0
    assert answer.text == "{}"
    assert json.loads(answer.request.parameters) == {**second, "messages": []}


async def test_answer_without_a_loop_keeps_its_temperature(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.LENGTH)
    await request_completion(deepseek, max_tokens=400)
    assert [request.body["temperature"] for request in local_deepseek.requests] == [0, 0]


async def test_incomplete_answers_are_billed(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.ABORTED)
    local_deepseek.switches.fail(faults.SERVER_ERROR)
    answer = await request_completion(deepseek)
    assert (answer.attempts, answer.usage) == (
        3,
        Usage(estimate_tokens(SYSTEM), PROMPT_TOKENS + estimate_tokens(USER), 2),
    )
    local_deepseek.switches.fail(faults.CONTENT_FILTER)
    with pytest.raises(DeepSeekBlockedError) as caught:
        await request_completion(deepseek)
    assert caught.value.usage == Usage(estimate_tokens(SYSTEM), estimate_tokens(USER), 1)


@pytest.mark.parametrize(
    ("answered_usage", "usage"),
    [
        (None, MOST),
        ({}, MOST),
        ({"prompt_tokens": 90}, Usage(0, 90, MOST.completion_tokens)),
        ({"completion_tokens": 0}, Usage(0, MOST.prompt_miss_tokens, 0)),
        ({"prompt_tokens": 90, "completion_tokens": 10}, Usage(0, 90, 10)),
        (
            {
                "prompt_tokens": 90,
                "completion_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 64},
            },
            Usage(64, 26, 10),
        ),
        (
            {"prompt_tokens": 90, "prompt_cache_hit_tokens": 60, "completion_tokens": 10},
            Usage(60, 30, 10),
        ),
        ({"prompt_tokens": "many", "completion_tokens": -3}, MOST),
    ],
)
async def test_missing_usage_counts_as_the_most_that_the_request_may_cost(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answered_usage: Any, usage: Usage
) -> None:
    local_deepseek.switches.fail(
        faults.Rewrite(
            lambda completion: completion.update(
                usage=answered_usage, model=None, system_fingerprint=None
            )
        )
    )
    answer = await request_completion(deepseek, max_tokens=700)
    assert (answer.usage, answer.model, answer.fingerprint) == (usage, "deepseek-flash", None)


# A probe


async def test_probe_requests_few_tokens_and_accepts_any_answer(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    assert await deepseek.probe(system=SYSTEM, user=USER) == Usage(0, PROMPT_TOKENS, 1)
    await request_completion(deepseek)
    probe, completion = (request.body for request in local_deepseek.requests)
    assert probe == {**completion, "max_tokens": probe["max_tokens"]}
    assert probe["max_tokens"] < 100
    for fault in (faults.LENGTH, faults.BLANK, faults.PROSE):
        local_deepseek.switches.fail(fault)
        await deepseek.probe(system=SYSTEM, user=USER)


async def test_probe_waits_for_a_slot_outside_its_timeout(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    """On a server with one slot a probe would otherwise report an outage."""
    local_deepseek.slot_seconds = 0.5
    client = make_deepseek(max_concurrency=1, timeout_seconds=1.2, retry=RetryPolicy(1))
    answers = await asyncio.gather(
        *(request_completion(client) for _ in range(4)), client.probe(system=SYSTEM, user=USER)
    )
    assert len(answers) == 5


async def test_probe_is_retried_and_billed_within_the_timeout_of_one_attempt(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.ABORTED)
    assert (
        await make_deepseek().probe(system=SYSTEM, user=USER)
    ).prompt_miss_tokens == PROMPT_TOKENS + estimate_tokens(USER)
    local_deepseek.switches.fail(faults.Hang(600), times=None)
    patient = RetryPolicy(attempts=1000, first_wait_seconds=0.001, longest_wait_seconds=0.01)
    async with asyncio.timeout(60):
        with pytest.raises(DeepSeekTimeoutError):
            await make_deepseek(timeout_seconds=0.2, retry=patient).probe(system=SYSTEM, user=USER)
