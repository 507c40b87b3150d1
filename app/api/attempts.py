"""Failed authentication attempts: counting, logging and throttling by address."""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import NamedTuple

import structlog
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)

ATTEMPTS_A_MINUTE = 30
MAX_ADDRESSES = 10_000
"""Maximum number of addresses kept, about 2 MB.

Above it, the address that has not failed for the longest time is dropped.
"""
_MINUTE = timedelta(minutes=1)


class _Window(NamedTuple):
    start: datetime
    attempts: int


class FailedAttempts(Collector):
    """Failed attempts of the last minute by address, and their total. One object per process."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._refused = {"401": 0, "429": 0}

    def add(self, host: str | None, now: datetime) -> int | None:
        """Record a failed attempt and return the seconds until the address may retry, or None.

        None means that the address is not throttled. A minute starts with the first failed attempt
        of an address. Of the attempts above the limit only the first is logged.
        """
        address = _normalize_address(host)
        window = self._windows.pop(address, _Window(now, 0))
        if not timedelta(0) <= now - window.start < _MINUTE:
            window = _Window(now, 0)
        window = self._windows[address] = window._replace(attempts=window.attempts + 1)
        if len(self._windows) > MAX_ADDRESSES:
            self._windows.popitem(last=False)
        throttled = window.attempts > ATTEMPTS_A_MINUTE
        self._refused["429" if throttled else "401"] += 1
        if not throttled:
            log.warning("key.refused", address=address, attempt=window.attempts)
            return None
        seconds = ceil((window.start + _MINUTE - now).total_seconds())
        if window.attempts == ATTEMPTS_A_MINUTE + 1:
            log.warning("key.throttled", address=address, seconds=seconds)
        return seconds

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the count since the start, by response status."""
        refused = CounterMetricFamily(
            "avito_quality_failed_key_attempts",
            "requests without a valid API key",
            labels=["status"],
        )
        for status, count in self._refused.items():
            refused.add_metric([status], count)
        yield refused


def _normalize_address(host: str | None) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address.

    A provider assigns a whole /64 to one customer. A proxy may report anything: what is not an
    address is counted together.
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((int(address), 64), strict=False))
    return str(address)
