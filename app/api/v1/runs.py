"""``GET /runs``: the runs with their progress and results."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from app.api.dependencies import ServiceDep
from app.api.v1.responses import ERROR_RESPONSES, describe_not_found
from app.api.v1.schemas import DeliveryRead, RunDetail, RunRead
from app.repositories import deliveries, digests, runs
from app.service import Service

router = APIRouter(tags=["runs"], responses=ERROR_RESPONSES)

RunNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="Номер запуска.", examples=[1])]


@router.get(
    "/runs",
    summary="Запуски, новые первыми",
    description="Всё, что запускал человек или расписание: состояние, ход, числа, итог.",
    operation_id="list_runs",
)
async def get_runs(
    service: ServiceDep,
    limit: Annotated[int, Query(ge=1, le=500, description="Не больше стольких.")] = 50,
    before_id: Annotated[
        int | None,
        Query(ge=1, le=2**63 - 1, description="Только более ранние, чем этот.", examples=[100]),
    ] = None,
) -> list[RunRead]:
    """Return runs of every kind, scheduled and requested."""
    async with service.database.session() as session:
        found = await runs.list_runs(session, limit=limit, before_id=before_id)
    return [RunRead.model_validate(run, context=_make_context(service)) for run in found]


@router.get(
    "/runs/{run_id}",
    summary="Один запуск",
    description=(
        "Состояние и ход запуска, шаги ежедневного запуска, а для письма — кто его получил и что"
        " ответил сервер."
    ),
    responses=describe_not_found("Запуска 999 нет: номера запусков — в поле id ответа GET /runs."),
    operation_id="get_run",
)
async def get_run(service: ServiceDep, run_id: RunNumber) -> RunDetail:
    """Return one run with its steps and the deliveries of its mails."""
    async with service.database.session() as session:
        run = await runs.require_run(session, run_id)
        steps = await runs.list_children(session, run_id)
        mails = [
            await digests.get_digest_by_run(session, number)
            for number in (run_id, *(step.id for step in steps))
        ]
        found = await deliveries.list_by_digest(session, [mail.id for mail in mails if mail])
    context = _make_context(service)
    return RunDetail(
        **RunRead.model_validate(run, context=context).model_dump(by_alias=False),
        steps=[RunRead.model_validate(step, context=context) for step in steps],
        deliveries=[DeliveryRead.model_validate(row, context=context) for row in found],
    )


def _make_context(service: Service) -> dict[str, Any]:
    """Return the validation context: moments are converted to REPORT_TIMEZONE."""
    return {"zone": service.settings.report_timezone}
