"""What the DeepSeek client sends, and what it makes of every kind of answer."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from app.clients.deepseek import (
    Completion,
    DeepSeekAccessError,
    DeepSeekBalanceError,
    DeepSeekBlockedError,
    DeepSeekClient,
    DeepSeekCredentialsError,
    DeepSeekError,
    DeepSeekRateLimitedError,
    DeepSeekRequestError,
    DeepSeekSettingsError,
    DeepSeekTimeoutError,
    DeepSeekTooLongError,
    DeepSeekTruncatedError,
    DeepSeekUnavailableError,
    Usage,
)
from app.clients.retry import RetryPolicy
from app.errors import PermanentError, TransientError
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import FINGERPRINT, LocalDeepSeek, tokens
from app.sandbox.faults import Answer, Slow

MakeDeepSeek = Callable[..., DeepSeekClient]

SYSTEM = "Ответь одним объектом JSON."
USER = "Дороговато, уступите?"
COMPLETIONS = "/chat/completions"
PROMPT_TOKENS = tokens(SYSTEM) + tokens(USER)


async def ask(client: DeepSeekClient, **options: Any) -> Completion:
    return await client.complete(system=SYSTEM, user=USER, **options)


async def test_request_is_what_grading_needs(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    await ask(deepseek, max_tokens=700)
    (request,) = local_deepseek.requests
    assert request.body == {
        "model": "deepseek-flash",
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}],
        "response_format": {"type": "json_object"},
        "temperature": 0,
        "max_tokens": 700,
        "thinking": {"type": "disabled"},
    }
    assert request.headers["authorization"] == "Bearer sk-canary-key"


async def test_what_another_vendors_server_does_not_know_is_left_out(make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek) -> None:
    local_deepseek.lacks = {"thinking", "response_format", "balance"}
    assert (await ask(make_deepseek(omit=local_deepseek.lacks))).finish_reason == "stop"
    (request,) = local_deepseek.requests
    assert set(request.body) == {"model", "messages", "temperature", "max_tokens"}
    assert await make_deepseek(omit=local_deepseek.lacks).get_balance() is None
    with pytest.raises(DeepSeekRequestError, match="thinking"):
        await ask(make_deepseek())


async def test_answer_comes_with_its_model_and_its_tokens(deepseek: DeepSeekClient) -> None:
    first = await ask(deepseek)
    assert (first.text, first.model, first.fingerprint) == ("{}", "deepseek-flash", FINGERPRINT)
    assert (first.finish_reason, first.attempts) == ("stop", 1)
    assert first.usage == Usage(0, PROMPT_TOKENS, 1)
    again = await ask(deepseek)
    assert again.usage == Usage(tokens(SYSTEM), tokens(USER), 1)


@pytest.mark.parametrize("words", ["", "   \n  ", "Вот моя оценка", "```json\n{}\n```"])
async def test_a_finished_text_is_given_as_it_is(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, words: str) -> None:
    local_deepseek.switches.fail(faults.reworded(lambda _: words))
    assert (await ask(deepseek)).text == words
    assert len(local_deepseek.requests) == 1


PASSING = {
    "429": faults.too_many(),
    "500": faults.SERVER_ERROR,
    "503": faults.OVERLOADED,
    "cut": faults.CUT,
    "empty body": faults.EMPTY_BODY,
    "html": faults.HTML,
    "html called json": Answer(200, "<html>", content_type="application/json"),
    "not utf-8": Answer(200, "\ufeff\x00", content_type="application/json"),
    "null choices": faults.NULL_CHOICES,
    "no choices": Answer(200, {"choices": []}),
    "strange choices": Answer(200, {"choices": ["x"]}),
    "a list": Answer(200, []),
    "no resource": faults.NO_RESOURCE,
    "aborted": faults.ABORTED,
    "unheard-of end": faults.finished("tool_calls"),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_what_passes_is_tried_again(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, fault: Any) -> None:
    local_deepseek.switches.fail(fault, times=2)
    answer = await ask(deepseek)
    assert (answer.text, answer.attempts, len(local_deepseek.requests)) == ("{}", 3, 3)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_what_does_not_pass_is_transient_after_the_last_attempt(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, fault: Any
) -> None:
    local_deepseek.switches.fail(fault, times=None)
    with pytest.raises(DeepSeekError) as caught:
        await ask(deepseek)
    assert isinstance(caught.value, TransientError)
    assert len(local_deepseek.requests) == 3


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (faults.UNAUTHORIZED, DeepSeekCredentialsError, "DEEPSEEK_API_KEY"),
        (faults.BALANCE_EMPTY, DeepSeekBalanceError, "кончились деньги"),
        (faults.CONTENT_RISK, DeepSeekBlockedError, "Фильтр DeepSeek"),
        (faults.CONTENT_FILTER, DeepSeekBlockedError, "Фильтр DeepSeek"),
        (faults.BAD_REQUEST, DeepSeekRequestError, "the field messages is not acceptable"),
        (faults.TOO_LONG, DeepSeekTooLongError, "контекст"),
        (Answer(413, "<html>Request Entity Too Large</html>"), DeepSeekTooLongError, "контекст"),
        (Answer(404, {"error_msg": "Not found"}), DeepSeekSettingsError, "DEEPSEEK_BASE_URL.*Not found"),
        (Answer(422, {"error": {"message": "bad temperature"}}), DeepSeekRequestError, "bad temperature"),
    ],
)
async def test_what_does_not_pass_by_itself_is_asked_once(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, fault: Any, error: type[DeepSeekError], words: str
) -> None:
    local_deepseek.switches.fail(fault, times=None)
    with pytest.raises(error, match=words) as caught:
        await ask(deepseek)
    assert isinstance(caught.value, PermanentError)
    assert isinstance(caught.value, DeepSeekAccessError) is issubclass(error, DeepSeekAccessError)
    assert len(local_deepseek.requests) == 1


NO_SUCH_MODEL = {
    "vLLM": Answer(404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}),
    "Ollama": Answer(404, {"error": {"message": 'model "x" not found, try pulling it first'}}),
    "LiteLLM": Answer(400, {"error": "/chat/completions: Invalid model name passed in model=x."}),
    "by code": Answer(403, {"error": {"message": "No access.", "code": "model_not_found"}}),
}


@pytest.mark.parametrize("answer", NO_SUCH_MODEL.values(), ids=NO_SUCH_MODEL.keys())
async def test_whatever_server_has_no_such_model_the_setting_is_named(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answer: Answer
) -> None:
    local_deepseek.switches.fail(answer)
    with pytest.raises(DeepSeekSettingsError, match="DEEPSEEK_MODEL"):
        await ask(deepseek)
    assert len(local_deepseek.requests) == 1


async def test_an_unknown_model_is_our_fault_and_names_the_setting(make_deepseek: MakeDeepSeek) -> None:
    with pytest.raises(DeepSeekSettingsError, match=r"DEEPSEEK_MODEL.*Model Not Exist"):
        await ask(make_deepseek(model="deepseek-chat"))


async def test_a_chat_that_speaks_of_models_does_not_pass_for_a_missing_one(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    """Some servers repeat the request beside their message."""
    local_deepseek.switches.fail(Answer(422, {"detail": [{"input": "the model does not exist"}], "message": "bad request"}))
    with pytest.raises(DeepSeekRequestError, match="422"):
        await ask(deepseek)
    local_deepseek.switches.fail(Answer(400, {"detail": [{"input": "the model does not exist"}]}))
    with pytest.raises(DeepSeekRequestError, match="400"):
        await ask(deepseek)


async def test_long_words_of_a_refusal_are_cut(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    local_deepseek.switches.fail(Answer(400, {"error": {"message": "x" * 5000}}))
    with pytest.raises(DeepSeekRequestError) as caught:
        await ask(deepseek)
    assert caught.value.message.endswith(" " + "x" * 299 + "…")


# Out of tokens


async def test_an_answer_that_is_too_long_is_asked_for_once_more(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    local_deepseek.switches.fail(faults.LENGTH)
    answer = await ask(deepseek, max_tokens=400)
    assert [request.body["max_tokens"] for request in local_deepseek.requests] == [400, 800]
    assert (answer.text, answer.finish_reason, answer.attempts) == ("{}", "stop", 2)
    assert answer.usage == Usage(tokens(SYSTEM), PROMPT_TOKENS + tokens(USER), 2)  # both are billed


async def test_an_answer_that_is_too_long_twice_is_given_up(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    local_deepseek.switches.fail(faults.LENGTH, times=None)
    with pytest.raises(DeepSeekTruncatedError, match="800") as caught:
        await ask(deepseek, max_tokens=400)
    assert len(local_deepseek.requests) == 2
    assert caught.value.usage == Usage(tokens(SYSTEM), PROMPT_TOKENS + tokens(USER), 2)


async def test_broken_off_answers_are_billed_too(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    local_deepseek.switches.fail(faults.ABORTED)
    local_deepseek.switches.fail(faults.SERVER_ERROR)
    answer = await ask(deepseek)
    assert (answer.attempts, answer.usage) == (3, Usage(tokens(SYSTEM), PROMPT_TOKENS + tokens(USER), 2))
    local_deepseek.switches.fail(faults.CONTENT_FILTER)
    with pytest.raises(DeepSeekBlockedError) as caught:
        await ask(deepseek)
    assert caught.value.usage == Usage(tokens(SYSTEM), tokens(USER), 1)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (None, Usage()),
        ({}, Usage()),
        ({"prompt_tokens": 90, "completion_tokens": 10}, Usage(0, 90, 10)),
        ({"prompt_tokens": 90, "prompt_cache_hit_tokens": 60, "completion_tokens": 10}, Usage(60, 30, 10)),
        ({"prompt_tokens": "many", "completion_tokens": -3}, Usage()),
    ],
)
async def test_usage_may_be_told_in_part(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, told: Any, usage: Usage) -> None:
    local_deepseek.switches.fail(faults.Rewrite(lambda completion: completion.update(usage=told, model=None, system_fingerprint=None)))
    answer = await ask(deepseek)
    assert (answer.usage, answer.model, answer.fingerprint) == (usage, "deepseek-flash", None)


# A probe


async def test_a_probe_asks_as_ever_for_a_few_tokens_and_takes_any_answer(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    assert await deepseek.probe(system=SYSTEM, user=USER) == Usage(0, PROMPT_TOKENS, 1)
    await ask(deepseek)
    probe, asked = (request.body for request in local_deepseek.requests)
    assert probe == {**asked, "max_tokens": probe["max_tokens"]}
    assert probe["max_tokens"] < 100
    for fault in (faults.LENGTH, faults.BLANK, faults.PROSE):
        local_deepseek.switches.fail(fault)
        await deepseek.probe(system=SYSTEM, user=USER)


async def test_a_probe_is_repeated_and_billed_but_for_no_longer_than_one_attempt(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.ABORTED)
    assert (await make_deepseek().probe(system=SYSTEM, user=USER)).prompt_miss_tokens == PROMPT_TOKENS + tokens(USER)
    local_deepseek.switches.fail(faults.Hang(600), times=None)
    patient = RetryPolicy(attempts=1000, first_wait_seconds=0.001, longest_wait_seconds=0.01)
    async with asyncio.timeout(60):
        with pytest.raises(DeepSeekTimeoutError):
            await make_deepseek(timeout_seconds=0.2, retry=patient).probe(system=SYSTEM, user=USER)


# Deadlines


@pytest.mark.parametrize("fault", [Slow(600), faults.Hang(600)], ids=["silence", "blank lines"])
async def test_an_answer_after_the_deadline_is_given_up(make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek, fault: Any) -> None:
    local_deepseek.switches.fail(fault)
    assert (await ask(make_deepseek(timeout_seconds=1.5))).attempts == 2
    local_deepseek.switches.fail(fault, times=None)
    async with asyncio.timeout(60):
        with pytest.raises(DeepSeekTimeoutError, match="DEEPSEEK_TIMEOUT_SECONDS"):
            await ask(make_deepseek(timeout_seconds=0.1))
    assert 2 < len(local_deepseek.requests) <= 2 + 3  # where the machine is busy, an attempt is over before it has arrived


async def test_blank_lines_before_the_answer_do_no_harm(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    local_deepseek.switches.fail(faults.Hang(0.2))
    answer = await ask(deepseek)
    assert (answer.text, answer.attempts) == ("{}", 1)


async def test_waiting_for_a_place_does_not_count(make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek) -> None:
    client = make_deepseek(max_concurrency=1, timeout_seconds=2, retry=RetryPolicy(1))
    local_deepseek.switches.latency_seconds = 0.5
    answers = await asyncio.gather(*(ask(client) for _ in range(5)))
    assert [answer.attempts for answer in answers] == [1] * 5


async def test_nobody_listening_is_an_outage_that_names_the_setting(make_deepseek: MakeDeepSeek) -> None:
    with pytest.raises(DeepSeekUnavailableError, match="DEEPSEEK_BASE_URL"):
        await ask(make_deepseek(base_url="http://127.0.0.1:1"))


# Limits


async def test_429_that_stays_names_the_setting(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    local_deepseek.switches.fail(faults.too_many("900"), times=None)
    with pytest.raises(DeepSeekRateLimitedError, match="DEEPSEEK_MAX_CONCURRENCY") as caught:
        await ask(deepseek)
    assert caught.value.retry_after_seconds == 900  # openai would not repeat at all


async def test_a_wait_asked_for_is_kept_instead_of_our_own(make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek) -> None:
    client = make_deepseek(retry=RetryPolicy(attempts=2, first_wait_seconds=600, longest_wait_seconds=600))
    local_deepseek.switches.fail(faults.too_many("0"))
    async with asyncio.timeout(60):
        assert (await ask(client)).attempts == 2


async def test_requests_in_flight_are_limited_and_halved_by_a_429(make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek) -> None:
    client = make_deepseek(max_concurrency=8)
    local_deepseek.switches.latency_seconds = 0.2
    await asyncio.gather(*(ask(client) for _ in range(12)))
    assert local_deepseek.traffic.most_in_flight <= 8
    local_deepseek.switches.fail(faults.too_many())
    await ask(client)
    local_deepseek.traffic.most_in_flight = 0
    await asyncio.gather(*(ask(client) for _ in range(8)))
    assert local_deepseek.traffic.most_in_flight <= 4


async def test_neither_key_nor_chat_is_told_where_the_server_repeats_them(deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek) -> None:
    repeated = {"error": {"message": "bad key sk-canary-key"}, "input": json.dumps({"messages": [USER]})}
    local_deepseek.switches.fail(Answer(422, repeated))
    with pytest.raises(DeepSeekRequestError) as caught:
        await ask(deepseek)
    assert caught.value.message.endswith("bad key ***")


async def test_client_closes_with_its_context(make_deepseek: MakeDeepSeek) -> None:
    async with make_deepseek() as client:
        assert (await ask(client)).text == "{}"
        assert client.model == "deepseek-flash"
    with pytest.raises(RuntimeError):
        await ask(client)
