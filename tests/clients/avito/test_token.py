"""The Avito client's access token: one for many calls, renewed before and after its end."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clients.avito import (
    AvitoClient,
    AvitoCredentialsError,
    AvitoPermissionError,
)
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
from app.sandbox.faults import CannedResponse
from tests.support.avito_requests import OWN_ID, SELF, count_requests

MakeAvito = Callable[..., AvitoClient]


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
