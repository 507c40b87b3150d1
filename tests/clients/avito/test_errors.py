"""The Avito client's handling of refusals and outages."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.clients.avito import (
    AvitoChatGoneError,
    AvitoClient,
    AvitoCredentials,
    AvitoRateLimitedError,
    AvitoRequestError,
    AvitoUnavailableError,
)
from app.clients.retry import RetryPolicy
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_switches import (
    CUT,
    ERROR_UNDER_200,
    SERVER_ERROR,
    UNAVAILABLE,
    html,
    too_many,
)
from app.sandbox.faults import Behaviour, CannedResponse, Slow
from tests.support.avito_requests import OWN_ID, SELF, count_requests

MakeAvito = Callable[..., AvitoClient]


# Outages


PASSING: list[Behaviour] = [
    SERVER_ERROR,
    UNAVAILABLE,
    html(200),
    html(403),
    html(404),
    html(502),
    ERROR_UNDER_200,
    CUT,
    too_many(),
    CannedResponse(200, ""),
]
REPORTED: list[Behaviour] = [
    CannedResponse(200, {"result": {"status": False, "message": "internal"}}),
    CannedResponse(302, "", {"Location": "/elsewhere"}),
]


@pytest.mark.parametrize("answer", PASSING + REPORTED)
async def test_temporary_failures_are_retried(
    avito: AvitoClient, local_avito: LocalAvito, answer: Any
) -> None:
    local_avito.switches.fail(answer, path=SELF, times=2)
    assert (await avito.get_self()).id == OWN_ID
    assert count_requests(local_avito, SELF) == 3


@pytest.mark.parametrize("answer", [SERVER_ERROR, html(404), ERROR_UNDER_200, CUT])
async def test_persistent_failure_is_an_outage_after_the_last_attempt(
    avito: AvitoClient, local_avito: LocalAvito, answer: Any
) -> None:
    local_avito.switches.fail(answer, path=SELF, times=None)
    with pytest.raises(AvitoUnavailableError):
        await avito.get_self()
    assert count_requests(local_avito, SELF) == 3


async def test_slow_response_times_out_and_is_retried(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(Slow(600), path=SELF)
    assert (await make_avito(timeout_seconds=1).get_self()).id == OWN_ID
    local_avito.switches.fail(Slow(600), times=None)
    with pytest.raises(AvitoUnavailableError, match="ReadTimeout"):
        await make_avito(timeout_seconds=0.1).get_self()


async def test_refused_connection_is_an_outage_that_names_the_setting(
    make_avito: MakeAvito,
) -> None:
    with pytest.raises(AvitoUnavailableError, match="AVITO_BASE_URL"):
        await make_avito(base_url="http://127.0.0.1:1").get_self()


# Limits


async def test_persistent_429_names_the_settings(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(too_many("17"), path=SELF, times=None)
    with pytest.raises(AvitoRateLimitedError, match="AVITO_REQUESTS_PER_MINUTE") as caught:
        await avito.get_self()
    assert caught.value.retry_after_seconds == 17


async def test_requested_delay_replaces_the_back_off(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    avito = make_avito(
        retry=RetryPolicy(attempts=2, first_wait_seconds=600, longest_wait_seconds=600)
    )
    local_avito.switches.fail(too_many("0"), path=SELF)
    async with asyncio.timeout(60):
        assert (await avito.get_self()).id == OWN_ID


async def test_requested_delay_is_capped(make_avito: MakeAvito, local_avito: LocalAvito) -> None:
    avito = make_avito(
        retry=RetryPolicy(attempts=2, first_wait_seconds=0.001, longest_wait_seconds=0.01)
    )
    local_avito.switches.fail(too_many("86400"), path=SELF)
    async with asyncio.timeout(60):
        assert (await avito.get_self()).id == OWN_ID


# Refusals


async def test_unknown_chat_is_gone(avito: AvitoClient) -> None:
    with pytest.raises(AvitoChatGoneError, match="u2i-none"):
        await avito.get_chat(OWN_ID, "u2i-none")
    with pytest.raises(AvitoChatGoneError, match="u2i-none"):
        await avito.list_messages(OWN_ID, "u2i-none")


async def test_offset_above_the_limit_is_a_wrong_request(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    with pytest.raises(AvitoRequestError, match="Validation error") as caught:
        await avito.list_chats(OWN_ID, offset=1001)
    assert caught.value.status == 400
    assert len(local_avito.requests) == 2  # the token and one attempt


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"error": {"code": 400, "message": "first"}, "errors": ["second"], "message": "third"},
            "first",
        ),
        ({"errors": [{"message": "a"}, "b", 5, {}], "message": "third"}, "a; b"),
        ({"message": "third", "result": {"message": "fourth"}}, "third"),
        ({"result": {"message": "fourth"}, "error_description": "fifth"}, "fourth"),
        ({"error": "code", "error_description": "fifth"}, "fifth"),
        ({"error": "code"}, "code"),
        ({"unknown": "shape"}, '{"unknown":"shape"}'),
        ({"message": "слово " * 100}, ("слово " * 100)[:199] + "…"),
    ],
)
async def test_avitos_error_text_is_shortened(
    avito: AvitoClient, local_avito: LocalAvito, body: Any, expected: str
) -> None:
    local_avito.switches.fail(CannedResponse(422, body), path=SELF)
    with pytest.raises(AvitoRequestError) as caught:
        await avito.get_self()
    assert caught.value.message == f"Авито не принял запрос (422): {expected}"


async def test_error_message_omits_secrets_in_avitos_response(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    await avito.get_self()
    token = local_avito.requests[-1].headers["authorization"].removeprefix("Bearer ")
    local_avito.switches.fail(
        CannedResponse(400, {"message": f"bad request with {token}"}), path=SELF
    )
    with pytest.raises(AvitoRequestError) as caught:
        await avito.get_self()
    assert caught.value.message.endswith("bad request with ***")
    assert "canary" not in repr(AvitoCredentials("id", "canary"))
