"""Query parameters that the list of reports and its summary share."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from fastapi import Query

from app.api.parameters import CalendarDay
from app.clock import at_local
from app.config import Settings
from app.errors import FieldError, InvalidParametersError

_WITHOUT = "ГГГГ-ММ-ДД. Обязательна, если нет mail."

StartDay = Annotated[CalendarDay | None, Query(description=f"Начальная дата периода, {_WITHOUT}")]
EndDay = Annotated[CalendarDay | None, Query(description=f"Конечная дата периода, {_WITHOUT}")]
AccountFilter = Annotated[
    str | None,
    Query(
        description="Только этого аккаунта: имя или номер на Авито.", examples=["Лавка на Садовой"]
    ),
]
MailDay = Annotated[
    CalendarDay | None,
    Query(
        description=(
            "Только отчёты, которые ушли в письмах этой даты; пропущенный день — отчёты письма, в"
            " которое он вошёл."
        )
    ),
]
WhoseGrades = Annotated[
    Literal["machine", "reviewed"],
    Query(
        description=(
            "Чьи оценки показать и по чьим отбирать и считать: machine — модели, reviewed — после"
            " проверки человеком."
        )
    ),
]


def read_period(
    start: date | None, end: date | None, settings: Settings, *, by_mail: bool
) -> tuple[datetime | None, datetime | None]:
    """Return the bounds ``[start, end)`` of the period as moments; None: no bound.

    Raises:
        InvalidParametersError: the start is after the end, or a date is missing and the date of a
          mail is not given.
    """
    missing = [name for name, day in (("start_date", start), ("end_date", end)) if day is None]
    if missing and not by_mail:
        raise InvalidParametersError(
            *(FieldError(name, "обязательный параметр") for name in missing)
        )
    if start and end and start > end:
        raise InvalidParametersError(FieldError("start_date", "позже, чем end_date"))
    return _midnight(start, settings), _midnight(end, settings, days_later=1)


def _midnight(day: date | None, settings: Settings, *, days_later: int = 0) -> datetime | None:
    """Return the start of a day; None (no bound) without a day, or outside the calendar."""
    if day is None:
        return None
    try:
        return at_local(day + timedelta(days=days_later), time.min, settings.report_timezone)
    except OverflowError:
        return None
