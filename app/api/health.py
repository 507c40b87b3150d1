"""Health: outside the API, without a key, without personal data."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.api.dependencies import ServiceDep
from app.errors import DatabaseUnavailableError
from app.jobs.clock_watch import TOLERANCE
from app.jobs.due_runs import find_next_report_time
from app.repositories import health
from app.service import Service

router = APIRouter(tags=["health"])

_ANSWER_SECONDS = 2.0
"""Time limit of the database query: a probe needs a response within a few seconds."""
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
    jump, offset = service.clock_watch.recent, measure_offset(service, database_now)
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


def measure_offset(service: Service, database_now: datetime | None) -> float | None:
    """Return the process's clock minus the database's in seconds; None: it is not known."""
    return (
        None if database_now is None else round((service.clock() - database_now).total_seconds(), 1)
    )
