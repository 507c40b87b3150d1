"""Failed attempts to pass the check of the key: counted, logged and throttled by address."""

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
"""Addresses kept at a time, about 2 MB; of more the one that has failed least recently is
forgotten.
"""
_MINUTE = timedelta(minutes=1)


class _Window(NamedTuple):
    start: datetime
    attempts: int


class FailedAttempts(Collector):
    """The failed attempts of the last minute by address, and the count of all. One object for each
    process.
    """

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._refused = {"401": 0, "429": 0}

    def add(self, host: str | None, now: datetime) -> int | None:
        """Record a failed attempt. Return the seconds after which the address may try again, or
        None if it may go on.

        A minute begins with an address's first failed attempt. An attempt above the limit is not
        logged, except for the first.
        """
        address = _network(host)
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
        """The count since the start, by the status of the answer."""
        refused = CounterMetricFamily(
            "avito_quality_failed_key_attempts",
            "requests without a valid API key",
            labels=["status"],
        )
        for status, count in self._refused.items():
            refused.add_metric([status], count)
        yield refused


def _network(host: str | None) -> str:
    """An IPv4 address, or the /64 of an IPv6 address: a single customer of a provider has that
    many.
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((int(address), 64), strict=False))
    return str(address)
