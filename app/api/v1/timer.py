"""``POST /timer/reports``: mail the reports that have not been mailed yet."""

from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.dependencies import ServiceDep
from app.api.parameters import CalendarDay, OptionalBody, body_schema, read_optional_body
from app.api.v1.actions import Prefer, execute_action, get_figures
from app.api.v1.responses import (
    ACTION_RESPONSES,
    describe_invalid,
    describe_response,
    make_error_body,
)
from app.api.v1.schemas import MailFailure, MailResult
from app.clock import local_date
from app.errors import FieldError, InvalidParametersError
from app.models import Run
from app.services.run_params import MailParams

router = APIRouter(tags=["reports"])


class MailBody(OptionalBody):
    """Body of a mailing: the date, and whether to send its reports again."""

    date: CalendarDay | None = Field(
        None, description="Дата отчёта; без неё — сегодня в REPORT_TIMEZONE."
    )
    resend: bool = Field(False, description="Отправить отчёты этой даты ещё раз, новым письмом.")


_REFUSED = make_error_body(
    "Письмо за 22.11 не дошло до boss@example.ru: почтовый сервер не отвечает; попробуем ещё раз"
    " сами.",
    date="2026-11-22",
    send_reports=0,
)


@router.post(
    "/timer/reports",
    summary="Отправка ежедневных отчётов",
    description=(
        "Отправляет все отчёты, которых ещё не было ни в одном письме. Второй вызов подряд ничего"
        " не отправит."
    ),
    response_model=MailResult,
    responses={
        **ACTION_RESPONSES,
        400: describe_invalid(
            "date", "этот день ещё не наступил, сегодня 2026-11-22", send_reports=0
        ),
        500: describe_response(
            MailFailure, "Письмо не дошло до части получателей или не ушло вовсе.", _REFUSED
        ),
    },
    openapi_extra=body_schema(MailBody, {"date": "2026-11-22"}),
    operation_id="send_reports",
)
async def post_reports(
    service: ServiceDep,
    body: Annotated[MailBody, Depends(read_optional_body(MailBody))],
    prefer: Prefer = None,
) -> JSONResponse:
    """Mail the reports created before now, or before the end of the date if the date is past."""
    today = local_date(service.clock(), service.settings.report_timezone)
    day = body.date or today
    if day.year < 2000:
        raise InvalidParametersError(FieldError("date", "таких давних отчётов нет"))
    if day > today:
        raise InvalidParametersError(
            FieldError("date", f"этот день ещё не наступил, сегодня {today}")
        )
    params = MailParams(day=day, resend=body.resend)
    return await execute_action(
        service,
        params,
        prefer,
        partial(_make_figures, day),
        success=MailResult,
        failure=MailFailure,
    )


def _make_figures(day: date, run: Run) -> dict[str, Any]:
    return {"date": day.isoformat(), **get_figures(run, "send_reports")}
