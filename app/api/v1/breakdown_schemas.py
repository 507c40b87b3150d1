"""Schemas of the breakdowns of a summary by listing, hour and weekday."""

from pydantic import BaseModel, Field

from app.domain.thresholds import BAD_BELOW, ENOUGH_REPORTS

_FEW = f"null — отчётов меньше {ENOUGH_REPORTS}."


class FirstAnswerRead(BaseModel):
    """How long buyers waited for the first answer."""

    reports: int = Field(description="Отчётов, где время первого ответа известно.", examples=[47])
    median_seconds: float | None = Field(
        description="Медиана, секунды (рабочего времени, если задано WORKING_HOURS).",
        examples=[540.0],
    )
    p90_seconds: float | None = Field(
        description="90-й процентиль: девять ответов из десяти быстрее. Секунды.",
        examples=[11400.0],
    )


class BreakdownFigures(BaseModel):
    """The main figures of one group of reports, if there are enough of them."""

    n: int = Field(
        description=f"Отчётов. Если их меньше {ENOUGH_REPORTS}, остальные числа — null.",
        examples=[12],
    )
    chats: int | None = Field(description=f"Чатов, по которым они; {_FEW}", examples=[11])
    mean_score: float | None = Field(
        description=f"Средний балл от 0 до 100; {_FEW}", examples=[61.25]
    )
    bad_reports: int | None = Field(
        description=f"Отчётов с баллом ниже {BAD_BELOW}; {_FEW}", examples=[4]
    )
    bad_share: float | None = Field(description=f"Их доля от 0 до 1; {_FEW}", examples=[0.3333])
    critical_reports: int | None = Field(
        description=f"Отчётов с критической ошибкой продавца; {_FEW}", examples=[1]
    )
    first_answer: FirstAnswerRead | None = Field(
        description=f"Сколько клиенты ждали первого ответа; {_FEW}"
    )


class ListingBreakdown(BreakdownFigures):
    """Figures of one listing."""

    item_id: int | None = Field(
        description="Номер объявления на Авито; null — чаты без объявления.", examples=[4000915520]
    )
    title: str = Field(
        description="Название, каким оно было в последнем из отчётов.",
        examples=["Диван угловой «Бергамо» с ящиком"],
    )


class OtherListings(BaseModel):
    """The listings that the breakdown leaves out."""

    listings: int = Field(description="Сколько их.", examples=[0])
    n: int = Field(description="Сколько отчётов о них.", examples=[0])


class WorstListing(BaseModel):
    """A listing with one of the lowest means."""

    item_id: int = Field(description="Номер объявления на Авито.", examples=[4000915520])
    title: str = Field(description="Его название.", examples=["Диван угловой «Бергамо» с ящиком"])
    n: int = Field(description="Отчётов.", examples=[12])
    mean_score: float = Field(description="Средний балл от 0 до 100.", examples=[61.25])


class HourBreakdown(BreakdownFigures):
    """Figures of one hour of the day."""

    hour: int = Field(description="Час, от 0 до 23: 14 — с 14:00 до 14:59.", examples=[14])


class WeekdayBreakdown(BreakdownFigures):
    """Figures of one day of the week."""

    weekday: int = Field(description="День недели: 1 — понедельник, 7 — воскресенье.", examples=[1])
