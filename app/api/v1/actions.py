"""The common part of the three POSTs: queue a run, wait for its end in any process, return its
figures.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import JSONResponse

from app.api.errors import error_response
from app.models import Run, RunState
from app.service import Service
from app.services.run_params import RunParams
from app.services.runs import submit, wait

Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="respond-async: ответить 202 сразу, за ходом следить по адресу из Location.",
        examples=["respond-async"],
    ),
]

_AWAY_SECONDS = 30.0
"""Longest outage of the database that a call waits for; a worker's lease lasts as long."""

Figures = Callable[[Run], Mapping[str, Any]]


async def act(
    service: Service, params: RunParams, prefer: str | None, figures: Figures
) -> JSONResponse:
    """Queue a run and answer when it has ended, or at once with 202 if the client prefers that.

    ``figures`` returns the answer's own fields. A client that disconnects does not stop the run.
    """
    run_id = await submit(service.database, params, service.clock)
    service.worker.wake()
    if _wants_async(prefer):
        location = f"/api/v1/runs/{run_id}"
        body = {"status": "success", "message": f"Запуск {run_id} принят: GET {location}."}
        return JSONResponse(
            body, 202, {"Location": location, "Preference-Applied": "respond-async"}
        )
    run = await wait(
        service.database,
        run_id,
        wait_run_finished=service.worker.wait_run_finished,
        away_seconds=_AWAY_SECONDS,
    )
    if run.state == RunState.DONE:
        return JSONResponse({"status": "success", "message": run.message, **figures(run)})
    return error_response(500, run.message or "Запуск не выполнен.", extra=figures(run))


def counts(run: Run, *names: str) -> dict[str, int]:
    """Return these figures of a run; 0 for missing ones."""
    return {name: run.figures.get(name, 0) for name in names}


def _wants_async(prefer: str | None) -> bool:
    return "respond-async" in [
        part.split(";")[0].strip().lower() for part in (prefer or "").split(",")
    ]
