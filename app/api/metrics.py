"""``/metrics`` for Prometheus: outside the API, without a key, without personal data.

A scrape costs the same however long the history is, and no label has a value that a client chooses.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.dependencies import FailedAttemptsDep, ServiceDep
from app.api.health import measure_offset
from app.api.request_metrics import REQUESTS
from app.clients.attempts import ATTEMPTS, declare_results
from app.clients.deepseek import COST, TOKENS
from app.errors import DatabaseUnavailableError
from app.models import RunState
from app.repositories import health
from app.service import Service
from app.services.sync.hints import DROPPED

router = APIRouter(tags=["health"])

_SCRAPE_SECONDS = 6.0
_PREFIX = "avito_quality"
_COUNTERS: tuple[Collector, ...] = (DROPPED, REQUESTS, ATTEMPTS, TOKENS, COST)
_OF_PROCESS: tuple[Collector, ...] = (
    *_COUNTERS,
    ProcessCollector(registry=None),
    PlatformCollector(registry=None),
)
"""Metrics that this process has counted since its start."""
_COUNTERS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that prometheus_client reads: the folder of the counters of several processes."""

# They double the size of the response.
disable_created_metrics()  # type: ignore[no-untyped-call]
declare_results()


@router.get(
    "/metrics",
    summary="Метрики Prometheus",
    description=(
        "Сколько чего хранится и ждёт, когда были последние синхронизация и письмо, чем кончились"
        " запуски, запросы к REST и их длительность, обращения к Авито и модели, токены и их цена,"
        " часы и сам процесс. Без ключа и личных данных."
    ),
    operation_id="metrics",
    response_class=PlainTextResponse,
    responses={
        200: {
            "content": {
                "text/plain": {
                    "example": "# TYPE avito_quality_chats gauge\navito_quality_chats 97.0\n"
                }
            }
        }
    },
)
async def metrics(service: ServiceDep, failed_attempts: FailedAttemptsDep) -> Response:
    """Return current counts from the database and the metrics of this process."""
    gauges = _Gauges(
        ages={
            action: service.heartbeats.ages[part]
            for part, action in _SUCCESSES.items()
            if part in service.heartbeats.ages
        },
        clock_jumps=service.clock_watch.jumps,
    )
    try:
        async with service.database.session(within=_SCRAPE_SECONDS) as session:
            await _read_database(service, session, gauges)
        gauges.counts["database_up"] = 1
    except DatabaseUnavailableError:
        gauges.counts["database_up"] = 0
    registry = CollectorRegistry()
    is_shared = _COUNTERS_VARIABLE in os.environ
    for collector in (gauges, failed_attempts, *(() if is_shared else _OF_PROCESS)):
        registry.register(collector)
    if is_shared:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


_SUCCESSES = {"worker": "worker_poll", "scheduler": "scheduler_tick"}
"""The parts of the process, and the action that each one repeats."""


async def _read_database(service: Service, session: AsyncSession, gauges: "_Gauges") -> None:
    now = service.clock()
    gauges.counts = await health.count_rows(session, service.settings.settling.find_span(now))
    gauges.ended = await health.list_newest_ended_runs(session)
    for action, moment in (await health.get_last_successes(session)).items():
        gauges.ages[action] = (now - moment).total_seconds()
    gauges.clock_offset_seconds = measure_offset(service, await health.get_database_time(session))


@dataclass(eq=False)
class _Gauges(Collector):
    """Metrics of one scrape: the database and the parts of this process.

    ``ages``: seconds since the last success of an action.
    """

    ages: dict[str, float]
    clock_jumps: int
    clock_offset_seconds: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    ended: list[health.EndedRun] = field(default_factory=list)

    def collect(self) -> Iterator[Metric]:
        for name, value in self.counts.items():
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", name.replace("_", " "), value=value)
        yield from self._collect_ended()
        for action, age in self.ages.items():
            yield GaugeMetricFamily(
                f"{_PREFIX}_{action}_age_seconds",
                f"since the last success: {action.replace('_', ' ')}",
                value=age,
            )
        yield CounterMetricFamily(
            f"{_PREFIX}_clock_jumps",
            "jumps of the wall clock since the start",
            value=self.clock_jumps,
        )
        if self.clock_offset_seconds is not None:
            yield GaugeMetricFamily(
                f"{_PREFIX}_clock_offset_seconds",
                "the process's clock minus the database's",
                value=self.clock_offset_seconds,
            )

    def _collect_ended(self) -> Iterator[Metric]:
        ended_at = GaugeMetricFamily(
            f"{_PREFIX}_run_ended_timestamp_seconds",
            "when a run of the kind last ended",
            labels=["kind"],
        )
        success = GaugeMetricFamily(
            f"{_PREFIX}_run_succeeded", "whether that run ended well", labels=["kind"]
        )
        for kind, state, at in self.ended:
            ended_at.add_metric([kind], at.timestamp())
            success.add_metric([kind], state == RunState.DONE)
        yield from (ended_at, success)
