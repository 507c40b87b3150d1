"""Timeouts and concurrency of the DeepSeek client."""

import asyncio
import json
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from app.clients.deepseek import (
    DeepSeekClient,
    DeepSeekRateLimitedError,
    DeepSeekRequestError,
    DeepSeekTimeoutError,
    DeepSeekUnavailableError,
)
from app.clients.retry import RetryPolicy
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse, Slow
from tests.support.deepseek_prompts import USER, MakeDeepSeek, request_completion

_BACKLOG = 3
"""More connections than a server without a backlog keeps."""


@pytest.mark.parametrize("fault", [Slow(600), faults.Hang(600)], ids=["silence", "blank lines"])
async def test_answer_after_the_timeout_is_abandoned(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek, fault: Any
) -> None:
    local_deepseek.switches.fail(fault)
    assert (await request_completion(make_deepseek(timeout_seconds=1.5))).attempts == 2
    local_deepseek.switches.fail(fault, times=None)
    async with asyncio.timeout(60):
        with pytest.raises(DeepSeekTimeoutError, match="DEEPSEEK_TIMEOUT_SECONDS"):
            await request_completion(make_deepseek(timeout_seconds=0.1))
    # On a busy machine an attempt may time out before it arrives.
    assert 2 < len(local_deepseek.requests) <= 2 + 3


async def test_blank_lines_before_the_answer_are_ignored(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.Hang(0.2))
    answer = await request_completion(deepseek)
    assert (answer.text, answer.attempts) == ("{}", 1)


async def test_waiting_for_a_slot_does_not_count(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    client = make_deepseek(max_concurrency=1, timeout_seconds=2, retry=RetryPolicy(1))
    local_deepseek.switches.latency_seconds = 0.5
    answers = await asyncio.gather(*(request_completion(client) for _ in range(5)))
    assert [answer.attempts for answer in answers] == [1] * 5


async def test_refused_connection_is_an_outage_that_names_the_setting(
    make_deepseek: MakeDeepSeek,
) -> None:
    with pytest.raises(DeepSeekUnavailableError, match="DEEPSEEK_BASE_URL"):
        await request_completion(make_deepseek(base_url="http://127.0.0.1:1"))


async def test_connection_that_is_not_accepted_is_no_slow_answer(
    make_deepseek: MakeDeepSeek,
) -> None:
    """As of a firewall that drops packets: no longer timeout and no fewer requests would help."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as stack:
        for _ in range(_BACKLOG):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(DeepSeekUnavailableError, match="DEEPSEEK_BASE_URL") as raised:
            await request_completion(
                make_deepseek(base_url=url, timeout_seconds=1, retry=RetryPolicy(1))
            )
    assert "не отвечает (ConnectTimeout)" in raised.value.message


# Limits


async def test_persistent_429_names_the_setting(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    local_deepseek.switches.fail(faults.too_many("900"), times=None)
    with pytest.raises(DeepSeekRateLimitedError, match="DEEPSEEK_MAX_CONCURRENCY") as caught:
        await request_completion(deepseek)
    assert caught.value.retry_after_seconds == 900  # the openai package itself would not retry


async def test_requested_delay_replaces_the_back_off(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    client = make_deepseek(
        retry=RetryPolicy(attempts=2, first_wait_seconds=600, longest_wait_seconds=600)
    )
    local_deepseek.switches.fail(faults.too_many("0"))
    async with asyncio.timeout(60):
        assert (await request_completion(client)).attempts == 2


async def test_requests_in_flight_are_limited_and_halved_by_a_429(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    client = make_deepseek(max_concurrency=8)
    local_deepseek.switches.latency_seconds = 0.2
    await asyncio.gather(*(request_completion(client) for _ in range(12)))
    assert local_deepseek.traffic.max_in_flight <= 8
    local_deepseek.switches.fail(faults.too_many())
    await request_completion(client)
    local_deepseek.traffic.max_in_flight = 0
    await asyncio.gather(*(request_completion(client) for _ in range(8)))
    assert local_deepseek.traffic.max_in_flight <= 4


async def test_server_with_one_slot_answers_all_requests(
    make_deepseek: MakeDeepSeek, local_deepseek: LocalDeepSeek
) -> None:
    """24 requests at once; in the time of one attempt the server answers a few of them."""
    local_deepseek.slot_seconds = 0.15
    client = make_deepseek(
        max_concurrency=32, timeout_seconds=0.8, retry=RetryPolicy(5, 0.001, 0.01)
    )
    answers = await asyncio.gather(
        *(request_completion(client) for _ in range(24)), return_exceptions=True
    )
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []


async def test_error_message_omits_key_and_chat(
    deepseek: DeepSeekClient, local_deepseek: LocalDeepSeek
) -> None:
    repeated = {
        "error": {"message": "bad key sk-canary-key"},
        "input": json.dumps({"messages": [USER]}),
    }
    local_deepseek.switches.fail(CannedResponse(422, repeated))
    with pytest.raises(DeepSeekRequestError) as caught:
        await request_completion(deepseek)
    assert caught.value.message.endswith("bad key ***")


async def test_client_closes_with_its_context(make_deepseek: MakeDeepSeek) -> None:
    async with make_deepseek() as client:
        assert (await request_completion(client)).text == "{}"
        assert client.model == "deepseek-flash"
    with pytest.raises(RuntimeError):
        await request_completion(client)
