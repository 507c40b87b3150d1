"""API of the local DeepSeek: access, refusals, usage, and each error response."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse
from app.sandbox.server import serve_app
from tests.support.grading_protocol import (
    CHECKS,
    GOOD,
    RUDE,
    build_system_message,
    build_user_message,
)

PATH = "/chat/completions"
FAULTS = "<insult|outside_payment|false_availability>"


def build_request(**changes: Any) -> dict[str, Any]:
    return {
        "model": "deepseek-flash",
        "messages": [
            {"role": "system", "content": build_system_message()},
            {"role": "user", "content": build_user_message(GOOD)},
        ],
        "response_format": {"type": "json_object"},
        "thinking": {"type": "disabled"},
        "temperature": 0,
        "max_tokens": 4000,
    } | changes


def wrap_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


def get_content(answer: httpx.Response) -> str:
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


async def test_a_completion_has_the_shape_of_the_api(model: httpx.AsyncClient) -> None:
    body = (await model.post(PATH, json=build_request())).json()

    assert set(body) == {
        "id",
        "object",
        "created",
        "model",
        "system_fingerprint",
        "choices",
        "usage",
    }
    assert (body["object"], body["model"]) == ("chat.completion", "deepseek-flash")
    assert body["choices"][0]["finish_reason"] == "stop"
    assert list(json.loads(body["choices"][0]["message"]["content"])["criteria"]) == list(CHECKS)
    assert "reasoning_content" not in body["choices"][0]["message"]


async def test_the_openai_package_reads_it(deepseek: LocalDeepSeek) -> None:
    async with (
        serve_app(deepseek.app) as url,
        openai.AsyncOpenAI(api_key=deepseek.api_key, base_url=url, max_retries=0) as client,
    ):
        sent = build_request()
        thinking = sent.pop("thinking")
        answer = await client.chat.completions.create(**sent, extra_body={"thinking": thinking})

    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert deepseek.requests[0].body["thinking"] == {"type": "disabled"}


async def test_the_path_may_begin_with_v1(model: httpx.AsyncClient) -> None:
    assert (await model.post("/v1" + PATH, json=build_request())).status_code == 200


async def test_thinking_is_on_by_default(model: httpx.AsyncClient) -> None:
    body = build_request()
    del body["thinking"]

    assert (await model.post(PATH, json=body)).json()["choices"][0]["message"]["reasoning_content"]


async def test_the_system_message_is_a_cache_hit_from_its_second_use(
    model: httpx.AsyncClient,
) -> None:
    first, second = [
        (await model.post(PATH, json=build_request())).json()["usage"] for _ in range(2)
    ]

    assert first["prompt_cache_hit_tokens"] == 0
    assert second["prompt_cache_hit_tokens"] > 0
    for usage in (first, second):
        assert (
            usage["prompt_cache_hit_tokens"] + usage["prompt_cache_miss_tokens"]
            == usage["prompt_tokens"]
        )


async def test_too_few_tokens_end_with_length(model: httpx.AsyncClient) -> None:
    answer = (await model.post(PATH, json=build_request(max_tokens=20))).json()

    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "deepseek-chat"}, "Model Not Exist"),
        (
            {"response_format": {"type": "yaml"}},
            "This response_format type is unavailable now",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "Invalid schema for response_format 'x': schema must be a JSON Schema of 'type:"
            ' "object"\'',
        ),
        (
            {"response_format": wrap_schema({"type": "array", "items": {"type": "object"}})},
            "Invalid schema for response_format 'x': 'additionalProperties' is required to be"
            " supplied and to be false",
        ),
        (
            {"response_format": wrap_schema({"properties": {"a": {}}})},
            "Invalid schema for response_format 'x': 'required' is required to be supplied and to"
            " include every key in properties",
        ),
        (
            {"messages": [{"role": "user", "content": "Привет"}]},
            "Prompt must contain the word 'json' in some form to use 'response_format'",
        ),
        ({"messages": []}, "Empty input messages"),
    ],
)
async def test_invalid_request_is_a_400(
    model: httpx.AsyncClient, changes: dict[str, Any], message: str
) -> None:
    answer = await model.post(PATH, json=build_request(**changes))

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_response_formats_can_be_switched_off(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    for kind in ({"type": "json_object"}, wrap_schema({})):
        body = build_request(response_format=kind)
        assert (await model.post(PATH, json=body)).status_code == 200
        deepseek.unsupported = {kind["type"]}
        answer = await model.post(PATH, json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == "This response_format type is unavailable now"


async def test_server_with_one_slot_drops_requests_whose_client_has_gone(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.slot_seconds = 60
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            await model.post(PATH, json=build_request(), timeout=0.3)
    deepseek.slot_seconds = 0.1
    assert (await model.post(PATH, json=build_request())).status_code == 200


async def test_missing_models_are_not_found(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.unsupported = {"models"}
    assert (await model.get("/models")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", PATH), ("GET", "/models"), ("GET", "/user/balance")]
)
async def test_a_wrong_key_is_a_401(model: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await model.request(
        method, path, json=build_request(), headers={"Authorization": "Bearer nobody"}
    )

    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_models_and_balance(model: httpx.AsyncClient) -> None:
    assert {row["id"] for row in (await model.get("/models")).json()["data"]} == {
        "deepseek-flash",
        "deepseek-v4-pro",
    }
    assert (await model.get("/user/balance")).json()["is_available"] is True


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (faults.UNAUTHORIZED, 401),
        (faults.BALANCE_EMPTY, 402),
        (faults.BAD_REQUEST, 400),
        (faults.CONTENT_RISK, 400),
        (faults.SERVER_ERROR, 500),
        (faults.OVERLOADED, 503),
        (faults.NULL_CHOICES, 200),
        (faults.too_many(), 429),
    ],
)
async def test_refusals_come_with_their_body(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek, fault: CannedResponse, status: int
) -> None:
    deepseek.switches.fail(fault)

    answer = await model.post(PATH, json=build_request())

    assert (answer.status_code, answer.json()) == (status, fault.body)
    assert (await model.post(PATH, json=build_request())).json()["choices"]


async def test_too_many_requests_with_a_header(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.too_many(retry_after="3"))

    assert (await model.post(PATH, json=build_request())).headers["retry-after"] == "3"


@pytest.mark.parametrize(
    ("fault", "kind", "body"),
    [
        (faults.EMPTY_BODY, "application/json", ""),
        (faults.HTML, "text/html; charset=utf-8", "<html>"),
    ],
)
async def test_bodies_that_are_not_json(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek, fault: CannedResponse, kind: str, body: str
) -> None:
    deepseek.switches.fail(fault)

    answer = await model.post(PATH, json=build_request())

    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.text[:6] == body


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.CONTENT_FILTER, "content_filter"),
        (faults.LENGTH, "length"),
        (faults.NO_RESOURCE, "insufficient_system_resource"),
        (faults.ABORTED, "aborted"),
    ],
)
async def test_incomplete_answer_is_a_fragment(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek, fault: faults.Rewrite, reason: str
) -> None:
    deepseek.switches.fail(fault)

    answer = await model.post(PATH, json=build_request())

    assert answer.json()["choices"][0]["finish_reason"] == reason
    with pytest.raises(json.JSONDecodeError):
        json.loads(get_content(answer))


def _list_values(text: str) -> set[Any]:
    return {
        value for criterion in _criteria(text).values() for value in criterion["checks"].values()
    }


def _criteria(text: str) -> dict[str, Any]:
    criteria: dict[str, Any] = json.loads(text)["criteria"]
    return criteria


@pytest.mark.parametrize(
    ("fault", "matches"),
    [
        (faults.BLANK, lambda text: text.strip() == "" != text),
        (faults.PROSE, lambda text: text.startswith("Вот") and not text.endswith("}")),
        (faults.FENCES, lambda text: text.startswith("```json\n{") and text.endswith("}\n```")),
        (faults.EXTRA_CRITERION, lambda text: list(_criteria(text)) == [*CHECKS, "charisma"]),
        (faults.MISSING_CRITERION, lambda text: list(_criteria(text)) == list(CHECKS)[:-1]),
        (faults.WRONG_GRADE, lambda text: _criteria(text)["tonality"]["grade"] == "excellent"),
        (
            faults.RUSSIAN_GRADES,
            lambda text: {body["grade"] for body in _criteria(text).values()} == {"Высокий"},
        ),
        (
            faults.FOREIGN_QUOTES,
            lambda text: _criteria(text)["tonality"]["ev"][0]["q"] not in build_user_message(GOOD),
        ),
        (
            faults.MISSING_QUOTES,
            lambda text: not any(criterion["ev"] for criterion in _criteria(text).values()),
        ),
        (faults.SAME_CHECKS, lambda text: _list_values(text) == {"y", "na"}),
        (faults.FLIPPED_CHECKS, lambda text: _criteria(text)["tonality"]["grade"] == "low"),
        (
            faults.COPIED_SHAPE,
            lambda text: text in build_system_message().replace("<insult>", FAULTS),
        ),
        (
            faults.INVENTED_QUOTATION,
            lambda text: json.loads(text)["summary"].endswith("«вторая штука достанется даром»."),
        ),
        (
            faults.ENGLISH_ADVICE,
            lambda text: "Answer" in json.loads(text)["recommendations"][-1]["t"],
        ),
        (faults.EXTRA_KEYS, lambda text: "score" in json.loads(text)),
        (faults.ENGLISH_CHECKS, lambda text: _list_values(text) == {"yes", "n/a"}),
        (faults.RUSSIAN_CHECKS, lambda text: _list_values(text) == {"да", "не применимо"}),
        (faults.BOOLEAN_CHECKS, lambda text: _list_values(text) == {True, "n/a"}),
    ],
)
async def test_altered_contents_end_with_stop(
    model: httpx.AsyncClient,
    deepseek: LocalDeepSeek,
    fault: faults.Rewrite,
    matches: Callable[[str], bool],
) -> None:
    deepseek.switches.fail(fault)

    spoilt, sound = (
        await model.post(PATH, json=build_request()),
        await model.post(PATH, json=build_request()),
    )

    assert spoilt.json()["choices"][0]["finish_reason"] == "stop"
    assert matches(get_content(spoilt))
    assert list(_criteria(get_content(sound))) == list(CHECKS)


async def test_thinking_stands_before_the_answer(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.THINKING)

    text = get_content(await model.post(PATH, json=build_request()))

    thinking, _, answer = text.rpartition("</think>\n")
    assert thinking.startswith("<think>")
    assert list(_criteria(answer)) == list(CHECKS)


async def test_a_rerolled_answer_differs_in_its_checks(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    for fault in faults.REROLL:
        deepseek.switches.fail(fault)

    first, second, sound = [
        _criteria(get_content(await model.post(PATH, json=build_request()))) for _ in range(3)
    ]

    assert first["closure"]["checks"] == sound["closure"]["checks"]
    assert second["closure"]["checks"] != sound["closure"]["checks"]
    assert first["closure"]["ev"] != second["closure"]["ev"] == sound["closure"]["ev"]


async def test_a_fault_may_be_for_certain_chats_only(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(
        faults.CONTENT_RISK,
        when=lambda arrived: "Пороги" in faults.user_message(arrived),
        times=None,
    )
    rude = [
        {"role": "system", "content": build_system_message()},
        {"role": "user", "content": build_user_message(RUDE)},
    ]

    assert (await model.post(PATH, json=build_request())).status_code == 200
    assert (await model.post(PATH, json=build_request(messages=rude))).status_code == 400


async def test_a_waiting_request_gets_blank_lines_before_its_answer(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.Hang(0.2))

    answer = await model.post(PATH, json=build_request())

    assert answer.text.startswith("\n\n")
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


async def test_blank_lines_prevent_a_read_timeout(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.Hang(60))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.2):
            await model.post(PATH, json=build_request(), timeout=0.8)


async def test_a_cut_connection_gives_no_answer(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.CUT)

    with pytest.raises(httpx.TransportError):
        await model.post(PATH, json=build_request())

    assert len(deepseek.requests) == 1
