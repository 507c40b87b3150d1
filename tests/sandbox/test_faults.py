"""Faults of a local server apply to the intended requests, and all requests are recorded."""

import asyncio

import httpx
import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_switches import (
    CUT,
    ERROR_UNDER_200,
    SERVER_ERROR,
    UNAVAILABLE,
    html,
    too_many,
)
from app.sandbox.faults import CannedResponse, Slow
from tests.support.stage import until

SELF = "/core/v1/accounts/self"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (SERVER_ERROR, 500),
        (UNAVAILABLE, 503),
        (ERROR_UNDER_200, 200),
        (too_many(), 429),
        (CannedResponse(418, {"teapot": True}), 418),
    ],
)
async def test_fault_happens_the_given_number_of_times(
    seller: httpx.AsyncClient, avito: LocalAvito, answer: CannedResponse, status: int
) -> None:
    avito.switches.fail(answer, times=2)

    answers = [await seller.get(SELF) for _ in range(3)]

    assert [got.status_code for got in answers] == [status, status, 200]
    assert answers[0].json() == answer.body
    assert "id" in answers[2].json()


@pytest.mark.parametrize("status", [200, 502])
async def test_a_gateway_answers_html_under_any_status(
    seller: httpx.AsyncClient, avito: LocalAvito, status: int
) -> None:
    avito.switches.fail(html(status))

    answer = await seller.get(SELF)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


async def test_too_many_requests_come_with_and_without_headers(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.switches.fail(too_many(retry_after="7", remaining=0))
    avito.switches.fail(too_many())

    with_headers, without_headers = await seller.get(SELF), await seller.get(SELF)

    assert (with_headers.headers["retry-after"], with_headers.headers["x-ratelimit-remaining"]) == (
        "7",
        "0",
    )
    assert "retry-after" not in without_headers.headers


async def test_a_fault_may_be_for_some_requests_only(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.switches.fail(SERVER_ERROR, path="/items", times=None)
    avito.switches.fail(UNAVAILABLE, when=lambda request: request.query.get("page") == ["2"])

    assert (await seller.get(SELF)).status_code == 200
    assert (await seller.get("/core/v1/items")).status_code == 500
    assert (await seller.get(SELF, params={"page": 2})).status_code == 503


async def test_permanent_fault_ends_when_it_is_removed(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    fault = avito.switches.fail(SERVER_ERROR, times=None)
    assert [(await seller.get(SELF)).status_code for _ in range(3)] == [500, 500, 500]

    avito.switches.faults.remove(fault)

    assert (await seller.get(SELF)).status_code == 200


async def test_a_cut_connection_gives_no_answer_and_the_next_request_gets_one(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.switches.fail(CUT)

    with pytest.raises(httpx.TransportError):
        await seller.get(SELF)

    assert (await seller.get(SELF)).status_code == 200


async def test_a_slow_answer_comes_after_the_client_gave_up(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.switches.fail(Slow(30))

    with pytest.raises(httpx.ReadTimeout):
        await seller.get(SELF, timeout=0.05)

    assert (await seller.get(SELF)).status_code == 200


async def test_requests_are_recorded_and_counted_while_pending(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    await seller.get(SELF)
    assert (avito.traffic.max_in_flight, avito.traffic.in_flight) == (1, 0)
    avito.requests.clear()
    avito.switches.latency_seconds = 60

    async def all_wait() -> bool:
        return avito.traffic.in_flight == 4

    waiting = [
        asyncio.create_task(seller.get(SELF, params={"n": number}, timeout=60))
        for number in range(4)
    ]
    await until(all_wait)
    for request in waiting:
        request.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert sorted(request.query["n"][0] for request in avito.requests) == ["0", "1", "2", "3"]
    assert {(request.method, request.path) for request in avito.requests} == {("GET", SELF)}
    assert avito.traffic.max_in_flight == 4


async def test_recording_can_be_switched_off(seller: httpx.AsyncClient, avito: LocalAvito) -> None:
    avito.requests.clear()
    avito.switches.record_requests = False

    await seller.get(SELF)

    assert avito.requests == []
