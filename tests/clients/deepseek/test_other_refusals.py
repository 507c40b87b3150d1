"""Refusals of other servers with DeepSeek's API, in the shapes that they really have.

The sources are the servers' documents and issues: vLLM #35438, llama.cpp #15780 and #19774, Ollama
#4144, LM Studio #169, LiteLLM #12273 and #14144, OpenRouter, Mistral, Yandex, GigaChat.
"""

import asyncio
from typing import Any

import pytest

from app.clients.deepseek import (
    DeepSeekBalanceError,
    DeepSeekBlockedError,
    DeepSeekClient,
    DeepSeekCredentialsError,
    DeepSeekError,
    DeepSeekForbiddenError,
    DeepSeekRateLimitedError,
    DeepSeekRequestError,
    DeepSeekSettingsError,
    DeepSeekTimeoutError,
    DeepSeekTooLongError,
    DeepSeekUnavailableError,
)
from app.errors import TransientError
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse
from tests.support.deepseek_prompts import MakeDeepSeek, request_completion


def error(status: int, **fields: Any) -> CannedResponse:
    return CannedResponse(status, {"error": fields})


CLOUDFLARE = CannedResponse(
    403,
    "<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title>"
    "<body><h1>Sorry, you have been blocked</h1></body></html>",
    {"Server": "cloudflare"},
)
MONEY = {
    "OpenAI": error(
        429,
        message="You exceeded your current quota, please check your plan and billing details.",
        type="insufficient_quota",
        param=None,
        code="insufficient_quota",
    ),
    "LiteLLM": error(
        400,
        message="Budget has been exceeded! Current cost: 76.16, Max budget: 10.0",
        type="budget_exceeded",
        param=None,
        code="400",
    ),
    "LiteLLM of today": error(
        429,
        message="LiteLLM User: engineer-1, exceeded budget for model=x",
        type="budget_exceeded",
        param=None,
        code="429",
    ),
    "Moonshot": error(
        429,
        message="Your account is suspended, please check your plan and billing details",
        type="exceeded_current_quota_error",
    ),
    "SiliconFlow": CannedResponse(
        403, {"code": 30001, "message": "Sorry, your account balance is insufficient"}
    ),
    "GigaChat": CannedResponse(402, {"status": 402, "message": "Payment Required"}),
    "OpenRouter in a 200": error(200, message="Insufficient credits", code=402),
}
KEY = {
    "LiteLLM": error(
        400, message="No connected db.", type="no_db_connection", param=None, code="400"
    ),
    "LiteLLM before": error(
        401, message="Authentication Error, No connected db.", type="auth_error", code=401
    ),
    "vLLM": CannedResponse(401, {"error": "Unauthorized"}),
    "llama.cpp": error(401, code=401, message="Invalid API Key", type="authentication_error"),
    "xAI": CannedResponse(
        400, {"code": "Client error", "error": "Incorrect API key provided: sk-ca***ey"}
    ),
    "GigaChat": CannedResponse(401, {"status": 401, "message": "Token has expired"}),
}
ACCESS = {
    "Cloudflare": CLOUDFLARE,
    "nginx": CannedResponse(403, "<html><h1>403 Forbidden</h1></html>", {"Server": "nginx"}),
    "OpenAI": error(
        403,
        message="Country, region, or territory not supported",
        type="request_forbidden",
        param=None,
        code="unsupported_country_region_territory",
    ),
    "Yandex": error(403, message="Permission denied", code=7),
    "law": CannedResponse(451, "<html>Unavailable For Legal Reasons</html>"),
}
SETTINGS = {
    "LM Studio knows no json_object": (
        CannedResponse(400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}),
        "DEEPSEEK_RESPONSE_FORMAT",
    ),
    "vLLM knows no such format": (
        CannedResponse(
            400,
            {
                "object": "error",
                "message": "1 validation error: response_format.type: Input should be 'text',"
                " 'json_object' or 'json_schema'",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            },
        ),
        "DEEPSEEK_RESPONSE_FORMAT",
    ),
    "LiteLLM drops nothing": (
        error(
            400,
            message="litellm.UnsupportedParamsError: ollama does not support parameters:"
            " ['thinking'], for model=x.",
            code="400",
        ),
        "thinking: впишите его в DEEPSEEK_OMIT",
    ),
    "Mistral": (
        CannedResponse(
            422,
            {
                "object": "error",
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "thinking"],
                        "msg": "Extra inputs are not permitted",
                        "input": "слова чата",
                    }
                ],
            },
        ),
        "thinking: впишите его в DEEPSEEK_OMIT",
    ),
    "LiteLLM forbids the model": (
        error(
            401,
            message="key not allowed to access model. Tried to access x",
            type="key_model_access_denied",
            param="model",
            code="401",
        ),
        "DEEPSEEK_MODEL",
    ),
    "Ollama without /v1": (CannedResponse(404, "404 page not found"), "кончается на /v1"),
}


