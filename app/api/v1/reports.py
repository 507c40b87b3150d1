"""``GET /reports``: the reports of a period, to the letter as they were written, as JSON, CSV or
XLSX.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.api.dependencies import BackendDep
from app.api.head import wants_headers_only
from app.api.v1.period import (
    AccountFilter,
    EndDay,
    MailDay,
    StartDay,
    WhoseGrades,
    invalid_parameters,
    read_period,
)
from app.api.v1.report_formats import REPORT_RESPONSES, Format, answer_in, wanted_format
from app.api.v1.responses import ERROR_RESPONSES
from app.api.v1.schemas import GradeWord, ObjectionGradeWord, ReportRead
from app.database.engine import Database
from app.domain.criteria import Criterion
from app.errors import FieldError
from app.repositories.report_bodies import Position, ReportBody, ReportFilter
from app.services.mail.day_page import get_mail_day
from app.services.reports import reading
from app.services.reports.xlsx_file import MAX_ROWS

router = APIRouter(tags=["reports"])

MAX_LIMIT = 10_000

Grades = Annotated[
    list[GradeWord] | None, Query(description="Только с такой оценкой; можно повторять.")
]
ObjectionGrades = Annotated[
    list[ObjectionGradeWord] | None, Query(description="Только с такой оценкой; можно повторять.")
]

_CURSOR = reading.write_cursor(Position(datetime(2026, 11, 22, 17, 3, 11, tzinfo=UTC), 35, 41))
_DESCRIPTION = """
Все отчёты, созданные с start_date по end_date включительно (в REPORT_TIMEZONE), новые первыми. С limit — по частям: адрес следующей
в заголовке Link. С mail даты можно не указывать.

Вид ответа задаёт format или заголовок Accept (format важнее); без них и с незнакомым Accept — JSON.

- **csv** открывается двойным щелчком в русском Excel. В pandas: `pd.read_csv(файл, sep=";", encoding="utf-8-sig", keep_default_na=False)`.
  Текст, похожий на формулу (начинается с `=`, `+`, `-`, `@`, табуляции или возврата каретки, хотя бы и после пробелов), получает впереди
  апостроф; числа и даты — как в JSON.
- **xlsx** — до 20 000 отчётов, больше — 400. В created_at настоящая дата, смещение от всемирного времени стоит за ней.
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
    request: Request,
    backend: BackendDep,
    start_date: StartDay = None,
    end_date: EndDay = None,
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_LIMIT, description="Не больше стольких.", examples=[100])
    ] = None,
    cursor: Annotated[
        str | None,
        Query(
            description="Откуда продолжить: из заголовка Link прошлого ответа.", examples=[_CURSOR]
        ),
    ] = None,
    chat_id: Annotated[
        str | None,
        Query(description="Только отчёты этого чата.", examples=["u2i-f7227b263e8~7c8423dd6c9"]),
    ] = None,
    account: AccountFilter = None,
    mail: MailDay = None,
    tonality_grade: Grades = None,
    professionalism_grade: Grades = None,
    clarity_grade: Grades = None,
    problem_solving_grade: Grades = None,
    objection_handling_grade: ObjectionGrades = None,
    closure_grade: Grades = None,
    named_form: Annotated[
        Format | None,
        Query(
            alias="format",
            description=(
                "В каком виде ответить; важнее заголовка Accept. В xlsx — до 20 000 отчётов."
            ),
        ),
    ] = None,
    grades: WhoseGrades = "machine",
) -> Response:
    """Without a limit or a cursor it is everything; with one of them, a page."""
    columns = {
        Criterion.TONALITY.column: tonality_grade,
        Criterion.PROFESSIONALISM.column: professionalism_grade,
        Criterion.CLARITY.column: clarity_grade,
        Criterion.PROBLEM_SOLVING.column: problem_solving_grade,
        Criterion.OBJECTION_HANDLING.column: objection_handling_grade,
        Criterion.CLOSURE.column: closure_grade,
    }
    start, end = read_period(start_date, end_date, backend.settings, by_mail=mail is not None)
    wanted = ReportFilter(
        zone=backend.settings.report_timezone,
        start=start,
        end=end,
        chat_id=chat_id,
        account=account,
        mailed_on=mail and await get_mail_day(backend.database, mail),
        grades={column: tuple(words) for column, words in columns.items() if words},
        reviewed=grades == "reviewed",
    )
    form = wanted_format(named_form, request.headers.get("accept", ""))
    whole = limit is None and cursor is None
    expected = limit or MAX_LIMIT
    if form == "xlsx" and whole:
        expected = await _count_for_a_sheet(backend.database, wanted)
    chunks, headers = await (
        _everything(backend.database, wanted)
        if whole
        else _page(request, backend.database, wanted, limit, cursor)
    )
    name = f"reports_{start_date}_{end_date}" if start_date else f"reports_mail_{mail}"
    return await answer_in(
        form,
        chunks,
        name=name,
        headers=headers,
        expected=expected,
        headers_only=wants_headers_only(request),
    )


Listed = tuple[AsyncIterator[list[ReportBody]], dict[str, str]]
"""Reports in chunks, and the headers that go with them."""


async def _everything(database: Database, wanted: ReportFilter) -> Listed:
    chunks = reading.stream_all(database, wanted)
    first = await anext(chunks)  # what can fail fails here, before the status has left
    return _rejoin(first, chunks), {}


async def _page(
    request: Request,
    database: Database,
    wanted: ReportFilter,
    limit: int | None,
    cursor: str | None,
) -> Listed:
    after = reading.read_cursor(cursor) if cursor is not None else None
    page, following = await reading.read_page(
        database, wanted, after=after, limit=limit or MAX_LIMIT
    )
    if following is None:
        return reading.in_chunks(page), {}
    address = request.url.include_query_params(cursor=reading.write_cursor(following))
    return reading.in_chunks(page), {"Link": f'<{address}>; rel="next"'}


async def _count_for_a_sheet(database: Database, wanted: ReportFilter) -> int:
    found = await reading.count_up_to(database, wanted, MAX_ROWS + 1)
    if found > MAX_ROWS:
        raise invalid_parameters(
            FieldError(
                "format",
                "в один файл xlsx войдёт не больше 20 000 отчётов; возьмите format=csv или сузьте"
                " период",
            )
        )
    return found


async def _rejoin(
    first: list[ReportBody], rest: AsyncIterator[list[ReportBody]]
) -> AsyncIterator[list[ReportBody]]:
    yield first
    async for chunk in rest:
        yield chunk
