"""``GET /reports``: the reports of a period, unchanged, as JSON, CSV or XLSX."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.dependencies import ServiceDep
from app.api.middleware import wants_headers_only
from app.api.v1.report_cursor import write_cursor
from app.api.v1.report_formats import REPORT_RESPONSES, make_response
from app.api.v1.report_query import MAX_LIMIT, ReportQuery
from app.api.v1.responses import ERROR_RESPONSES
from app.api.v1.schemas import ReportRead
from app.database.engine import Database
from app.errors import FieldError, InvalidParametersError
from app.repositories.report_filter import ReportFilter
from app.repositories.report_order import Position
from app.repositories.reports import ReportBody
from app.service import Service
from app.services.reports import reading
from app.services.reports.xlsx_file import MAX_ROWS

router = APIRouter(tags=["reports"])

_DESCRIPTION = """
Все отчёты, созданные с start_date по end_date включительно (в REPORT_TIMEZONE), новые первыми \
или по баллу (sort). С limit — по частям: адрес следующей
в заголовке Link. С mail даты можно не указывать.

Вид ответа задаёт format или заголовок Accept (format важнее); без них и с незнакомым Accept — JSON.

- **csv** открывается двойным щелчком в русском Excel. В pandas: \
`pd.read_csv(файл, sep=";", encoding="utf-8-sig", keep_default_na=False)`.
  Текст, похожий на формулу (начинается с `=`, `+`, `-`, `@`, табуляции или возврата каретки, \
хотя бы и после пробелов), получает впереди
  апостроф; числа и даты — как в JSON.
- **xlsx** — до 20 000 отчётов, больше — 400. \
В created_at настоящая дата, смещение от всемирного времени стоит за ней.
"""


@router.get(
    "/reports",
    summary="Отчёты за период",
    description=_DESCRIPTION,
    response_model=list[ReportRead],
    responses={**ERROR_RESPONSES, **REPORT_RESPONSES},
    operation_id="list_reports",
)
async def get_reports(
    request: Request, service: ServiceDep, query: Annotated[ReportQuery, Depends()]
) -> Response:
    """Return the reports in the requested format."""
    after = query.read_position()
    wanted = await query.read_filter(service)
    form = query.choose_format(request.headers.get("accept", ""))
    expected = query.limit or MAX_LIMIT
    if form == "xlsx" and query.is_whole:
        expected = await _count_for_a_sheet(service.database, wanted)
    chunks, headers = await (
        _read_all(service, wanted, query)
        if query.is_whole
        else _read_page(request, service, wanted, query, after)
    )
    return await make_response(
        form,
        chunks,
        name=query.file_name,
        headers=headers,
        expected=expected,
        headers_only=wants_headers_only(request),
        scored=query.with_score,
    )


Listed = tuple[AsyncIterator[list[ReportBody]], dict[str, str]]
"""Reports in chunks, and the headers of their answer."""


async def _read_all(service: Service, wanted: ReportFilter, query: ReportQuery) -> Listed:
    chunks = reading.stream_all(
        service.database,
        wanted,
        service.settings.report_timezone,
        sort=query.sort_by,
        scored=query.with_score,
    )
    first = await anext(chunks)  # a failure must occur before the status is sent
    return _prepend(first, chunks), {}


async def _read_page(
    request: Request,
    service: Service,
    wanted: ReportFilter,
    query: ReportQuery,
    after: Position | None,
) -> Listed:
    page, following = await reading.read_page(
        service.database,
        wanted,
        service.settings.report_timezone,
        sort=query.sort_by,
        scored=query.with_score,
        after=after,
        limit=query.limit or MAX_LIMIT,
    )
    if following is None:
        return reading.split_page(page), {}
    address = request.url.include_query_params(cursor=write_cursor(following, query.sort_by))
    return reading.split_page(page), {"Link": f'<{address}>; rel="next"'}


async def _count_for_a_sheet(database: Database, wanted: ReportFilter) -> int:
    found = await reading.count_up_to(database, wanted, MAX_ROWS + 1)
    if found > MAX_ROWS:
        raise InvalidParametersError(
            FieldError(
                "format",
                "в один файл xlsx войдёт не больше 20 000 отчётов; возьмите format=csv или сузьте"
                " период",
            )
        )
    return found


async def _prepend(
    first: list[ReportBody], rest: AsyncIterator[list[ReportBody]]
) -> AsyncIterator[list[ReportBody]]:
    yield first
    async for chunk in rest:
        yield chunk
