"""``GET /reports``: the reports of a period, unchanged, as JSON, CSV or XLSX."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from app.api.dependencies import ServiceDep, build_reference
from app.api.middleware import wants_headers_only
from app.api.v1.report_cursor import write_cursor
from app.api.v1.report_formats import MEDIA_TYPES, REPORT_RESPONSES, make_table_response
from app.api.v1.report_query import MAX_LIMIT, ReportQuery
from app.api.v1.responses import ERROR_RESPONSES
from app.api.v1.schemas import ReportRead
from app.database.engine import Database
from app.errors import FieldError, InvalidParametersError
from app.repositories.report_list import Page, ReportBody, ReportList
from app.repositories.report_order import Position
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
    request: Request, service: ServiceDep, query: Annotated[ReportQuery, Query()]
) -> Response:
    """Return the reports in the requested format."""
    after = query.read_position()
    listed = await query.read_list(service)
    form = query.choose_format(request.headers.get("accept", ""))
    if form == "json":
        return await _respond_json(request, service, query, listed, after)
    return await _respond_table(form, request, service, query, listed, after)


async def _respond_json(
    request: Request,
    service: Service,
    query: ReportQuery,
    listed: ReportList,
    after: Position | None,
) -> Response:
    """Return a JSON array. If one reading is not enough for a whole list, it is streamed.

    If the stream fails, the connection is aborted (``HttpProtocol``), so that a client cannot
    mistake a part for the whole.
    """
    media_type = MEDIA_TYPES["json"]
    if not query.is_whole:
        page = await reading.join_bodies(
            service.database, listed, after, limit=query.limit or MAX_LIMIT
        )
        headers = _make_headers(request, service, query, page)
        return Response(b"[%b]" % page.content, media_type=media_type, headers=headers)
    pages = reading.stream_json(service.database, listed)
    first = await anext(pages)  # a failure must occur before the status is sent
    if first.following is None:
        return Response(b"[%b]" % first.content, media_type=media_type, headers=_VARY)
    return StreamingResponse(
        reading.as_json_array(first, pages), media_type=media_type, headers=_VARY
    )


async def _respond_table(
    form: Literal["csv", "xlsx"],
    request: Request,
    service: Service,
    query: ReportQuery,
    listed: ReportList,
    after: Position | None,
) -> Response:
    headers, expected = _VARY, query.limit or MAX_LIMIT
    if query.is_whole:
        if form == "xlsx":
            expected = await _count_for_a_sheet(service.database, listed)
        chunks = reading.stream_bodies(service.database, listed)
        chunks = _prepend(await anext(chunks), chunks)
    else:
        page = await reading.read_bodies(service.database, listed, after, limit=expected)
        headers = _make_headers(request, service, query, page)
        chunks = reading.split_page(page.content)
    return await make_table_response(
        form,
        chunks,
        name=query.file_name,
        headers=headers,
        expected=expected,
        bounded=not query.is_whole,
        headers_only=wants_headers_only(request),
    )


_VARY = {"Vary": "Accept"}


def _make_headers(
    request: Request, service: Service, query: ReportQuery, page: Page[Any]
) -> dict[str, str]:
    """Return the headers of a page, with the address of the following one."""
    if page.following is None:
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


async def _prepend(
    first: list[ReportBody], rest: AsyncIterator[list[ReportBody]]
) -> AsyncIterator[list[ReportBody]]:
    yield first
    async for chunk in rest:
        yield chunk
