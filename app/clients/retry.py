"""Retries: number of attempts, back-off, and the delay requested by the external system."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina
import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from app.errors import TransientError

T = TypeVar("T")

log: structlog.stdlib.BoundLogger = structlog.get_logger()

_EARLIEST_EPOCH = 1_000_000_000  # a larger value is a Unix time, not a delay


class RateLimitedError(TransientError):
    """The external system refuses a request because of a rate limit.

    ``retry_after_seconds`` is the delay that it requested, if any.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Number of attempts of one call and the delays between them.

    Delays double, with jitter of up to ``first_wait_seconds``. A delay requested by the external
    system replaces them, limited to ``longest_wait_seconds``.
    """

    attempts: int = 5
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until it succeeds.

        The error of the last attempt is raised. An error that is not transient is raised at once.
        """
        try:
            return await call()
        except TransientError as error:
            return await self._repeat(call, error)

    async def _repeat(self, call: Callable[[], Awaitable[T]], first: TransientError) -> T:
        """Continue after the first attempt, for which stamina's objects would cost too much."""
        failed = [first]

        async def attempt() -> T:
            if failed:
                raise failed.pop()
            return await call()

        caller = stamina.AsyncRetryingCaller(
            attempts=self.attempts,
            timeout=None,
            wait_initial=self.first_wait_seconds,
            wait_max=self.longest_wait_seconds,
            wait_jitter=self.first_wait_seconds,
        )
        return await caller(self._get_delay, attempt)

    def _get_delay(self, error: Exception) -> bool | float:
        if isinstance(error, RateLimitedError) and error.retry_after_seconds is not None:
            return min(error.retry_after_seconds, self.longest_wait_seconds)
        return isinstance(error, TransientError)


def parse_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the delay in seconds requested by a 429 response.

    It is taken from ``Retry-After`` (seconds or a date, RFC 9110), else from ``X-RateLimit-Reset``.
    The latter has no standard: vendors send seconds or a Unix time, distinguished by size.
    """
    header = headers.get("Retry-After", "")
    seconds = _parse_number(header)
    if seconds is None and header:
        seconds = _parse_date_delay(header, now)
    if seconds is None:
        seconds = _parse_number(headers.get("X-RateLimit-Reset", ""))
        if seconds is not None and seconds >= _EARLIEST_EPOCH:
            seconds -= now.timestamp()
    return None if seconds is None else max(seconds, 0.0)


def _parse_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _parse_date_delay(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()


def _log_retry(details: RetryDetails) -> None:
    """Log a retry without the error's message.

    stamina's own hook would log the message, which may contain any text of the external system.
    """
    error = type(details.caused_by).__name__
    log.warning(
        "retry.scheduled",
        error=error,
        attempt=details.retry_num,
        wait_seconds=round(details.wait_for, 3),
    )


set_on_retry_hooks([_log_retry])
