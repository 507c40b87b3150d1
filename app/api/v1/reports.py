"""``GET /reports``: the reports of a period, unchanged, as JSON, CSV or XLSX."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.api.dependencies import ServiceDep
from app.api.middleware import wants_headers_only
from app.api.v1.period import (
    AccountFilter,
    EndDay,
    MailDay,
    StartDay,
    WhoseGrades,
    read_period,
)
from app.api.v1.report_cursor import read_cursor, write_cursor
from app.api.v1.report_formats import REPORT_RESPONSES, Format, choose_format, make_response
from app.api.v1.responses import ERROR_RESPONSES
from app.api.v1.schemas import GradeWord, ObjectionGradeWord, ReportRead
from app.database.engine import Database
from app.domain.criteria import GRADE_COLUMNS
from app.errors import FieldError, InvalidParametersError
from app.repositories.report_filter import ReportFilter
from app.repositories.reports import Position, ReportBody
from app.service import Service
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

_CURSOR = write_cursor(Position(datetime(2026, 11, 22, 17, 3, 11, tzinfo=UTC), 35, 41))
_DESCRIPTION = """
Все отчёты, созданные с start_date по end_date включительно (в REPORT_TIMEZONE), новые первыми. \
С limit — по частям: адрес следующей
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


@dataclass
class ReportQuery:
    """The query parameters of ``GET /reports``."""

    start_date: StartDay = None
    end_date: EndDay = None
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_LIMIT, description="Не больше стольких.", examples=[100])
    ] = None
    cursor: Annotated[
        str | None,
        Query(
            description="Откуда продолжить: из заголовка Link прошлого ответа.", examples=[_CURSOR]
        ),
    ] = None
    chat_id: Annotated[
        str | None,
        Query(description="Только отчёты этого чата.", examples=["u2i-f7227b263e8~7c8423dd6c9"]),
    ] = None
    account: AccountFilter = None
    mail: MailDay = None
    tonality_grade: Grades = None
    professionalism_grade: Grades = None
    clarity_grade: Grades = None
    problem_solving_grade: Grades = None
    objection_handling_grade: ObjectionGrades = None
    closure_grade: Grades = None
    named_form: Annotated[
        Format | None,
        Query(
            alias="format",
            description=(
                "В каком виде ответить; важнее заголовка Accept. В xlsx — до 20 000 отчётов."
            ),
        ),
    ] = None
    grades: WhoseGrades = "machine"

    @property
    def is_whole(self) -> bool:
        """Whether all reports are asked for: with a limit or a cursor the answer is one page."""
        return self.limit is None and self.cursor is None

    @property
    def file_name(self) -> str:
        """The name of a downloaded file, without its extension."""
        if self.start_date:
            return f"reports_{self.start_date}_{self.end_date}"
        return f"reports_mail_{self.mail}"

    def read_position(self) -> Position | None:
        """Return the position after which the page starts; None: at the beginning.

        Raises:
            InvalidParametersError: the cursor is none of an earlier response.
        """
        return None if self.cursor is None else read_cursor(self.cursor)

    async def read_filter(self, service: Service) -> ReportFilter:
        """Return the filter. It asks the database for the mail that covers ``mail``.

        Raises:
            InvalidParametersError: the period is incomplete or reversed.
        """
        start, end = read_period(
            self.start_date, self.end_date, service.settings, by_mail=self.mail is not None
        )
        words = {name: getattr(self, name) for name in GRADE_COLUMNS}
        return ReportFilter(
            mailed_on=[await get_mail_day(service.database, self.mail)] if self.mail else None,
            start=start,
            end=end,
            chat_id=self.chat_id,
            account=self.account,
            grades={name: given for name, given in words.items() if given},
            reviewed=self.grades == "reviewed",
        )


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
    form = choose_format(query.named_form, request.headers.get("accept", ""))
    expected = query.limit or MAX_LIMIT
    if form == "xlsx" and query.is_whole:
        expected = await _count_for_a_sheet(service.database, wanted)
    chunks, headers = await (
        _read_all(service, wanted)
        if query.is_whole
        else _read_page(request, service, wanted, after, query.limit or MAX_LIMIT)
    )
    return await make_response(
        form,
        chunks,
        name=query.file_name,
        headers=headers,
        expected=expected,
        headers_only=wants_headers_only(request),
    )


Listed = tuple[AsyncIterator[list[ReportBody]], dict[str, str]]
"""Reports in chunks, and the headers of their answer."""


async def _read_all(service: Service, wanted: ReportFilter) -> Listed:
    chunks = reading.stream_all(service.database, wanted, service.settings.report_timezone)
    first = await anext(chunks)  # a failure must occur before the status is sent
    return _prepend(first, chunks), {}


async def _read_page(
    request: Request, service: Service, wanted: ReportFilter, after: Position | None, limit: int
) -> Listed:
    page, following = await reading.read_page(
        service.database,
        wanted,
        service.settings.report_timezone,
        after=after,
        limit=limit,
    )
    if following is None:
        return reading.split_page(page), {}
    address = request.url.include_query_params(cursor=write_cursor(following))
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
