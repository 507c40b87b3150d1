"""Answers of other servers with DeepSeek's API: finish reasons, missing parts, filters.

The shapes are those of TGI (#2344), Together, vLLM, Ollama (#13371), Mistral, OpenRouter, GigaChat,
Yandex and OpenAI.
"""

from typing import Any

import pytest

from app.clients.deepseek import DeepSeekBlockedError, DeepSeekClient, DeepSeekTruncatedError
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import LocalDeepSeek
from tests.support.deepseek_prompts import request_completion

GRADING = '{"objection": {"present": false}, "summary": "Скобка } в строке"}'


ABSENT = "absent"


def content(value: Any, reason: str | None = "stop", **message: Any) -> faults.Rewrite:
    """Return a fault that sets the content and the finish reason."""

    def change(completion: dict[str, Any]) -> None:
        completion["choices"][0].update(
            message={"role": "assistant", "content": value, **message}, finish_reason=reason
        )
        if reason == ABSENT:
            del completion["choices"][0]["finish_reason"]

    return faults.Rewrite(change)


@pytest.mark.parametrize("reason", ["eos_token", "eos", "stop_sequence", "STOP", "", None])
async def test_finished_answer_is_accepted_whatever_its_reason_is_called(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, reason: str | None
) -> None:
    local_deepseek.switches.fail(content(GRADING, reason))
    answer = await request_completion(deepseek)
    assert (answer.text, answer.finish_reason, answer.attempts) == (GRADING, "stop", 1)


COMPLETE = {
    "nothing else": GRADING,
    "thoughts": f"<think>Проверю {{скобку</think>\n{GRADING}",
    "a fence": f"```json\n{GRADING}\n```",
    "prose": "Вот моя оценка",
    "blank": "",
}
INCOMPLETE = {
    "object": GRADING[:-1],
    "string": GRADING[:30],
    "fence": f"```json\n{GRADING[:40]}",
    "thoughts": f"<think>Возможно, {GRADING}",
    "deep": "{" + '"a": [' * 100_000,
}


@pytest.mark.parametrize("text", COMPLETE.values(), ids=COMPLETE.keys())
async def test_complete_answer_without_a_reason_is_accepted(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, text: str
) -> None:
    for reason in (None, ABSENT):
        local_deepseek.switches.fail(content(text, reason))
    for _ in range(2):
        answer = await request_completion(deepseek)
        assert (answer.text, answer.finish_reason, answer.attempts) == (text, "stop", 1)


@pytest.mark.parametrize("text", INCOMPLETE.values(), ids=INCOMPLETE.keys())
async def test_fragment_without_a_reason_has_run_out_of_tokens(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, text: str
) -> None:
    local_deepseek.switches.fail(content(text, None), times=2)
    with pytest.raises(DeepSeekTruncatedError):
        await request_completion(deepseek, max_tokens=400)
    assert [request.body["max_tokens"] for request in local_deepseek.requests] == [400, 800]
    local_deepseek.switches.fail(content(text, None))
    await deepseek.probe(system="JSON", user="?")


async def test_text_may_come_in_parts(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Так"}]},
        {"type": "text", "text": GRADING[:20]},
        {"type": "text", "text": GRADING[20:]},
        {"type": "text", "text": None},
        "x",
    ]
    local_deepseek.switches.fail(content(parts))
    assert (await request_completion(deepseek)).text == GRADING


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_answer_may_stand_where_the_reasoning_should(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, name: str
) -> None:
    """vLLM #19222 and #50948: a model that does not reason, behind a parser of reasoning."""
    local_deepseek.switches.fail(content(None, **{name: f"\n{GRADING}\n"}))
    assert (await request_completion(deepseek)).text == GRADING
    others: list[Any] = [f"Итак, {GRADING}", GRADING[:-1], f"{GRADING} {{}}, нет", 5]
    for reasoning in others:
        local_deepseek.switches.fail(content("", **{name: reasoning}))
        assert (await request_completion(deepseek)).text == ""


async def test_ollama_may_answer_nothing(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(content(None, refusal=None))
    assert (await request_completion(deepseek)).text == ""


@pytest.mark.parametrize(
    "answer",
    [
        content("Не люблю менять тему разговора", "blacklist"),
        content("", "content_filter"),
        content(None, "stop", refusal="I can't help with that."),
    ],
    ids=["GigaChat", "Yandex", "OpenAI"],
)
async def test_filtered_answer_is_blocked(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek, answer: faults.Rewrite
) -> None:
    local_deepseek.switches.fail(answer)
    with pytest.raises(DeepSeekBlockedError, match="Фильтр"):
        await request_completion(deepseek)


async def test_choice_with_an_error_is_retried(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    """OpenRouter has sent the 200 when its upstream fails."""
    local_deepseek.switches.fail(
        faults.Rewrite(
            lambda completion: completion["choices"][0].update(
                error={"code": 502, "message": "Upstream error"}, finish_reason=None
            )
        )
    )
    assert (await request_completion(deepseek)).attempts == 2
