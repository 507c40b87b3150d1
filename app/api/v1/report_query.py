"""The query parameters of ``GET /reports``."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from app.api.v1.period import (
    AccountFilter,
    EndDay,
    MailDay,
    StartDay,
    WhoseGrades,
    read_period,
)
from app.api.v1.report_cursor import read_cursor, write_cursor
from app.api.v1.report_formats import Format, choose_format
from app.api.v1.schemas import GradeWord, ObjectionGradeWord
from app.domain.criteria import GRADE_COLUMNS
from app.errors import FieldError, InvalidParametersError
from app.repositories.report_filter import ReportFilter
from app.repositories.report_list import ReportList
from app.repositories.report_order import Position, ReportSort
from app.service import Service
from app.services.mail.day_page import get_mail_day

MAX_LIMIT = 10_000

Grades = Annotated[
    list[GradeWord] | None, Query(description="Только с такой оценкой; можно повторять.")
]
ObjectionGrades = Annotated[
    list[ObjectionGradeWord] | None, Query(description="Только с такой оценкой; можно повторять.")
]

_CURSOR = write_cursor(Position(datetime(2026, 11, 22, 17, 3, 11, tzinfo=UTC), 35, 41))


class ReportQuery(BaseModel):
    """The query parameters of ``GET /reports``."""

    model_config = ConfigDict(frozen=True)

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
    sort: Annotated[
        Literal["score", "-score"] | None,
        Query(
            description=(
                "По баллу: score — низкие первыми, -score — высокие первыми; при равном балле новые"
                " первыми. С grades=reviewed — по баллу после проверки. Без него — новые первыми."
            )
        ),
    ] = None
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description=(
                "Только отчёты, где эти слова подряд есть в названии объявления, имени клиента или"
                " резюме. Большие и маленькие буквы, е и ё равны; знаки % и _ — просто знаки."
            ),
            examples=["доставка"],
        ),
    ] = None
    with_score: Annotated[
        bool,
        Query(
            description=(
                "В JSON добавить к каждому отчёту score — балл от 0 до 100; без него поля ровно те,"
                " что в описании."
            ),
            examples=[True],
        ),
    ] = False

    @property
    def sort_by(self) -> ReportSort | None:
        """The order by score; None: newest first."""
        return ReportSort(self.sort) if self.sort else None

    @property
    def is_whole(self) -> bool:
        """Whether all reports are asked for: with a limit or a cursor the answer is one page."""
        return self.limit is None and self.cursor is None

    @property
    def page_size(self) -> int | None:
        """The largest number of reports in the response; None: all are asked for."""
        return None if self.is_whole else self.limit or MAX_LIMIT

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
        return None if self.cursor is None else read_cursor(self.cursor, self.sort_by)

    def choose_format(self, accept: str) -> Format:
        """Return the format of the response.

        Raises:
            InvalidParametersError: scores are requested in a table, which has fixed columns.
        """
        form = choose_format(self.named_form, accept)
        if self.with_score and form != "json":
            raise InvalidParametersError(FieldError("with_score", "только в JSON"))
        return form

    async def read_list(self, service: Service) -> ReportList:
        """Return the list. It asks the database for the mail that covers ``mail``.

        Raises:
            InvalidParametersError: the period is incomplete or reversed.
        """
        start, end = read_period(
            self.start_date, self.end_date, service.settings, by_mail=self.mail is not None
        )
        zone = service.settings.report_timezone
        words = {name: getattr(self, name) for name in GRADE_COLUMNS}
        wanted = ReportFilter(
            mailed_on=[await get_mail_day(service.database, self.mail)] if self.mail else None,
            start=start,
            end=end,
            chat_id=self.chat_id,
            account=self.account,
            text=self.q,
            grades={name: given for name, given in words.items() if given},
            reviewed=self.grades == "reviewed",
        )
        return ReportList(wanted, zone, self.sort_by, scored=self.with_score)
