"""The Avito client's handling of refusals, outages and limits."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clients.avito import (
    AvitoChatGoneError,
    AvitoClient,
    AvitoCredentials,
    AvitoCredentialsError,
    AvitoPermissionError,
    AvitoRateLimitedError,
    AvitoRequestError,
    AvitoUnavailableError,
)
from app.clients.retry import RetryPolicy
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_payloads import TOKEN_EXPIRED
from app.sandbox.avito_switches import (
    CUT,
    ERROR_UNDER_200,
    FORBIDDEN,
    SERVER_ERROR,
    UNAVAILABLE,
    error_body,
    html,
    too_many,
)
from app.sandbox.faults import Behaviour, CannedResponse, ReceivedRequest, Slow

MakeAvito = Callable[..., AvitoClient]

OWN_ID = 4_900_000_001
SELF = "/core/v1/accounts/self"


def count_requests(avito: LocalAvito, path: str) -> int:
    return sum(request.path == path for request in avito.requests)


# The token


async def test_one_token_serves_many_calls_at_once(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    avito = make_avito(max_concurrency=16)
    await asyncio.gather(*(avito.get_self() for _ in range(16)))
    assert (count_requests(local_avito, "/token"), count_requests(local_avito, SELF)) == (1, 16)
    form = local_avito.requests[0].body
    assert (
        form
        == "grant_type=client_credentials&client_id=sandbox-client-1&client_secret=sandbox-secret-1"
    )


async def test_bad_keys_with_status_200_are_an_error(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    with pytest.raises(AvitoCredentialsError, match="AVITO_CLIENT_SECRET") as caught:
        await make_avito(secret="wrong-canary-secret").get_self()
    assert "Client authentication failed" in caught.value.message
    assert "wrong-canary-secret" not in caught.value.message
    assert count_requests(local_avito, "/token") == 1  # a retry would not help


@pytest.mark.parametrize(
    "answer", [SERVER_ERROR, UNAVAILABLE, html(200), html(403), CUT, too_many(), ERROR_UNDER_200]
)
async def test_failed_token_request_is_retried(
    avito: AvitoClient, local_avito: LocalAvito, answer: Any
) -> None:
    local_avito.switches.fail(answer, path="/token")
    assert (await avito.get_self()).id == OWN_ID


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_an_expired_token_is_renewed_and_the_request_repeated(
    avito: AvitoClient, local_avito: LocalAvito, status: Any
) -> None:
    local_avito.switches.expired_status = status
    await avito.get_self()
    local_avito.expire_tokens()
    assert (await avito.get_self()).id == OWN_ID
    assert (count_requests(local_avito, "/token"), count_requests(local_avito, SELF)) == (2, 3)


async def test_many_calls_renew_an_expired_token_once(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    avito = make_avito(max_concurrency=16)
    await avito.get_self()
    local_avito.expire_tokens()
    await asyncio.gather(*(avito.get_self() for _ in range(16)))
    assert count_requests(local_avito, "/token") == 2


async def test_a_token_is_renewed_before_its_day_is_over(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    now = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    times = iter(
        [now] * 2 + [now + timedelta(hours=23)] * 2 + [now + timedelta(hours=23, minutes=56)] * 10
    )
    avito = make_avito(clock=lambda: next(times))
    await avito.get_self()
    assert count_requests(local_avito, "/token") == 1
    for _ in range(3):
        await avito.get_self()
    assert count_requests(local_avito, "/token") == 2


async def test_a_token_refused_twice_is_a_fault_of_the_keys(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(
        CannedResponse(401, error_body(401, "Unauthorized")), path=SELF, times=None
    )
    with pytest.raises(AvitoCredentialsError, match="не отозваны ли ключи"):
        await avito.get_self()
    assert (count_requests(local_avito, "/token"), count_requests(local_avito, SELF)) == (2, 2)


async def test_persistent_403_is_a_missing_right_and_renews_the_token_once(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.accounts[0].employee = True
    chat = local_avito.add_chat()
    for _ in range(3):
        with pytest.raises(AvitoPermissionError, match="ключи самой компании, а не сотрудника"):
            await avito.list_messages(OWN_ID, chat.id)
    assert count_requests(local_avito, "/token") == 2
    assert sum("/messages" in request.path for request in local_avito.requests) == 2 + 1 + 1


async def test_403_that_mentions_the_token_always_renews_it(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(FORBIDDEN, path=SELF, times=2)
    with pytest.raises(AvitoPermissionError):
        await avito.get_self()
    local_avito.switches.expired_status = 403
    local_avito.expire_tokens()
    assert (await avito.get_self()).id == OWN_ID
    assert count_requests(local_avito, "/token") == 3


async def test_403_followed_by_success_with_a_new_token(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(FORBIDDEN, path=SELF)
    assert (await avito.get_self()).id == OWN_ID


async def test_an_expired_token_after_renewal_is_a_fault_of_the_keys(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(CannedResponse(200, TOKEN_EXPIRED), path=SELF, times=None)
    with pytest.raises(AvitoCredentialsError):
        await avito.get_self()


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


async def test_no_more_requests_are_in_flight_than_allowed(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    avito = make_avito(max_concurrency=3)
    local_avito.switches.latency_seconds = 0.1
    await asyncio.gather(*(avito.get_self() for _ in range(12)))
    assert local_avito.traffic.max_in_flight <= 3


async def test_fewer_requests_are_in_flight_after_a_429(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    avito = make_avito(max_concurrency=8)
    local_avito.switches.fail(too_many(), path=SELF)
    await avito.get_self()
    local_avito.switches.latency_seconds = 0.1
    await asyncio.gather(*(avito.get_self() for _ in range(8)))
    assert local_avito.traffic.max_in_flight <= 4


async def test_requests_a_minute_are_limited(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    avito = make_avito(requests_per_minute=2)
    calls = [asyncio.create_task(avito.get_self()) for _ in range(4)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    assert count_requests(local_avito, SELF) == 1  # the next one may start in a minute
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_cancelled_call_ends_at_once_and_frees_its_slot(
    make_avito: MakeAvito, local_avito: LocalAvito
) -> None:
    avito = make_avito(max_concurrency=1)
    started = asyncio.Event()

    def signal_start(request: ReceivedRequest) -> bool:
        started.set()
        return True

    local_avito.switches.fail(Slow(600), path=SELF, when=signal_start)
    call = asyncio.create_task(avito.get_self())
    await started.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
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
