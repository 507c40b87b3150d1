"""``POST /llm/analyze``: grade the chats that are due."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.dependencies import ServiceDep
from app.api.parameters import OptionalBody, body_schema, read_optional_body
from app.api.v1.actions import Prefer, execute_action, get_figures
from app.api.v1.responses import (
    ACTION_RESPONSES,
    describe_invalid,
    describe_response,
    make_error_body,
)
from app.api.v1.schemas import AnalyzeResult, Failure
from app.models import Run
from app.services.requested_chats import require_known_chats
from app.services.run_params import AnalyzeParams

router = APIRouter(tags=["analysis"])

ANALYZE_FIGURES = ("analyzed_chats", "skipped_chats", "failed_chats", "waiting_chats")


class AnalyzeBody(OptionalBody):
    """Body of a grading: which chats, and how many of them."""

    chat_ids: list[str] | None = Field(None, description="Только эти чаты (идентификаторы Авито).")
    limit: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Не больше стольких чатов, дольше всех ждущие первыми.",
    )
    force: bool = Field(
        False,
        description=(
            "Ещё раз ошибочные и пропущенные; вместе с chat_ids — названные чаты, даже если они не"
            " изменились или разговор в них ещё идёт."
        ),
    )


_REFUSED = make_error_body(
    "На счету DeepSeek кончились деньги: пополните его. Создано: 17 отчётов; пропущено чатов: 1, с"
    " ошибкой: 0, ждут: 24.",
    analyzed_chats=17,
    skipped_chats=1,
    failed_chats=0,
    waiting_chats=24,
)


@router.post(
    "/llm/analyze",
    summary="Анализ чатов через DeepSeek",
    description=(
        "Оценивает все чаты, в которых после прошлой оценки писал человек, и отвечает, когда"
        " закончит. Чат, где последним и только что писал клиент, ждёт: разговор ещё идёт"
        " (SETTLE_MINUTES)."
    ),
    response_model=AnalyzeResult,
    responses={
        **ACTION_RESPONSES,
        400: describe_invalid("limit", "не меньше 1"),
        500: describe_response(AnalyzeResult | Failure, "DeepSeek отказал.", _REFUSED),
    },
    openapi_extra=body_schema(AnalyzeBody, {"limit": 100}),
    operation_id="analyze_chats",
)
async def post_analyze(
    service: ServiceDep,
    body: Annotated[AnalyzeBody, Depends(read_optional_body(AnalyzeBody))],
    prefer: Prefer = None,
) -> JSONResponse:
    """Grade the due chats.

    The status is 200 also if single chats failed or are unknown, and 500 with the figures if the
    access to the model was lost.
    """
    params = AnalyzeParams(**body.model_dump())
    if params.chat_ids:
        await require_known_chats(service.database, params.chat_ids)
    return await execute_action(
        service, params, prefer, _make_figures, success=AnalyzeResult, failure=AnalyzeResult
    )


def _make_figures(run: Run) -> dict[str, Any]:
    return get_figures(run, *ANALYZE_FIGURES)
