"""``/labels``: a weekly random sample of chats that a person grades without the model's grades."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from app.api.dependencies import ServiceDep
from app.api.parameters import CalendarDay, body_schema, read_optional_body
from app.api.v1.label_schemas import LABEL_EXAMPLE, LabelBody, LabelResult, LabelSampleRead
from app.api.v1.report_detail import ReportNumber
from app.api.v1.responses import ERROR_RESPONSES, TOO_LARGE, describe_invalid, describe_not_found
from app.clock import local_date
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.grading.corrected_share import SMALLEST
from app.grading.rubric import Rubric, RubricCriterion
from app.services.agreement.rubric_texts import list_levels, list_questions
from app.services.labels import Label, Sample, put_label, read_sample

router = APIRouter(tags=["reports"], responses=ERROR_RESPONSES)

WeekDay = Annotated[
    CalendarDay | None, Query(description="Любой день недели; без него — текущая неделя.")
]


@router.get(
    "/labels",
    summary="Чаты недели для оценки вслепую",
    description=(
        "Не больше десяти случайных отчётов недели: переписка, какой её видела модель, без оценок,"
        " и критерии. По оценкам человека (PUT /labels/{report_id}) письмо и GET /reports/summary"
        f" поправляют долю плохих чатов, когда этих оценок набирается {SMALLEST}. Оценённый чат из"
        " выборки не уходит; удобнее оценивать в конце недели."
    ),
    operation_id="get_labels",
)
async def get_labels(service: ServiceDep, week: WeekDay = None) -> LabelSampleRead:
    """Return the sample of a week, without any grade of the model."""
    zone = service.settings.report_timezone
    day = week or local_date(service.clock(), zone)
    sample = await read_sample(service.database, day, zone)
    return LabelSampleRead.model_validate(
        _make_sample(sample, service.rubric), context={"zone": zone}
    )


@router.put(
    "/labels/{report_id}",
    summary="Оценка вслепую",
    description=(
        "Оценки человека, который не видел оценок модели: все шесть. Отчёт должен быть из выборки"
        " своей недели. Хранится как проверка (review) с пометкой blind; поправку, сделанную"
        " раньше, не заменяет. Новая оценка заменяет прежнюю."
    ),
    responses={
        **TOO_LARGE,
        400: describe_invalid("grades.closure_grade", "обязательный параметр"),
        **describe_not_found(
            "Отчёта 999 нет в выборке его недели: номера — в поле report_id ответа GET /labels."
        ),
    },
    openapi_extra=body_schema(LabelBody, LABEL_EXAMPLE, required=True),
    operation_id="put_label",
)
async def put_report_label(
    service: ServiceDep,
    report_id: ReportNumber,
    body: Annotated[LabelBody, Depends(read_optional_body(LabelBody))],
) -> LabelResult:
    """Store a label. The response contains no grade of the model."""
    named = body.grades.model_dump()
    grades = {criterion: Grade(named[criterion.column]) for criterion in Criterion}
    await put_label(
        service.database,
        report_id,
        Label(grades, body.comment, body.reviewer),
        now=service.clock(),
        zone=service.settings.report_timezone,
    )
    message = f"Оценки отчёта {report_id} вслепую сохранены."
    return LabelResult(status="success", message=message, report_id=report_id)


def _make_sample(sample: Sample, rubric: Rubric) -> dict[str, Any]:
    return {
        "week": sample.monday,
        "reports": sample.reports,
        "labelled": sum(report.labelled for report, _ in sample.chats),
        "chats": [{**report._asdict(), "messages": messages} for report, messages in sample.chats],
        "criteria": [
            _make_criterion(criterion, rubric.criteria[criterion]) for criterion in Criterion
        ],
    }


def _make_criterion(criterion: Criterion, entry: RubricCriterion) -> dict[str, Any]:
    return {
        "criterion": criterion,
        "label": criterion.label,
        "sentence": entry.sentence,
        "questions": list_questions(entry),
        "levels": [{"grade": grade, "text": words} for grade, words in list_levels(entry)],
    }
