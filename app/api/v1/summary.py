"""``GET /reports/summary``: the figures of a period or of a date's mails.

They are counted as the mail counts them.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter

from app.api.dependencies import ServiceDep
from app.api.v1.breakdowns import compute_share, make_breakdowns, round_seconds
from app.api.v1.period import AccountFilter, EndDay, MailDay, StartDay, WhoseGrades, read_period
from app.api.v1.responses import ERROR_RESPONSES
from app.api.v1.summary_schemas import SummaryRead
from app.domain.criteria import Criterion
from app.domain.steadiness import wilson_interval
from app.repositories.report_filter import ReportFilter
from app.services.digests.figures import (
    CorrectedShare,
    CriterionShare,
    Measures,
    RepeatedAnswer,
)
from app.services.digests.summary import Summary, summarize
from app.services.mail.day_page import get_mail_day

router = APIRouter(tags=["reports"], responses=ERROR_RESPONSES)

_MIXED = "Оценивали разные модели или рубрики: сравнивайте баллы внутри одной из series."


@router.get(
    "/reports/summary",
    summary="Сводка за период",
    description=(
        "Сколько отчётов, средний балл, доли оценок по каждому критерию, время первого ответа и"
        " стоимость: всего, по дням, по аккаунтам и по сериям (модель и версия рубрики); главное —"
        " ещё и по объявлениям, часам и дням недели. Всё"
        " считается по отчётам: чат, оценённый дважды, — это два отчёта. Отчёты те же, что в GET"
        " /reports с теми же параметрами; с mail — те, что ушли в письмах этой даты, и числа те же,"
        " что в письме."
    ),
    operation_id="summarize_reports",
)
async def get_summary(
    service: ServiceDep,
    start_date: StartDay = None,
    end_date: EndDay = None,
    account: AccountFilter = None,
    mail: MailDay = None,
    grades: WhoseGrades = "machine",
) -> SummaryRead:
    """Return the summary. Both days are included, in REPORT_TIMEZONE."""
    start, end = read_period(start_date, end_date, service.settings, by_mail=mail is not None)
    zone = service.settings.report_timezone.key
    mailed_on = None if mail is None else [await get_mail_day(service.database, mail)]
    wanted = ReportFilter(
        start=start, end=end, account=account, mailed_on=mailed_on, reviewed=grades == "reviewed"
    )
    summary = await summarize(service.database, wanted, zone, now=service.clock())
    return SummaryRead.model_validate(_make_summary(summary, zone))


def _make_summary(summary: Summary, zone: str) -> dict[str, Any]:
    measured = summary.measured
    mixed = len(measured.by_series) > 1
    return {
        **_make_figures(measured.total),
        "bad_share_corrected": _make_corrected_share(summary.bad_share_corrected),
        "timezone": zone,
        "mixed_series": mixed,
        "message": _MIXED if mixed else None,
        "steadiness": {
            "criteria": _compare_answers(summary.steadiness.criteria),
            "checks": _compare_answers(summary.steadiness.checks),
        },
        "series": [
            {"model": model, "prompt_version": version, **_make_figures(measures)}
            for (model, version), measures in measured.by_series.items()
        ],
        "days": [
            {"date": day, **_make_figures(measures)} for day, measures in measured.days.items()
        ],
        "accounts": [
            {
                "account": account.name,
                "account_id": account.avito_user_id,
                **_make_figures(measured.accounts[account.id]),
            }
            for account in summary.accounts
        ],
        **make_breakdowns(summary.breakdowns),
    }


def _compare_answers(answers: Iterable[RepeatedAnswer]) -> dict[str, dict[str, Any]]:
    return {
        answer.name: {
            "n": answer.n,
            "flipped": answer.flipped,
            "rate": compute_share(answer.flipped, answer.n),
            "interval": [
                round(bound, 4) for bound in wilson_interval(answer.flipped, answer.n) or ()
            ],
        }
        for answer in answers
    }


def _make_figures(measures: Measures) -> dict[str, Any]:
    answer = measures.first_answer
    return {
        "reports": measures.reports,
        "chats": measures.chats,
        "mean_score": measures.mean_score,
        "bad_reports": measures.bad_reports,
        "reviewed_reports": measures.reviewed_reports,
        "addressed_reports": measures.addressed_reports,
        "unproven_reports": measures.unproven_reports,
        "critical_reports": measures.critical_reports,
        "contradicting_reports": measures.contradicting_reports,
        "contacts": {
            "count": measures.contacts.count,
            "n": measures.contacts.n,
            "share": compute_share(measures.contacts.count, measures.contacts.n),
        },
        "bot_first": {
            "count": measures.bot_first.count,
            "n": measures.bot_first.n,
            "share": compute_share(measures.bot_first.count, measures.bot_first.n),
        },
        "bad_share": compute_share(measures.bad_reports, measures.reports),
        "first_answer": {
            "reports": answer.answered,
            "median_seconds": round_seconds(answer.median_seconds),
            "p90_seconds": round_seconds(answer.p90_seconds),
        },
        "cost_usd": measures.cost_usd,
        "criteria": [
            _make_criterion(*pair) for pair in zip(Criterion, measures.criteria, strict=True)
        ],
    }


def _make_corrected_share(corrected: CorrectedShare | None) -> dict[str, Any] | None:
    if corrected is None:
        return None
    return corrected.model_dump()


def _make_criterion(criterion: Criterion, share: CriterionShare) -> dict[str, Any]:
    return {
        "criterion": criterion,
        "label": share.label,
        "high": share.high,
        "medium": share.medium,
        "low": share.low,
        "not_applicable": share.absent,
        "high_share": compute_share(share.high, share.applicable),
        "medium_share": compute_share(share.medium, share.applicable),
        "low_share": compute_share(share.low, share.applicable),
        "not_applicable_share": compute_share(share.absent, share.applicable + share.absent),
    }
