"""Delays between attempts, and limits of concurrent requests and of requests a minute."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from app.clients.limiter import AdaptiveLimiter, limit_per_minute
from app.clients.retry import RateLimitedError, RetryPolicy, parse_retry_after
from app.errors import PermanentError, TransientError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:40 GMT"}, 40),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"X-RateLimit-Reset": "12"}, 12),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 25)}, 25),
        ({"X-RateLimit-Reset": "never"}, None),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "12"}, 12),
        ({"Retry-After": "5", "X-RateLimit-Reset": "12"}, 5),
    ],
)
def test_requested_delay_is_parsed_from_either_header(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert parse_retry_after(headers, NOW) == seconds


async def count_attempts(policy: RetryPolicy, *errors: Exception) -> int:
    """Return the number of calls if these errors occur in turn before a success."""
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1
        if calls <= len(errors):
            raise errors[calls - 1]

    await policy.run(call)
    return calls


async def test_only_transient_errors_are_retried() -> None:
    policy = RetryPolicy(attempts=3, first_wait_seconds=0.001, longest_wait_seconds=0.01)
    assert await count_attempts(policy) == 1
    assert await count_attempts(policy, TransientError("a"), RateLimitedError("b", 5)) == 3
    with pytest.raises(TransientError, match="c"):
        await count_attempts(policy, TransientError("a"), TransientError("b"), TransientError("c"))
    for error in (PermanentError("for good"), KeyError("bug")):
        with pytest.raises(type(error)):
            await count_attempts(policy, error)


async def refuse_request(limiter: AdaptiveLimiter) -> None:
    with pytest.raises(RateLimitedError):
        async with limiter.slot():
            raise RateLimitedError("429")


async def serve_requests(limiter: AdaptiveLimiter, times: int) -> None:
    for _ in range(times):
        async with limiter.slot():
            pass


async def count_admitted(limiter: AdaptiveLimiter, wanted: int) -> int:
    """Return how many of the wanted requests the limiter admits at the same time."""
    inside = 0

    async def request() -> None:
        nonlocal inside
        async with limiter.slot():
            inside += 1
            await asyncio.Event().wait()

    requests = [asyncio.create_task(request()) for _ in range(wanted)]
    for _ in range(5):
        await asyncio.sleep(0)
    for waiting in requests:
        waiting.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    return inside


async def test_refusal_halves_and_successes_raise_by_one() -> None:
    limiter = AdaptiveLimiter(8)
    assert await count_admitted(limiter, 20) == 8
    await refuse_request(limiter)
    assert await count_admitted(limiter, 20) == 4
    await serve_requests(limiter, 10)
    assert await count_admitted(limiter, 20) == 5
    await serve_requests(limiter, 30)
    assert await count_admitted(limiter, 20) == 8
    await serve_requests(limiter, 50)
    assert await count_admitted(limiter, 20) == 8  # never above the initial limit


async def test_one_request_is_always_admitted() -> None:
    limiter = AdaptiveLimiter(3)
    for _ in range(5):
        await refuse_request(limiter)
    assert (limiter.allowed, await count_admitted(limiter, 3)) == (1, 1)


async def test_a_burst_of_refusals_counts_once() -> None:
    limiter = AdaptiveLimiter(8)
    async with AsyncExitStack() as together:
        for _ in range(8):
            await together.enter_async_context(limiter.slot())
        with pytest.raises(RateLimitedError):
            await refuse_all(together)
    assert limiter.allowed == 4
    assert await count_admitted(limiter, 20) == 4


async def refuse_all(together: AsyncExitStack) -> None:
    async with together:
        raise RateLimitedError("429")


async def test_requests_in_flight_count_after_a_cut() -> None:
    limiter = AdaptiveLimiter(4)
    async with AsyncExitStack() as others:
        for _ in range(3):
            await others.enter_async_context(limiter.slot())
        await refuse_request(limiter)  # three in flight, two allowed
        assert await count_admitted(limiter, 5) == 0
    assert await count_admitted(limiter, 5) == 2


class SlowError(Exception):
    """A timeout, in the tests of the limiter."""


async def time_out_together(limiter: AdaptiveLimiter, requests: int) -> None:
    """Let requests be in flight together and then time out one after the other."""
    everybody = asyncio.Barrier(requests)

    async def time_out() -> None:
        with pytest.raises(SlowError):
            async with limiter.slot():
                await everybody.wait()
                raise SlowError

    await asyncio.gather(*(time_out() for _ in range(requests)))


async def test_timeouts_leave_half_of_the_requests_in_flight() -> None:
    limiter = AdaptiveLimiter(100, slow=(SlowError,))
    await time_out_together(limiter, 24)
    assert (limiter.allowed, await count_admitted(limiter, 50)) == (12, 12)
    await time_out_together(limiter, 3)
    assert limiter.allowed == 1
    await serve_requests(limiter, 10)
    assert limiter.allowed == 2


async def test_two_timeouts_of_lone_requests_are_an_outage() -> None:
    """An outage must not be noticed one request after the other."""
    limiter = AdaptiveLimiter(8, slow=(SlowError,))
    await time_out_together(limiter, 2)
    await time_out_together(limiter, 1)
    assert limiter.allowed == 1
    await time_out_together(limiter, 1)
    assert (limiter.allowed, await count_admitted(limiter, 20)) == (8, 8)
    await time_out_together(limiter, 8)
    assert limiter.allowed == 8
    await serve_requests(limiter, 1)
    await time_out_together(limiter, 8)
    assert (limiter.allowed, await count_admitted(limiter, 20)) == (4, 4)


async def test_timeout_after_the_others_have_ended_is_not_of_a_lone_request() -> None:
    limiter = AdaptiveLimiter(8, slow=(SlowError,))
    with pytest.raises(SlowError):
        async with limiter.slot():
            await serve_requests(limiter, 1)
            raise SlowError
    assert limiter.allowed == 1


async def test_other_failures_leave_the_limit_alone() -> None:
    limiter = AdaptiveLimiter(4)
    with pytest.raises(TransientError):
        async with limiter.slot():
            raise TransientError("500")
    assert await count_admitted(limiter, 9) == 4


@pytest.mark.parametrize(("requests", "at_once"), [(300, 30), (60, 6), (25, 2), (9, 1), (1, 1)])
async def test_tenth_of_the_requests_a_minute_is_admitted_at_once(
    requests: int, at_once: int
) -> None:
    gate = limit_per_minute(requests)
    passed = 0

    async def request() -> None:
        nonlocal passed
        async with gate:
            passed += 1

    calls = [asyncio.create_task(request()) for _ in range(at_once + 5)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert passed == at_once
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert passed == at_once


async def test_zero_limit_admits_everything() -> None:
    gate = limit_per_minute(0)
    for _ in range(1000):
        async with gate:
            pass


async def test_resized_limit_lets_requests_in_flight_end() -> None:
    limiter, may_end = AdaptiveLimiter(4), asyncio.Event()

    async def request() -> None:
        async with limiter.slot():
            await may_end.wait()

    calls = [asyncio.create_task(request()) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert limiter.in_flight == 4
    await limiter.resize(1)
    assert (limiter.in_flight, limiter.allowed) == (4, 1)
    calls[0].cancel()
    await asyncio.sleep(0)
    assert limiter.in_flight == 3, "no request begins above the new limit"
    await limiter.resize(6)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert limiter.in_flight == 6
    may_end.set()
    await asyncio.gather(*calls, return_exceptions=True)
    assert limiter.in_flight == 0


async def test_resize_keeps_a_lower_adapted_limit() -> None:
    limiter = AdaptiveLimiter(8)
    with pytest.raises(RateLimitedError):
        async with limiter.slot():
            raise RateLimitedError("429")
    assert limiter.allowed == 4
    await limiter.resize(6)
    assert limiter.allowed == 4
    await limiter.resize(2)
    assert limiter.allowed == 2
    await limiter.resize(3)
    assert limiter.allowed == 3
