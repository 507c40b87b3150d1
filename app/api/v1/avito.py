"""``POST /avito/sync``: copy what changed at Avito."""

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
from app.api.v1.schemas import Failure, SyncResult
from app.models import Run
from app.services.run_params import SyncParams

router = APIRouter(tags=["avito"])

SYNC_FIGURES = ("synced_chats", "new_chats", "updated_chats", "new_messages", "incomplete_chats")


class SyncBody(OptionalBody):
    """Body of a sync. ``full``: read every chat again, not only those that changed."""

    full: bool = Field(False, description="Перечитать все чаты, а не только изменившиеся.")


_REFUSED = make_error_body(
    "Лавка на Садовой: не оплачен тариф Авито с API мессенджера, без него сообщения не прочитать;"
    " оплатите его в кабинете. Чаты сохранены.",
    synced_chats=0,
    new_chats=12,
    updated_chats=0,
    new_messages=0,
    incomplete_chats=0,
)


@router.post(
    "/avito/sync",
    summary="Синхронизация с Авито",
    description="Копирует из Авито новое по всем аккаунтам и отвечает, когда закончит.",
    response_model=SyncResult,
    responses={
        **ACTION_RESPONSES,
        400: describe_invalid("full", "нужно true или false"),
        500: describe_response(SyncResult | Failure, "Авито отказал.", _REFUSED),
    },
    openapi_extra=body_schema(SyncBody, {"full": False}),
    operation_id="sync_chats",
)
@router.post("/v1/avito/sync", include_in_schema=False)
async def post_sync(
    service: ServiceDep,
    body: Annotated[SyncBody, Depends(read_optional_body(SyncBody))],
    prefer: Prefer = None,
) -> JSONResponse:
    """Sync all accounts. The second path is the literal reading of the customer's document."""
    return await execute_action(
        service,
        SyncParams(full=body.full),
        prefer,
        _make_figures,
        success=SyncResult,
        failure=SyncResult,
    )


def _make_figures(run: Run) -> dict[str, Any]:
    return get_figures(run, *SYNC_FIGURES)
