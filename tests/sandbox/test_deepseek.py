"""API of the local DeepSeek: access, completions, usage and invalid requests."""

import json
from typing import Any

import httpx
import openai
import pytest

from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.server import serve_app
from tests.support.grading_protocol import (
    CHECKS,
)
from tests.support.model_requests import COMPLETIONS, build_request


def wrap_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


async def test_a_completion_has_the_shape_of_the_api(model: httpx.AsyncClient) -> None:
    body = (await model.post(COMPLETIONS, json=build_request())).json()

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
    assert (await model.post("/v1" + COMPLETIONS, json=build_request())).status_code == 200


async def test_thinking_is_on_by_default(model: httpx.AsyncClient) -> None:
    body = build_request()
    del body["thinking"]

    assert (await model.post(COMPLETIONS, json=body)).json()["choices"][0]["message"][
        "reasoning_content"
    ]


async def test_the_system_message_is_a_cache_hit_from_its_second_use(
    model: httpx.AsyncClient,
) -> None:
    first, second = [
        (await model.post(COMPLETIONS, json=build_request())).json()["usage"] for _ in range(2)
    ]

    assert first["prompt_cache_hit_tokens"] == 0
    assert second["prompt_cache_hit_tokens"] > 0
    for usage in (first, second):
        assert (
            usage["prompt_cache_hit_tokens"] + usage["prompt_cache_miss_tokens"]
            == usage["prompt_tokens"]
        )


async def test_too_few_tokens_end_with_length(model: httpx.AsyncClient) -> None:
    answer = (await model.post(COMPLETIONS, json=build_request(max_tokens=20))).json()

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
    answer = await model.post(COMPLETIONS, json=build_request(**changes))

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_response_formats_can_be_switched_off(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    for kind in ({"type": "json_object"}, wrap_schema({})):
        body = build_request(response_format=kind)
        assert (await model.post(COMPLETIONS, json=body)).status_code == 200
        deepseek.unsupported = {kind["type"]}
        answer = await model.post(COMPLETIONS, json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == "This response_format type is unavailable now"


async def test_server_with_one_slot_drops_requests_whose_client_has_gone(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.slot_seconds = 60
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            await model.post(COMPLETIONS, json=build_request(), timeout=0.3)
    deepseek.slot_seconds = 0.1
    assert (await model.post(COMPLETIONS, json=build_request())).status_code == 200


async def test_missing_models_are_not_found(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.unsupported = {"models"}
    assert (await model.get("/models")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", COMPLETIONS), ("GET", "/models"), ("GET", "/user/balance")]
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
