"""Attempts to call Avito and the model's server, by result, for /metrics."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Literal

from prometheus_client import Counter

from app.errors import UpstreamError

System = Literal["avito", "deepseek"]

ATTEMPTS = Counter(
    "avito_quality_upstream_attempts",
    "Attempts to call Avito and the model's server, each retry included, by result.",
    ["system", "result"],
    registry=None,
)
"""Results: ``ok``, or the class of the error: ``unavailable``, ``rate_limited``, ``balance``, …"""
_ERRORS: dict[System, str] = {"avito": "Avito", "deepseek": "DeepSeek"}
"""How the names of a system's errors begin."""


@asynccontextmanager
async def count_attempt(system: System) -> AsyncIterator[None]:
    """Count one attempt by its result. A cancelled attempt has none."""
    try:
        yield
    except UpstreamError as error:
        ATTEMPTS.labels(system, _name_result(type(error), system)).inc()
        raise
    ATTEMPTS.labels(system, "ok").inc()


def declare_results() -> None:
    """Create all counters with 0: for Prometheus a counter that appears with 1 has not grown."""
    for system, prefix in _ERRORS.items():
        ATTEMPTS.labels(system, "ok")
        for kind in _list_kinds(UpstreamError):
            if kind.__name__.startswith(prefix) and kind.__name__ != f"{prefix}Error":
                ATTEMPTS.labels(system, _name_result(kind, system))


def _list_kinds(kind: type[UpstreamError]) -> Iterator[type[UpstreamError]]:
    for derived in kind.__subclasses__():
        yield derived
        yield from _list_kinds(derived)


def _name_result(kind: type[UpstreamError], system: System) -> str:
    """Return ``rate_limited`` of ``AvitoRateLimitedError``: bounded by the number of classes."""
    name = kind.__name__.removeprefix(_ERRORS[system]).removesuffix("Error")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