async def fail(
    client: DeepSeekClient, server: LocalDeepSeek, answer: Any, kind: type[DeepSeekError]
) -> str:
    """Return the message of the error that a lasting answer causes."""
    server.switches.fail(answer, times=None)
    with pytest.raises(kind) as caught:
        await request_completion(client)
    assert type(caught.value) is kind
    assert len(server.requests) == (3 if isinstance(caught.value, TransientError) else 1)
    return caught.value.message


@pytest.mark.parametrize("answer", MONEY.values(), ids=MONEY.keys())
async def test_lack_of_money_stops_the_run(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answer: CannedResponse
) -> None:
    assert "кончились деньги" in await fail(deepseek, local_deepseek, answer, DeepSeekBalanceError)


async def test_rate_quota_is_no_lack_of_money(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    answer = error(429, message="ai.completions.rate quota limit exceed", code=8)
    await fail(deepseek, local_deepseek, answer, DeepSeekRateLimitedError)


@pytest.mark.parametrize("answer", KEY.values(), ids=KEY.keys())
async def test_wrong_key_behind_a_gateway_stops_the_run(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answer: CannedResponse
) -> None:
    message = await fail(deepseek, local_deepseek, answer, DeepSeekCredentialsError)
    assert "DEEPSEEK_API_KEY" in message
    assert "sk-" not in message


@pytest.mark.parametrize("answer", ACCESS.values(), ids=ACCESS.keys())
async def test_closed_access_stops_the_run_and_names_the_gateway(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answer: CannedResponse
) -> None:
    message = await fail(deepseek, local_deepseek, answer, DeepSeekForbiddenError)
    assert answer.headers.get("Server", "") in message
    assert all(word in message for word in ("шлюз", "прокси", "стран"))
    assert "<" not in message


@pytest.mark.parametrize(("answer", "advice"), SETTINGS.values(), ids=SETTINGS.keys())
async def test_refused_feature_names_its_setting(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answer: CannedResponse, advice: str
) -> None:
    message = await fail(deepseek, local_deepseek, answer, DeepSeekSettingsError)
    assert advice in message
    assert "слова чата" not in message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (
            error(
                400,
                code=400,
                message="request (4390 tokens) exceeds the available context size (4096 tokens)",
                type="exceed_context_size_error",
            ),
            DeepSeekTooLongError,
        ),
        (
            error(500, code=500, message="Context size has been exceeded.", type="server_error"),
            DeepSeekTooLongError,
        ),
        (
            error(400, message="The response was filtered", code="content_filter"),
            DeepSeekBlockedError,
        ),
        (
            error(400, message="litellm.ContentPolicyViolationError: blocked", code="400"),
            DeepSeekBlockedError,
        ),
        (error(403, message="Your input was flagged", code=403), DeepSeekBlockedError),
        (error(403, message="Something else"), DeepSeekRequestError),
        (
            error(500, message="", type="InternalServerError", param=None, code=500),
            DeepSeekUnavailableError,
        ),
        (error(502, message="The upstream took too long to answer"), DeepSeekUnavailableError),
        (error(400, message="The prompt is too long"), DeepSeekTooLongError),
        (
            error(503, code=503, message="Loading model", type="unavailable_error"),
            DeepSeekUnavailableError,
        ),
        (
            CannedResponse(
                503, {"error": "server busy, please try again.  maximum pending requests exceeded"}
            ),
            DeepSeekRateLimitedError,
        ),
        (
            error(200, message="Provider returned error", code=429, metadata={"raw": "busy"}),
            DeepSeekRateLimitedError,
        ),
        (CannedResponse(504, "<html>504 Gateway Time-out</html>"), DeepSeekTimeoutError),
        (
            error(408, message="litellm.Timeout: Request timed out", code="408"),
            DeepSeekTimeoutError,
        ),
    ],
)
async def test_refusal_has_the_same_meaning_on_every_server(
    deepseek: DeepSeekClient,
    local_deepseek: LocalDeepSeek,
    answer: CannedResponse,
    kind: type[DeepSeekError],
) -> None:
    await fail(deepseek, local_deepseek, answer, kind)


async def test_gateway_timeout_lowers_the_concurrency(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    client = make_deepseek(max_concurrency=8)
    local_deepseek.switches.fail(CannedResponse(504, "<html>504 Gateway Time-out</html>"))
    local_deepseek.switches.latency_seconds = 0.1
    await asyncio.gather(*(request_completion(client) for _ in range(8)))
    local_deepseek.traffic.max_in_flight = 0
    await asyncio.gather(*(request_completion(client) for _ in range(8)))
    assert local_deepseek.traffic.max_in_flight <= 5
