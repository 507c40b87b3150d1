"""``/reports/{report_id}/review``: a reviewer's grades, stored next to the model's grades."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.dependencies import ServiceDep
from app.api.parameters import body_schema, read_optional_body
from app.api.v1.report_detail import NO_SUCH_REPORT, ReportNumber, read_detail
from app.api.v1.report_schemas import ReportDetail
from app.api.v1.responses import ERROR_RESPONSES, TOO_LARGE, describe_invalid
from app.api.v1.review_schemas import REVIEW_EXAMPLE, ReviewBody
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.errors import FieldError, InvalidParametersError
from app.services.reports.reviews import ReviewInput, delete_review, put_review

router = APIRouter(tags=["reports"], responses={**ERROR_RESPONSES, **NO_SUCH_REPORT})


@router.put(
    "/reports/{report_id}/review",
    summary="Проверка отчёта человеком",
    description=(
        "Оценки человека рядом с оценками модели: ни те, ни другие не теряются. Новая"
        " проверка заменяет прежнюю целиком; повтор того же ничего не меняет. GET /reports"
        " показывает эти оценки с grades=reviewed. Отвечает отчётом, как GET /reports/{id}."
    ),
    responses={
        **TOO_LARGE,
        400: describe_invalid("grades", "назовите хотя бы одну оценку или напишите comment"),
    },
    openapi_extra=body_schema(ReviewBody, REVIEW_EXAMPLE, required=True),
    operation_id="put_review",
)
async def put_report_review(
    service: ServiceDep,
    report_id: ReportNumber,
    body: Annotated[ReviewBody, Depends(read_optional_body(ReviewBody))],
) -> ReportDetail:
    """Store a review and return the report.

    A regrade is a 404: it is in no list and no mail. Its first grading is the report to review.
    """
    named = body.grades.model_dump(exclude_none=True)
    if not named and body.comment is None:
        message = "назовите хотя бы одну оценку или напишите comment"
        raise InvalidParametersError(FieldError("grades", message))
    grades = {
        criterion: Grade(named[name])
        for criterion in Criterion
        if (name := criterion.column) in named
    }
    await put_review(
        service.database,
        report_id,
        ReviewInput(grades, body.comment, body.reviewer),
        now=service.clock(),
    )
    return await read_detail(service, report_id)


@router.delete(
    "/reports/{report_id}/review",
    summary="Отмена проверки",
    description=(
        "Остаются оценки модели. Отменённая оценка вслепую не считается, её можно поставить снова."
        " Если проверки не было, ничего не меняется. Отвечает отчётом, как GET /reports/{id}."
    ),
    operation_id="delete_review",
)
async def delete_report_review(service: ServiceDep, report_id: ReportNumber) -> ReportDetail:
    """Delete the current review; its row is kept."""
    await delete_review(service.database, report_id, now=service.clock())
    return await read_detail(service, report_id)
