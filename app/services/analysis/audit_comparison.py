"""Compare a stored report with the verdict that was rebuilt from its answers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.criteria import Criterion
from app.domain.messages import ChatMessage
from app.grading.verdict import Verdict
from app.models import Report
from app.services.analysis.report_body import (
    compare_verdicts,
    complete_detail,
    describe_verdict,
    list_grades,
    make_verdict_detail,
)

_NAMES = {
    "reports.score": "балл",
    "reports.repeat": "повторная оценка",
    "reports.first_message_id": "первое оценённое сообщение",
    "reports.last_message_id": "последнее оценённое сообщение",
    "reports.window_messages": "число оценённых сообщений",
    "body.summary": "вывод",
    "body.recommendations": "рекомендации",
    "detail.objections": "возражения",
    "detail.critical": "критические ошибки",
    "detail.late_answers": "поздние ответы",
    "detail.contradictions": "расхождения с объявлением",
    "detail.check_vector": "ответы на проверки",
    "detail.recommendations": "рекомендации",
    "detail.flags": "пометки",
    "detail.grader_addressed_by": "обращения к проверяющему",
}


def list_differences(
    report: Report, window: Sequence[ChatMessage], verdict: Verdict, repeat: Verdict | None
) -> list[str]:
    """Return in Russian which values of a report differ from the rebuilt ones.

    The rebuilt values come from the functions that made the report. The answer times are left out:
    they are not from the verdict.
    """
    columns = _make_columns(window, verdict, repeat)
    rebuilt = _list_values(columns, describe_verdict(verdict), make_verdict_detail(verdict))
    stored = _list_values(
        {**{name: getattr(report, name) for name in columns}, "score": float(report.score)},
        report.body,
        complete_detail(report.detail),
    )
    as_json = json.loads(json.dumps(rebuilt))
    return [
        f"{_name(place)} ({place}): собранное заново отличается от сохранённого"
        for place, value in as_json.items()
        if stored.get(place) != value
    ]


def _make_columns(
    window: Sequence[ChatMessage], verdict: Verdict, repeat: Verdict | None
) -> dict[str, Any]:
    return {
        **list_grades(verdict),
        "score": round(verdict.score, 2),
        "repeat": compare_verdicts(verdict, repeat) if repeat else None,
        "first_message_id": window[0].id,
        "last_message_id": window[-1].id,
        "window_messages": len(window),
    }


def _list_values(
    columns: Mapping[str, Any], body: Mapping[str, Any], detail: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values by their place in a report, each criterion by itself."""
    whole = {key: value for key, value in detail.items() if key != "criteria"}
    return {
        **{f"reports.{name}": value for name, value in columns.items()},
        **{f"body.{name}": value for name, value in body.items()},
        **{f"detail.criteria.{name}": value for name, value in detail["criteria"].items()},
        **{f"detail.{name}": value for name, value in whole.items()},
    }


def _name(place: str) -> str:
    """Return the Russian name of a place; a criterion's is the same in columns, body and detail."""
    criterion = place.rpartition(".")[2].removesuffix("_grade")
    if criterion in set(Criterion):
        return Criterion(criterion).label.lower()
    return _NAMES.get(place, "значение")
