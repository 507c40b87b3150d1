"""Schemas of a review: the request body and the response."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.api.parameters import OptionalBody
from app.api.v1.schemas import GradeWord, LocalMoment, ObjectionGradeWord
from app.domain.criteria import GRADE_COLUMNS
from app.models import Review


def _trim(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


Comment = Annotated[Annotated[str, Field(max_length=10_000)] | None, BeforeValidator(_trim)]
Name = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(_trim)]


class GivenGrades(OptionalBody):
    """The grades that the reviewer sets."""

    tonality_grade: GradeWord | None = Field(None, description="Оценка тональности.")
    professionalism_grade: GradeWord | None = Field(None, description="Оценка профессионализма.")
    clarity_grade: GradeWord | None = Field(None, description="Оценка ясности.")
    problem_solving_grade: GradeWord | None = Field(None, description="Оценка решения проблем.")
    objection_handling_grade: ObjectionGradeWord | None = Field(
        None, description="Оценка обработки возражений."
    )
    closure_grade: GradeWord | None = Field(None, description="Оценка завершения.")


class ReviewBody(OptionalBody):
    """A review of a report, as sent by the client."""

    grades: GivenGrades = Field(
        default_factory=GivenGrades,
        description=(
            "Оценки, которые человек поставил бы сам; о каких не сказано или сказано null, остаются"
            " от модели."
        ),
    )
    comment: Comment = Field(
        None, description="Пояснение. Нужна хотя бы одна оценка или пояснение."
    )
    reviewer: Name = Field(None, description="Кто проверил.")


REVIEW_EXAMPLE = {
    "grades": {"tonality_grade": "Средняя", "objection_handling_grade": "Нет возражений"},
    "comment": "Вопрос о цене — не возражение.",
    "reviewer": "Мария",
}


class GradesRead(BaseModel):
    """All six grades."""

    model_config = ConfigDict(from_attributes=True)

    tonality_grade: GradeWord = Field(description="Оценка тональности.")
    professionalism_grade: GradeWord = Field(description="Оценка профессионализма.")
    clarity_grade: GradeWord = Field(description="Оценка ясности.")
    problem_solving_grade: GradeWord = Field(description="Оценка решения проблем.")
    objection_handling_grade: ObjectionGradeWord = Field(description="Оценка обработки возражений.")
    closure_grade: GradeWord = Field(description="Оценка завершения.")


class ReviewRead(BaseModel):
    """The current review of a report."""

    model_config = ConfigDict(from_attributes=True)

    report_id: int = Field(description="Номер отчёта.", examples=[35])
    grades: GradesRead = Field(
        description="Шесть оценок после проверки: названные человеком, остальные — модели."
    )
    given: list[str] = Field(
        description="Какие из них назвал человек, в том числе подтвердив.",
        examples=[["tonality_grade"]],
    )
    score: float = Field(
        description="Балл этих оценок по тому же правилу и с теми же весами, что у отчёта.",
        examples=[58.33],
    )
    comment: str | None = Field(
        description="Пояснение.", examples=["Вопрос о цене — не возражение."]
    )
    reviewer: str | None = Field(description="Кто проверил.", examples=["Мария"])
    blind: bool = Field(
        description=(
            "Оценка вслепую из недельной выборки (PUT /labels/{report_id}); false — поправка"
            " человека, который видел оценки модели."
        ),
        examples=[False],
    )
    reviewed_at: LocalMoment = Field(
        description="Когда, в REPORT_TIMEZONE.", examples=["2026-11-24T09:15:00+03:00"]
    )


def review_fields(review: Review) -> dict[str, Any]:
    """Return the fields of ``ReviewRead``."""
    return {
        "report_id": review.report_id,
        "grades": review,
        "given": [name for name in GRADE_COLUMNS if name in review.given],
        "score": review.score,
        "comment": review.comment,
        "reviewer": review.reviewer,
        "blind": review.blind,
        "reviewed_at": review.reviewed_at,
    }
