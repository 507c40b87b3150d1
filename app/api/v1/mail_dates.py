"""``GET /reports/daily``: the dates that have a mail, and the page of one date."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.api.dependencies import ServiceDep, build_reference
from app.api.parameters import CalendarDay
from app.api.v1.mail_schemas import MailDayRead
from app.api.v1.responses import ERROR_RESPONSES, describe_not_found
from app.clock import local_date
from app.repositories import mail_days
from app.services.mail.day_page import render_day

router = APIRouter(tags=["reports"], responses=ERROR_RESPONSES)

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LINK = {
    "description": "Адреса соседних страниц списка ждущих ответа; нет его — страница одна.",
    "schema": {
        "type": "string",
        "examples": ['<http://localhost:8000/api/v1/reports/daily/2026-11-22?page=2>; rel="next"'],
    },
}
_EXAMPLE = (
    '<!DOCTYPE html>\n<html lang="ru">\n<head>…<title>Авито-чаты 22.11: 74 · 97'
    " чатов…</title>…</head>\n<body>…</body>\n</html>\n"
)


@router.get(
    "/reports/daily",
    summary="Дни, за которые есть письмо",
    description=(
        "Новые первыми: сколько писем составлено за день, сколько отчётов в них и сколько раз их"
        " отправляли повторно."
    ),
    operation_id="list_mail_days",
)
async def get_days(
    service: ServiceDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="Не больше стольких.")] = 31,
    before: Annotated[
        CalendarDay | None, Query(description="Только более ранние, чем этот день.")
    ] = None,
) -> list[MailDayRead]:
    """Return the dates with the numbers of their mails and reports."""
    async with service.database.session() as session:
        found = await mail_days.list_days(session, before=before, limit=limit)
    return [MailDayRead.model_validate(day._asdict()) for day in found]


@router.get(
    "/reports/daily/{date}",
    summary="Письмо за день",
    description=(
        "То же письмо, что ушло получателям, страницей HTML: тот же шаблон, те же числа. Ждущие"
        " ответа названы все, по 100 на странице; адреса соседних страниц — в заголовке Link. Если"
        " писем за день несколько, числа — по всем их отчётам вместе, то есть по GET"
        " /reports?mail=ДАТА, и письма перечислены. Время — в том часовом поясе, в котором"
        " составлено последнее из них: он назван рядом с периодом."
    ),
    response_class=Response,  # HTMLResponse would declare errors as HTML in OpenAPI
    responses={
        **describe_not_found(
            "Письма за 2026-11-23 ещё нет: этот день не наступил, сегодня 2026-11-22."
        ),
        200: {
            "content": {"text/html": {"schema": {"type": "string"}, "example": _EXAMPLE}},
            "headers": {"Link": _LINK},
        },
    },
    operation_id="get_day",
)
async def get_day(
    request: Request,
    service: ServiceDep,
    day: Annotated[
        CalendarDay, Path(alias="date", description="День, ГГГГ-ММ-ДД.", examples=["2026-11-22"])
    ],
    page: Annotated[
        int, Query(ge=1, le=1_000_000, description="Страница списка ждущих ответа.")
    ] = 1,
) -> HTMLResponse:
    """Render the page from the figures that are stored with the mails."""
    today = local_date(service.clock(), service.settings.report_timezone)
    shown = await render_day(service.database, day, page, today=today)
    links = [
        f'<{build_reference(service, f"{request.url.path}?page={number}")}>; rel="{relation}"'
        for number, relation in ((page - 1, "prev"), (page + 1, "next"))
        if 1 <= number <= shown.pages
    ]
    headers = {**_HEADERS, "Link": ", ".join(links)} if links else _HEADERS
    return HTMLResponse(shown.html, headers=headers)
