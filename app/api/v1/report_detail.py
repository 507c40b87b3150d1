"""``GET /reports/{report_id}``: one report with the basis of its grades."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path

from app.api.dependencies import ServiceDep
from app.api.v1.report_schemas import ReportDetail
from app.api.v1.responses import ERROR_RESPONSES, describe_not_found
from app.api.v1.review_schemas import review_fields
from app.domain.criteria import Criterion
from app.domain.critical import describe_fault, list_limiting
from app.domain.flags import Flag, addresses_grader_label, describe_flag, list_flags
from app.domain.listing import Listing
from app.domain.messages import Side
from app.grading.evidence import in_sentence
from app.grading.injection.detect import addresses_grader
from app.grading.rubric import Rubric, RubricCheck
from app.models import Report
from app.service import Service
from app.services.reports.reading import (
    ReportCard,
    grader_addressed_by,
    list_objections,
    read_report,
)
from app.services.shown_messages import ShownMessage

router = APIRouter(tags=["reports"], responses=ERROR_RESPONSES)

NO_SUCH_REPORT = describe_not_found(
    "Отчёта 999 нет: номера отчётов — в поле id ответа GET /reports."
)
ReportNumber = Annotated[
    int, Path(ge=1, le=2**63 - 1, description="Номер отчёта: id из GET /reports.", examples=[35])
]


@router.get(
    "/reports/{report_id}",
    summary="Один отчёт со всем, что за ним стоит",
    description=(
        "Проверки и цитаты за каждой оценкой, оценённые сообщения, ожидание ответов, модель,"
        " токены, цена, проверка человеком и письмо, в котором отчёт ушёл. Поля верхнего уровня и"
        " criteria — оценки модели, оценки человека — в review. По номеру видна и повторная оценка"
        " (kind: regrade), которой нет в списке."
    ),
    responses=NO_SUCH_REPORT,
    operation_id="get_report",
)
async def get_report(service: ServiceDep, report_id: ReportNumber) -> ReportDetail:
    """Return a report. The review endpoints have the same response."""
    return await read_detail(service, report_id)


async def read_detail(service: Service, report_id: int) -> ReportDetail:
    """Read a report and make its response; moments are in REPORT_TIMEZONE."""
    card = await read_report(service.database, report_id)
    return ReportDetail.model_validate(
        _make_fields(card), context={"zone": service.settings.report_timezone}
    )


def _make_fields(card: ReportCard) -> dict[str, Any]:
    report, detail, messages = card.report, card.report.detail, card.messages
    objections = [_make_quote(found, messages) for found in list_objections(report)]
    addressing = [messages[number] for number in grader_addressed_by(report)]
    return {
        **report.body,
        "kind": report.kind,
        "account": card.account.name,
        "account_id": card.account.avito_user_id,
        "run_id": report.run_id,
        "score": report.score,
        "criteria": [
            _make_criterion(criterion, detail["criteria"][criterion], messages, card.rubric)
            | {"limited_by": _describe_limits(criterion, detail)}
            for criterion in Criterion
        ],
        "objection": objections[0] if objections else None,
        "objections": objections,
        "critical": [
            {**_make_quote(found, messages), "label": describe_fault(found["fault"])}
            for found in detail.get("critical", ())
        ],
        "answer_limits": {},
        "late_answers": [
            {**late, "message": messages[late["message_id"]]}
            for late in detail.get("late_answers", ())
        ],
        "contact": detail.get("contact"),
        "contradictions": detail.get("contradictions", ()),
        "listing": detail.get("listing"),
        "advice": detail["recommendations"],
        "flags": _describe_flags(
            _list_flags(card), addressing, Listing.from_json(detail.get("listing"))
        ),
        "grader_addressed_by": addressing,
        "window": {
            "first": messages[report.first_message_id],
            "last": messages[report.last_message_id],
            "count": report.window_messages,
        },
        "answer_times": detail.get("answer_times"),
        **_make_usage(report),
        "review": review_fields(card.review) if card.review else None,
        "mail": (
            {"date": card.mail.day, "subject": card.mail.subject, "deliveries": card.deliveries}
            if card.mail
            else None
        ),
    }


def _make_usage(report: Report) -> dict[str, Any]:
    """Return the model, its tokens and the cost."""
    return {
        "model": report.model,
        "fingerprint": report.fingerprint,
        "prompt_version": report.prompt_version,
        "tokens": {
            "prompt_hit": report.prompt_hit_tokens,
            "prompt_miss": report.prompt_miss_tokens,
            "completion": report.completion_tokens,
        },
        "cost_usd": report.cost_usd,
    }


def _make_criterion(
    criterion: Criterion,
    verdict: Mapping[str, Any],
    messages: Mapping[int, ShownMessage],
    rubric: Rubric | None,
) -> dict[str, Any]:
    checks = {check.id: check for check in rubric.criteria[criterion].checks} if rubric else {}
    # jsonb keeps no order.
    answers = sorted(
        verdict["checks"].items(), key=lambda pair: ([*checks, pair[0]].index(pair[0]), pair[0])
    )
    return {
        "criterion": criterion,
        "label": criterion.label,
        "grade": verdict["grade"],
        "model_grade": verdict["model_grade"],
        "checks": [
            {**_describe_check(check_id, checks.get(check_id)), "answer": answer}
            for check_id, answer in answers
        ],
        "reasoning": verdict.get("reasoning"),
        "quotes": [_make_quote(quote, messages) for quote in verdict["quotes"]],
        "flags": _describe_flags(list_flags(verdict)),
    }


def _describe_limits(criterion: Criterion, detail: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the critical faults that allow no better grade than the criterion has."""
    faults = dict.fromkeys(found["fault"] for found in detail.get("critical", ()))
    return [
        {"code": fault, "label": describe_fault(fault)}
        for fault in list_limiting(criterion, detail["criteria"][criterion]["grade"], faults)
    ]


def _describe_check(check_id: str, check: RubricCheck | None) -> dict[str, Any]:
    return {
        "id": check_id,
        "text": check.text if check else None,
        "computed": check is not None and check.computed is not None,
    }


def _make_quote(quote: Mapping[str, Any], messages: Mapping[int, ShownMessage]) -> dict[str, Any]:
    message = messages[quote["message_id"]]
    return {**quote, "shown": in_sentence(quote["text"], message.text), "message": message}


def _list_flags(card: ReportCard) -> list[str]:
    changed = [Flag.AUTHOR_CHANGED.value] if card.author_changed else []
    return list_flags(card.report.detail) + changed


def _describe_flags(
    codes: Sequence[str],
    addressing: Sequence[ShownMessage] = (),
    listing: Listing | None = None,
) -> list[dict[str, str]]:
    sides = [Side(message.side) for message in addressing]
    is_by_listing = (
        Flag.ADDRESSES_GRADER in codes
        and listing is not None
        and any(map(addresses_grader, listing.texts))
    )
    who = addresses_grader_label(sides, is_by_listing=is_by_listing)
    return [
        {"code": code, "label": who if code == Flag.ADDRESSES_GRADER else describe_flag(code)}
        for code in codes
    ]
