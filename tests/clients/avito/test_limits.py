"""The Avito client's limits: requests in flight and requests a minute."""

import asyncio
from collections.abc import Callable

import pytest

from app.clients.avito import (
    AvitoClient,
)
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_switches import (
    too_many,
)
from app.sandbox.faults import ReceivedRequest, Slow
from tests.support.avito_requests import OWN_ID, SELF, count_requests

MakeAvito = Callable[..., AvitoClient]


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
