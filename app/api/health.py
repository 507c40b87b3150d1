"""Health and metrics: outside the API, without a key, without anything personal."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from app.api.dependencies import BackendDep
from app.errors import DatabaseUnavailableError
from app.jobs.tick import next_report_at
from app.repositories import health

router = APIRouter(tags=["Состояние"])

_ANSWER_SECONDS = 2.0
"""A probe needs an answer in a few seconds, whatever state the database is in."""
_SCRAPE_SECONDS = 6.0
_PREFIX = "avito_quality"


def _told(status: int, example: dict[str, Any], description: str = "") -> dict[int | str, dict[str, Any]]:
    return {status: {"description": description, "content": {"application/json": {"schema": {"type": "object"}, "example": example}}}}


@router.get(
    "/health/live",
    summary="Жива ли служба",
    description="Процесс отвечает. Без ключа.",
    operation_id="health_live",
    responses=_told(200, {"status": "ok"}),
)
async def live() -> dict[str, str]:
    """The process answers; it says nothing about what it depends on."""
    return {"status": "ok"}


@router.get(
    "/health/ready",
    summary="Готова ли служба",
    description="База отвечает; когда и чем кончились последние запуски и когда следующий отчёт. Без ключа.",
    operation_id="health_ready",
    responses={
        **_told(
            200,
            {
                "status": "ok",
                "database": "ok",
                "last_runs": {"sync": {"state": "done", "age_seconds": 312}, "daily": {"state": "done", "age_seconds": 51_900}},
                "next_daily_run": "2026-11-23T20:00:00+03:00",
            },
        ),
        **_told(503, {"status": "error", "database": "unreachable"}, "База недоступна."),
    },
)
async def ready(backend: BackendDep) -> JSONResponse:
    """The database answers; the age of the last runs and the time of the next one are told with it."""
    now = backend.clock()
    try:
        async with backend.database.session(within=_ANSWER_SECONDS) as session:
            ended = await health.last_ended_runs(session)
    except DatabaseUnavailableError:
        return JSONResponse({"status": "error", "database": "unreachable"}, 503)
    scheduled = backend.settings.scheduler_enabled
    body = {
        "status": "ok",
        "database": "ok",
        "last_runs": {kind: {"state": state, "age_seconds": int((now - at).total_seconds())} for kind, state, at in ended},
        "next_daily_run": next_report_at(backend.timetable, now).astimezone(backend.timetable.zone).isoformat() if scheduled else None,
    }
    return JSONResponse(body)


@router.get(
    "/metrics",
    summary="Метрики Prometheus",
    description="Сколько чего хранится и ждёт, когда чем кончились запуски, и сам процесс. Без ключа и личных данных.",
    operation_id="metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": "# TYPE avito_quality_chats gauge\navito_quality_chats 97.0\n"}}}},
)
async def metrics(backend: BackendDep) -> Response:
    """Counts from the database at the moment of asking, and the process's own."""
    gauges = _Gauges()
    try:
        async with backend.database.session(within=_SCRAPE_SECONDS) as session:
            gauges.counts = await health.counts(session)
            gauges.ended = [(kind, at.timestamp(), state == "done") for kind, state, at in await health.last_ended_runs(session)]
        gauges.counts["database_up"] = 1
    except DatabaseUnavailableError:
        gauges.counts["database_up"] = 0
    registry = CollectorRegistry()
    for collector in (gauges, ProcessCollector(registry=None), PlatformCollector(registry=None)):
        registry.register(collector)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Gauges(Collector):
    """What one scrape shows of the database."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.ended: list[tuple[str, float, bool]] = []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, value in self.counts.items():
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", name.replace("_", " "), value=value)
        when = GaugeMetricFamily(f"{_PREFIX}_run_ended_timestamp_seconds", "when a run of the kind last ended", labels=["kind"])
        well = GaugeMetricFamily(f"{_PREFIX}_run_succeeded", "whether that run ended well", labels=["kind"])
        for kind, at, succeeded in self.ended:
            when.add_metric([kind], at)
            well.add_metric([kind], succeeded)
        yield from (when, well)
