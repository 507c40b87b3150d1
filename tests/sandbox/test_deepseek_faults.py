"""Fault switches of the local DeepSeek: refusals, unreadable and altered answers, delays."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse
from tests.support.grading_protocol import (
    CHECKS,
    GOOD,
    RUDE,
    build_system_message,
    build_user_message,
)
from tests.support.model_requests import COMPLETIONS, build_request, get_content

FAULTS = "<insult|outside_payment|false_availability>"


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

    answer = await model.post(COMPLETIONS, json=build_request())

    assert (answer.status_code, answer.json()) == (status, fault.body)
    assert (await model.post(COMPLETIONS, json=build_request())).json()["choices"]


async def test_too_many_requests_with_a_header(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.too_many(retry_after="3"))

    assert (await model.post(COMPLETIONS, json=build_request())).headers["retry-after"] == "3"


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

    answer = await model.post(COMPLETIONS, json=build_request())

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

    answer = await model.post(COMPLETIONS, json=build_request())

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
        await model.post(COMPLETIONS, json=build_request()),
        await model.post(COMPLETIONS, json=build_request()),
    )

    assert spoilt.json()["choices"][0]["finish_reason"] == "stop"
    assert matches(get_content(spoilt))
    assert list(_criteria(get_content(sound))) == list(CHECKS)


async def test_thinking_stands_before_the_answer(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.THINKING)

    text = get_content(await model.post(COMPLETIONS, json=build_request()))

    thinking, _, answer = text.rpartition("</think>\n")
    assert thinking.startswith("<think>")
    assert list(_criteria(answer)) == list(CHECKS)


async def test_a_rerolled_answer_differs_in_its_checks(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    for fault in faults.REROLL:
        deepseek.switches.fail(fault)

    first, second, sound = [
        _criteria(get_content(await model.post(COMPLETIONS, json=build_request())))
        for _ in range(3)
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

    assert (await model.post(COMPLETIONS, json=build_request())).status_code == 200
    assert (await model.post(COMPLETIONS, json=build_request(messages=rude))).status_code == 400


async def test_a_waiting_request_gets_blank_lines_before_its_answer(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.Hang(0.2))

    answer = await model.post(COMPLETIONS, json=build_request())

    assert answer.text.startswith("\n\n")
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


async def test_blank_lines_prevent_a_read_timeout(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.Hang(60))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.2):
            await model.post(COMPLETIONS, json=build_request(), timeout=0.8)


async def test_a_cut_connection_gives_no_answer(
    model: httpx.AsyncClient, deepseek: LocalDeepSeek
) -> None:
    deepseek.switches.fail(faults.CUT)

    with pytest.raises(httpx.TransportError):
        await model.post(COMPLETIONS, json=build_request())

    assert len(deepseek.requests) == 1
