"""Requests of the DeepSeek client, and its handling of every kind of response."""

from typing import Any

import pytest

from app.clients.deepseek import (
    DeepSeekAccessError,
    DeepSeekBalanceError,
    DeepSeekBlockedError,
    DeepSeekClient,
    DeepSeekCredentialsError,
    DeepSeekError,
    DeepSeekRequestError,
    DeepSeekSettingsError,
    DeepSeekTooLongError,
    Usage,
)
from app.errors import PermanentError, TransientError
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import FINGERPRINT, LocalDeepSeek, estimate_tokens
from app.sandbox.faults import CannedResponse
from tests.support.deepseek_prompts import (
    PROMPT_TOKENS,
    SYSTEM,
    USER,
    MakeDeepSeek,
    request_completion,
)


async def test_request_is_what_grading_needs(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    await request_completion(deepseek, max_tokens=700)
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


async def test_unsupported_parameters_are_omitted(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.unsupported = {"thinking", "response_format", "balance"}
    assert (
        await request_completion(make_deepseek(omit=local_deepseek.unsupported))
    ).finish_reason == "stop"
    (request,) = local_deepseek.requests
    assert set(request.body) == {"model", "messages", "temperature", "max_tokens"}
    assert await make_deepseek(omit=local_deepseek.unsupported).get_balance() is None
    with pytest.raises(DeepSeekSettingsError, match=r"DEEPSEEK_RESPONSE_FORMAT.*thinking"):
        await request_completion(make_deepseek())
    with pytest.raises(DeepSeekSettingsError, match=r"параметра thinking.*DEEPSEEK_OMIT"):
        await request_completion(make_deepseek(omit={"response_format"}))


async def test_schema_of_the_answer_is_sent(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    await request_completion(make_deepseek(answer_schema=schema))
    (request,) = local_deepseek.requests
    assert request.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "grading", "strict": True, "schema": schema},
    }
    local_deepseek.unsupported = {"json_schema"}
    with pytest.raises(DeepSeekSettingsError, match=r"DEEPSEEK_RESPONSE_FORMAT.*unavailable now"):
        await request_completion(make_deepseek(answer_schema=schema))


async def test_answer_comes_with_its_model_and_its_tokens(deepseek: DeepSeekClient) -> None:
    first = await request_completion(deepseek)
    assert (first.text, first.model, first.fingerprint) == ("{}", "deepseek-flash", FINGERPRINT)
    assert (first.finish_reason, first.attempts) == ("stop", 1)
    assert first.usage == Usage(0, PROMPT_TOKENS, 1)
    again = await request_completion(deepseek)
    assert again.usage == Usage(estimate_tokens(SYSTEM), estimate_tokens(USER), 1)


@pytest.mark.parametrize("expected", ["", "   \n  ", "Вот моя оценка", "```json\n{}\n```"])
async def test_finished_text_is_returned_unchanged(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, expected: str
) -> None:
    local_deepseek.switches.fail(faults.rewrite_content(lambda _: expected))
    assert (await request_completion(deepseek)).text == expected
    assert len(local_deepseek.requests) == 1


PASSING = {
    "429": faults.too_many(),
    "500": faults.SERVER_ERROR,
    "503": faults.OVERLOADED,
    "cut": faults.CUT,
    "empty body": faults.EMPTY_BODY,
    "html": faults.HTML,
    "html called json": CannedResponse(200, "<html>", content_type="application/json"),
    "not utf-8": CannedResponse(200, "\ufeff\x00", content_type="application/json"),
    "null choices": faults.NULL_CHOICES,
    "no choices": CannedResponse(200, {"choices": []}),
    "strange choices": CannedResponse(200, {"choices": ["x"]}),
    "a list": CannedResponse(200, []),
    "no resource": faults.NO_RESOURCE,
    "aborted": faults.ABORTED,
    "unheard-of end": faults.end_with_reason("tool_calls"),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_temporary_failures_are_retried(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, fault: Any
) -> None:
    local_deepseek.switches.fail(fault, times=2)
    answer = await request_completion(deepseek)
    assert (answer.text, answer.attempts, len(local_deepseek.requests)) == ("{}", 3, 3)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_persistent_failure_is_transient_after_the_last_attempt(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, fault: Any
) -> None:
    local_deepseek.switches.fail(fault, times=None)
    with pytest.raises(DeepSeekError) as caught:
        await request_completion(deepseek)
    assert isinstance(caught.value, TransientError)
    assert len(local_deepseek.requests) == 3


@pytest.mark.parametrize(
    ("fault", "error", "expected"),
    [
        (faults.UNAUTHORIZED, DeepSeekCredentialsError, "DEEPSEEK_API_KEY"),
        (faults.BALANCE_EMPTY, DeepSeekBalanceError, "кончились деньги"),
        (faults.CONTENT_RISK, DeepSeekBlockedError, "Фильтр DeepSeek"),
        (faults.CONTENT_FILTER, DeepSeekBlockedError, "Фильтр DeepSeek"),
        (faults.BAD_REQUEST, DeepSeekRequestError, "the field messages is not acceptable"),
        (faults.TOO_LONG, DeepSeekTooLongError, "контекст"),
        (
            CannedResponse(413, "<html>Request Entity Too Large</html>"),
            DeepSeekTooLongError,
            "контекст",
        ),
        (
            CannedResponse(404, {"error_msg": "Not found"}),
            DeepSeekSettingsError,
            "DEEPSEEK_BASE_URL.*Not found",
        ),
        (
            CannedResponse(422, {"error": {"message": "bad temperature"}}),
            DeepSeekRequestError,
            "bad temperature",
        ),
    ],
)
async def test_permanent_errors_are_not_retried(
    deepseek: DeepSeekClient,
    local_deepseek: LocalDeepSeek,
    fault: Any,
    error: type[DeepSeekError],
    expected: str,
) -> None:
    local_deepseek.switches.fail(fault, times=None)
    with pytest.raises(error, match=expected) as caught:
        await request_completion(deepseek)
    assert isinstance(caught.value, PermanentError)
    assert isinstance(caught.value, DeepSeekAccessError) is issubclass(error, DeepSeekAccessError)
    assert len(local_deepseek.requests) == 1


NO_SUCH_MODEL = {
    "vLLM": CannedResponse(
        404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}
    ),
    "Ollama": CannedResponse(
        404, {"error": {"message": 'model "x" not found, try pulling it first'}}
    ),
    "LiteLLM": CannedResponse(
        400, {"error": "/chat/completions: Invalid model name passed in model=x."}
    ),
    "by code": CannedResponse(403, {"error": {"message": "No access.", "code": "model_not_found"}}),
}


@pytest.mark.parametrize("answer", NO_SUCH_MODEL.values(), ids=NO_SUCH_MODEL.keys())
async def test_missing_model_names_the_setting_on_any_server(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answer: CannedResponse
) -> None:
    local_deepseek.switches.fail(answer)
    with pytest.raises(DeepSeekSettingsError, match="DEEPSEEK_MODEL"):
        await request_completion(deepseek)
    assert len(local_deepseek.requests) == 1


async def test_unknown_model_names_the_setting(
    make_deepseek: MakeDeepSeek,
) -> None:
    with pytest.raises(DeepSeekSettingsError, match=r"DEEPSEEK_MODEL.*Model Not Exist"):
        await request_completion(make_deepseek(model="deepseek-chat"))


async def test_chat_that_mentions_models_is_not_a_missing_model(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    """Some servers repeat the request next to their message."""
    local_deepseek.switches.fail(
        CannedResponse(
            422, {"detail": [{"input": "the model does not exist"}], "message": "bad request"}
        )
    )
    with pytest.raises(DeepSeekRequestError, match="422"):
        await request_completion(deepseek)
    local_deepseek.switches.fail(
        CannedResponse(400, {"detail": [{"input": "the model does not exist"}]})
    )
    with pytest.raises(DeepSeekRequestError, match="400"):
        await request_completion(deepseek)


async def test_long_error_text_is_shortened(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(CannedResponse(400, {"error": {"message": "x" * 5000}}))
    with pytest.raises(DeepSeekRequestError) as caught:
        await request_completion(deepseek)
    assert caught.value.message.endswith(" " + "x" * 299 + "…")
