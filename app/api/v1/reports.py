"""``GET /reports``: the reports of a period, unchanged, as JSON, CSV or XLSX."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from app.api.dependencies import ServiceDep, build_reference
from app.api.middleware import wants_headers_only
from app.api.query_model import QueryReader, query_schema
from app.api.routing import RequestRoute
from app.api.v1.report_cursor import write_cursor
from app.api.v1.report_formats import MEDIA_TYPES, REPORT_RESPONSES, make_table_response
from app.api.v1.report_query import MAX_LIMIT, ReportQuery
from app.api.v1.responses import ERROR_RESPONSES
from app.api.v1.schemas import ReportRead
from app.database.engine import Database
from app.errors import FieldError, InvalidParametersError
from app.repositories.report_list import Page, ReportList
from app.service import Service
from app.services.reports import reading
from app.services.reports.xlsx_file import MAX_ROWS

router = APIRouter(tags=["reports"], route_class=RequestRoute)

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
    openapi_extra=query_schema(ReportQuery),
)
async def get_reports(
    request: Request,
    service: ServiceDep,
    query: Annotated[ReportQuery, Depends(QueryReader(ReportQuery))],
) -> Response:
    """Return the reports in the requested format."""
    after = query.read_position()
    listed = await query.read_list(service)
    form = query.choose_format(request.headers.get("accept", ""))
    expected = query.page_size or MAX_LIMIT
    if form == "xlsx" and query.is_whole:
        expected = await _count_for_a_sheet(service.database, listed)
    limit = query.page_size or reading.CHUNK
    # A failure must occur before the status is sent.
    first = await reading.read_page(service.database, listed, after, limit)
    following = first.following if query.is_whole else None
    others = reading.stream_rest(service.database, listed, following)
    headers = _make_headers(request, service, query, first)
    if form == "json":
        return _make_json_response(first, others, headers, bounded=following is None)
    return await make_table_response(
        form,
        reading.split_pages(first, others),
        name=query.file_name,
        headers=headers,
        expected=expected,
        bounded=not query.is_whole,
        headers_only=wants_headers_only(request),
    )


def _make_json_response(
    first: Page, others: AsyncIterator[Page], headers: dict[str, str], *, bounded: bool
) -> Response:
    """Return a JSON array. If one reading is not enough for a whole list, it is streamed.

    If the stream fails, the connection is aborted (``HttpProtocol``), so that a client cannot
    mistake a part for the whole.
    """
    if bounded:
        array = reading.make_json_array(first.bodies)
        return Response(array, media_type=MEDIA_TYPES["json"], headers=headers)
    content = reading.stream_json_array(first, others)
    return StreamingResponse(content, media_type=MEDIA_TYPES["json"], headers=headers)


_VARY = {"Vary": "Accept"}


def _make_headers(
    request: Request, service: Service, query: ReportQuery, page: Page
) -> dict[str, str]:
    """Return the headers; those of a page with the address of the following one."""
    if query.is_whole or page.following is None:
        return _VARY
    url = request.url.include_query_params(cursor=write_cursor(page.following, query.sort_by))
    address = build_reference(service, f"{url.path}?{url.query}")
    return {**_VARY, "Link": f'<{address}>; rel="next"'}


async def _count_for_a_sheet(database: Database, listed: ReportList) -> int:
    found = await reading.count_up_to(database, listed, MAX_ROWS + 1)
    if found > MAX_ROWS:
        raise InvalidParametersError(
            FieldError(
                "format",
                "в один файл xlsx войдёт не больше 20 000 отчётов; возьмите format=csv или сузьте"
                " период",
            )
        )
    return found
