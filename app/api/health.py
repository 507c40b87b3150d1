"""Health and metrics: outside the API, without a key, without personal data."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.api.dependencies import FailedAttemptsDep, ServiceDep
from app.errors import DatabaseUnavailableError
from app.jobs.clock_watch import TOLERANCE
from app.jobs.due_runs import find_next_report_time
from app.models import RunState
from app.repositories import health
from app.service import Service
from app.services.sync.hints import DROPPED

router = APIRouter(tags=["health"])

_ANSWER_SECONDS = 2.0
"""Time limit of the database query: a probe needs a response within a few seconds."""
_SCRAPE_SECONDS = 6.0
_PREFIX = "avito_quality"
_PARTS = {"database": "база данных", "worker": "исполнитель запусков", "scheduler": "расписание"}


def _describe_response(
    status: int, example: dict[str, Any], description: str = ""
) -> dict[int | str, dict[str, Any]]:
    return {
        status: {
            "description": description,
            "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        }
    }


@router.get(
    "/health/live",
    summary="Жива ли служба",
    description="Процесс отвечает. Без ключа.",
    operation_id="health_live",
    responses=_describe_response(200, {"status": "ok"}),
)
async def live() -> dict[str, str]:
    """Return 200 while the process responds; dependencies are not checked."""
    return {"status": "ok"}


@router.get(
    "/health/ready",
    summary="Готова ли служба",
    description=(
        "База отвечает, исполнитель запусков (worker) и расписание (scheduler) работали не позже"
        " минуты назад; когда и чем кончились последние запуски, когда следующий отчёт и верны ли"
        " часы. Без ключа."
    ),
    operation_id="health_ready",
    responses={
        **_describe_response(
            200,
            {
                "status": "ok",
                "database": "ok",
                "worker": {"status": "ok", "age_seconds": 2},
                "scheduler": {"status": "ok", "age_seconds": 9},
                "clock": {"status": "ok", "jumps": 0, "database_offset_seconds": 0},
                "last_runs": {
                    "sync": {"state": "done", "age_seconds": 312},
                    "daily": {"state": "done", "age_seconds": 51_900},
                },
                "next_daily_run": "2026-11-23T20:00:00+03:00",
            },
        ),
        **_describe_response(
            503,
            {
                "status": "error",
                "message": (
                    "Не работает: расписание (scheduler). Через десять минут служба перезапустится,"
                    " причина в её журнале."
                ),
                "stale": ["scheduler"],
                "database": "ok",
                "worker": {"status": "ok", "age_seconds": 2},
                "scheduler": {"status": "stale", "age_seconds": 75},
                "clock": {"status": "ok", "jumps": 0, "database_offset_seconds": 0},
            },
            "База недоступна, исполнитель запусков или расписание не работают больше минуты: что"
            " именно, стоит в stale.",
        ),
    },
)
async def ready(service: ServiceDep) -> JSONResponse:
    """Check the database and the parts of this process.

    The response also contains the last runs, the next daily run and the state of the clock.
    """
    found: dict[str, Any] = {}
    database_now = None
    try:
        async with service.database.session(within=_ANSWER_SECONDS) as session:
            found["last_runs"] = _make_last_runs(
                await health.list_newest_ended_runs(session), service.clock()
            )
            database_now = await health.get_database_time(session)
    except DatabaseUnavailableError:
        pass
    else:
        found["next_daily_run"] = _find_next_daily_run(service)
    stale = [*([] if database_now else ["database"]), *service.heartbeats.list_stale()]
    parts = {
        name: {"status": "stale" if name in stale else "ok", "age_seconds": int(age)}
        for name, age in service.heartbeats.ages.items()
    }
    body = {
        "database": "ok" if database_now else "unreachable",
        **parts,
        "clock": _check_clock(service, database_now),
        **found,
    }
    if stale:
        return JSONResponse(
            {"status": "error", "message": _make_stale_message(stale), "stale": stale, **body}, 503
        )
    return JSONResponse({"status": "ok", **body})


def _make_last_runs(ended: list[health.EndedRun], now: datetime) -> dict[str, Any]:
    return {
        kind: {"state": state, "age_seconds": int((now - at).total_seconds())}
        for kind, state, at in ended
    }


def _find_next_daily_run(service: Service) -> str | None:
    if not service.settings.scheduler_enabled:
        return None
    return (
        find_next_report_time(service.timetable, service.clock())
        .astimezone(service.timetable.zone)
        .isoformat()
    )


def _make_stale_message(stale: list[str]) -> str:
    what = ", ".join(f"{_PARTS[name]} ({name})" for name in stale)
    return (
        f"Не работает: {what}. Если это не пройдёт за десять минут, служба перезапустится; причина"
        " в её журнале."
    )


def _check_clock(service: Service, database_now: datetime | None) -> dict[str, Any]:
    """Return whether the process's clock jumped within an hour or differs from the database's."""
    jump, offset = service.clock_watch.recent, _measure_offset(service, database_now)
    clock: dict[str, Any] = {
        "status": "ok",
        "jumps": service.clock_watch.jumps,
        "database_offset_seconds": offset,
    }
    if offset is not None and abs(offset) > TOLERANCE.total_seconds():
        clock["status"] = "off"
    if jump is not None:
        clock |= {
            "status": "jumped",
            "jump_seconds": jump.seconds,
            "at": jump.at.astimezone(service.timetable.zone).isoformat(),
        }
    return clock


def _measure_offset(service: Service, database_now: datetime | None) -> float | None:
    return (
        None if database_now is None else round((service.clock() - database_now).total_seconds(), 1)
    )


@router.get(
    "/metrics",
    summary="Метрики Prometheus",
    description=(
        "Сколько чего хранится и ждёт, когда чем кончились запуски, часы и сам процесс. Без ключа и"
        " личных данных."
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
    gauges = _Gauges(service)
    try:
        async with service.database.session(within=_SCRAPE_SECONDS) as session:
            settling = service.settings.settling.find_span(service.clock())
            gauges.counts = await health.count_rows(session, settling)
            gauges.ended = [
                (kind, at.timestamp(), state == RunState.DONE)
                for kind, state, at in await health.list_newest_ended_runs(session)
            ]
            gauges.clock_offset_seconds = _measure_offset(
                service, await health.get_database_time(session)
            )
        gauges.counts["database_up"] = 1
    except DatabaseUnavailableError:
        gauges.counts["database_up"] = 0
    registry = CollectorRegistry()
    for collector in (
        gauges,
        DROPPED,
        failed_attempts,
        ProcessCollector(registry=None),
        PlatformCollector(registry=None),
    ):
        registry.register(collector)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Gauges(Collector):
    """Metrics of one scrape: the database and the parts of this process."""

    def __init__(self, service: Service) -> None:
        self._ages = service.heartbeats.ages
        self._clock_jumps = service.clock_watch.jumps
        self.clock_offset_seconds: float | None = None
        self.counts: dict[str, int] = {}
        self.ended: list[tuple[str, float, bool]] = []

    def collect(self) -> Iterator[Metric]:
        for name, value in self.counts.items():
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", name.replace("_", " "), value=value)
        ended_at = GaugeMetricFamily(
            f"{_PREFIX}_run_ended_timestamp_seconds",
            "when a run of the kind last ended",
            labels=["kind"],
        )
        success = GaugeMetricFamily(
            f"{_PREFIX}_run_succeeded", "whether that run ended well", labels=["kind"]
        )
        for kind, at, succeeded in self.ended:
            ended_at.add_metric([kind], at)
            success.add_metric([kind], succeeded)
        yield from (ended_at, success)
        for part, action in _SUCCESSES.items():
            if part in self._ages:
                yield GaugeMetricFamily(
                    f"{_PREFIX}_{action}_age_seconds",
                    f"since the last success: {part}",
                    value=self._ages[part],
                )
        yield CounterMetricFamily(
            f"{_PREFIX}_clock_jumps",
            "jumps of the wall clock since the start",
            value=self._clock_jumps,
        )
        if self.clock_offset_seconds is not None:
            yield GaugeMetricFamily(
                f"{_PREFIX}_clock_offset_seconds",
                "the process's clock minus the database's",
                value=self.clock_offset_seconds,
            )


_SUCCESSES = {"worker": "worker_poll", "scheduler": "scheduler_tick"}
"""The parts of the process, and the action that each one repeats."""
