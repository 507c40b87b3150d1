"""Make the columns of a report: the body for REST, columns for filters, detail of the grades."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from app.domain.criteria import Criterion
from app.domain.flags import store_flags
from app.domain.messages import ChatMessage
from app.domain.waiting import AnswerTimes
from app.grading.evidence import Quote
from app.grading.verdict import Verdict
from app.models import ReportKind
from app.repositories.regrades import Original
from app.services.analysis.grader import Grading
from app.services.analysis.transcript import Transcript
from app.services.display_text import display_name, display_title


def make_report_columns(
    number: int,
    transcript: Transcript,
    graded: Sequence[ChatMessage],
    grading: Grading,
    times: AnswerTimes,
    *,
    first_client_at: datetime | None,
    bot_first: bool,
    run_id: int,
    now: datetime,
) -> dict[str, Any]:
    """Return the columns of a report. ``now`` is aware, in the current zone of reports.

    ``bot_first``: a bot was the first to answer the buyer.
    """
    created_at = _truncate_to_millisecond(now)
    return dict(
        id=number,
        chat_id=transcript.chat.id,
        account_id=transcript.chat.account_id,
        run_id=run_id,
        created_at=created_at,
        body=_make_body(number, transcript, grading.verdict, created_at),
        detail={**_make_detail(grading, times.as_json), "bot_first": bot_first},
        first_client_at=first_client_at,
        **_grading_columns(grading, graded),
    )


def make_regrade_columns(
    number: int,
    original: Original,
    graded: Sequence[ChatMessage],
    grading: Grading,
    *,
    run_id: int,
    now: datetime,
) -> dict[str, Any]:
    """Return the columns of a regrade. All but the grading is copied from the first report."""
    created_at = _truncate_to_millisecond(now)
    return dict(
        id=number,
        kind=ReportKind.REGRADE.value,
        regrade_of_id=original.id,
        chat_id=original.chat_id,
        account_id=original.account_id,
        run_id=run_id,
        created_at=created_at,
        body={
            **original.body,
            "created_at": created_at.isoformat(timespec="milliseconds"),
            **describe_verdict(grading.verdict),
            "id": number,
        },
        detail=_make_detail(grading, original.answer_times),
        **_grading_columns(grading, graded),
    )


def _truncate_to_millisecond(now: datetime) -> datetime:
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _grading_columns(grading: Grading, graded: Sequence[ChatMessage]) -> dict[str, Any]:
    usage = grading.usage
    return dict(
        **list_grades(grading.verdict),
        score=round(grading.verdict.score, 2),
        repeat=compare_verdicts(grading.verdict, grading.repeat.verdict)
        if grading.repeat
        else None,
        first_message_id=graded[0].id,
        last_message_id=graded[-1].id,
        window_messages=len(graded),
        model=grading.model,
        fingerprint=grading.fingerprint,
        prompt_version=grading.prompt_version,
        prompt_hit_tokens=usage.prompt_hit_tokens,
        prompt_miss_tokens=usage.prompt_miss_tokens,
        completion_tokens=usage.completion_tokens,
        cost_usd=grading.cost_usd,
    )


def _make_body(
    number: int, transcript: Transcript, verdict: Verdict, created_at: datetime
) -> dict[str, Any]:
    """Return the fifteen fields of the specification in its order, then the number.

    Names are sanitized here, so that JSON, sheets and mails contain the same text, without
    characters that hide or reorder it.
    """
    chat = transcript.chat
    return {
        "chat_id": chat.avito_id,
        "created_at": created_at.isoformat(timespec="milliseconds"),
        "chat_title": display_title(chat.title),
        "client_name": display_name(chat.client_name),
        "total_messages": transcript.company_messages + transcript.client_messages,
        "company_messages": transcript.company_messages,
        "client_messages": transcript.client_messages,
        **describe_verdict(verdict),
        "id": number,
    }


def describe_verdict(verdict: Verdict) -> dict[str, str]:
    """Return the fields of the body that come from the verdict."""
    return {
        **list_grades(verdict),
        "summary": verdict.summary,
        "recommendations": "\n".join(
            " ".join(advice.text.split()) for advice in verdict.recommendations
        ),
    }


def list_grades(verdict: Verdict) -> dict[str, str]:
    """Return the grades by column."""
    return {criterion.column: verdict.grades[criterion].value for criterion in Criterion}


_USUAL: Mapping[str, Any] = {
    "objections": [],
    "critical": [],
    "late_answers": [],
    "contradictions": [],
    "grader_addressed_by": [],
    "listing": None,
}
"""The values that a detail does not contain, because most reports have them."""
_USUAL_WEIGHT = 1.0


def complete_detail(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored detail with the values that it does not contain.

    A criterion that is not an object, because the row has been damaged, stays as it is.
    """
    criteria = {
        name: {"weight": _USUAL_WEIGHT, **verdict} if isinstance(verdict, dict) else verdict
        for name, verdict in stored["criteria"].items()
    }
    return {**_USUAL, **stored, "criteria": criteria}


def _make_detail(grading: Grading, times: Mapping[str, Any]) -> dict[str, Any]:
    listing = grading.listing.as_json if grading.listing else None
    whole = {**make_verdict_detail(grading.verdict), "listing": listing}
    criteria = {
        name: _leave_out(verdict, {"weight": _USUAL_WEIGHT})
        for name, verdict in whole["criteria"].items()
    }
    return {**_leave_out(whole, _USUAL), "criteria": criteria, "answer_times": dict(times)}


def _leave_out(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in usual or value != usual[key]}


def make_verdict_detail(verdict: Verdict) -> dict[str, Any]:
    """Return the part of a report's detail that comes from the verdict."""
    objections = [
        {**_locate(objection.quote), "answered": objection.answered}
        for objection in verdict.objections
    ]
    return {
        "criteria": verdict.evidence,
        "objections": objections,
        "critical": [
            {**_locate(found.quote), "fault": found.fault.value} for found in verdict.critical
        ],
        "late_answers": [asdict(late) for late in verdict.late_answers],
        "contact": verdict.contact.as_json if verdict.contact else None,
        "contradictions": [found.as_json for found in verdict.contradictions],
        "check_vector": verdict.check_vector,
        "recommendations": [
            {"message_id": advice.message_id, "text": advice.text}
            for advice in verdict.recommendations
        ],
        **store_flags(verdict.flags),
        "grader_addressed_by": list(verdict.grader_addressed_by),
    }


def compare_verdicts(first: Verdict, second: Verdict) -> dict[str, Any]:
    """Return the grades and the model's check answers of both gradings in pairs."""
    return {
        "criteria": {
            criterion.value: [first.grades[criterion].value, second.grades[criterion].value]
            for criterion in Criterion
        },
        "checks": {
            check_id: [answer.value, second.answers[check_id].value]
            for check_id, answer in first.answers.items()
        },
    }


def _locate(quote: Quote) -> dict[str, Any]:
    return {"message_id": quote.message_id, "text": quote.text}
