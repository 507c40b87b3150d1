"""The common part of the three POSTs: queue a run, wait for its end, return its figures."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.api.dependencies import build_reference
from app.api.v1.schemas import Accepted
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

_OUTAGE_SECONDS = 30.0
"""Longest outage of the database that a call waits for; the lease of a worker lasts as long."""

MakeFigures = Callable[[Run], Mapping[str, Any]]


async def execute_action(
    service: Service,
    params: RunParams,
    prefer: str | None,
    make_figures: MakeFigures,
    *,
    success: type[BaseModel],
    failure: type[BaseModel],
) -> JSONResponse:
    """Queue a run and respond when it has ended, or at once with 202 if the client prefers that.

    A run may be executed by any process. A client that disconnects does not stop it.
    ``make_figures`` returns the fields of the response besides status and message. ``success`` and
    ``failure`` are the models of the bodies.
    """
    run_id = await submit(service.database, params, service.clock)
    service.worker.wake()
    if _wants_async(prefer):
        return _accept(run_id, build_reference(service, f"/api/v1/runs/{run_id}"))
    run = await wait(
        service.database,
        run_id,
        wait_run_finished=service.worker.wait_run_finished,
        away_seconds=_OUTAGE_SECONDS,
    )
    body = {"message": run.message, **make_figures(run)}
    if run.state == RunState.DONE:
        return JSONResponse(_validate(success, {"status": "success", **body}))
    body["message"] = run.message or "Запуск не выполнен."
    return JSONResponse(_validate(failure, {"status": "error", **body}), 500)


def get_figures(run: Run, *names: str) -> dict[str, int]:
    """Return these figures of a run; 0 for missing ones."""
    return {name: run.figures.get(name, 0) for name in names}


def _accept(run_id: int, location: str) -> JSONResponse:
    message = f"Запуск {run_id} принят: GET {location}."
    body = _validate(Accepted, {"status": "success", "message": message})
    return JSONResponse(body, 202, {"Location": location, "Preference-Applied": "respond-async"})


def _validate(model: type[BaseModel], body: Mapping[str, Any]) -> dict[str, Any]:
    return model.model_validate(body).model_dump(mode="json")


def _wants_async(prefer: str | None) -> bool:
    return "respond-async" in [
        part.split(";")[0].strip().lower() for part in (prefer or "").split(",")
    ]
