"""Grading rules of the local DeepSeek.

They are rules over words, not a model: they do not interpret the meaning. They demonstrate grades
that follow from each chat, and make the grades predictable in tests.

A rule in `deepseek_checks` decides each check. A check of a custom rubric without a rule is `na`.
The grade follows from the checks: no `n` is high, one `n` is medium, more are low. An objection
without an answer counts as an `n`. Text that addresses the grader is ignored.
"""

import json
import re
from typing import Any

from app.sandbox.deepseek_chat import GradedChat, Quote, read_chat
from app.sandbox.deepseek_checks import RULES
from app.sandbox.deepseek_claims import Objection, list_critical, list_objections
from app.sandbox.deepseek_evidence import share_quotes
from app.sandbox.deepseek_findings import NOT_APPLICABLE, Finding
from app.sandbox.deepseek_words import NO_OBJECTIONS, build_advice, build_reason, build_summary

OBJECTIONS = "objection_handling"


def grade(system_message: str, user_message: str) -> dict[str, Any] | None:
    """Answer a grading request in the shape at the end of the system message.

    Return None if it is not a grading request.
    """
    rubric, chat = read_rubric(system_message), read_chat(user_message)
    if rubric is None or chat is None:
        return None
    objections = list_objections(chat) if OBJECTIONS in rubric else []
    critical = list_critical(chat)
    findings = {
        criterion: {check: RULES.get(check, _find_nothing)(chat) for check in checks}
        for criterion, checks in rubric.items()
    }
    known = {check: found for checks in findings.values() for check, found in checks.items()}
    return {
        "objections": [
            {**_build_quote(objection.quote), "a": "y" if objection.is_answered else "n"}
            for objection in objections
        ],
        "critical": [{"fault": claim.fault, **_build_quote(claim.quote)} for claim in critical],
        "criteria": _build_criteria(chat, findings, objections),
        "summary": build_summary(chat, known, objections),
        "recommendations": build_advice(chat, known, objections, critical),
    }


def read_rubric(system_message: str) -> dict[str, list[str]] | None:
    """Read the check ids of each criterion from the shape of the answer.

    The shape is the last JSON object of the system message that begins with "objections".
    """
    starts = [match.start() for match in re.finditer(r'\{\s*"objections"', system_message)]
    if not starts:
        return None
    try:
        shape, _ = json.JSONDecoder().raw_decode(system_message, starts[-1])
        return {criterion: list(body["checks"]) for criterion, body in shape["criteria"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _find_nothing(_: GradedChat) -> Finding:
    return NOT_APPLICABLE


def _build_quote(quote: Quote) -> dict[str, Any]:
    return {"i": quote.i, "q": quote.text}


def _build_criteria(
    chat: GradedChat, findings: dict[str, dict[str, Finding]], objections: list[Objection]
) -> dict[str, Any]:
    applicable = {
        criterion: list(checks.values())
        for criterion, checks in findings.items()
        if criterion != OBJECTIONS or objections
    }
    if objections:
        applicable[OBJECTIONS] += _list_ignored(objections)
    quotes = share_quotes(chat, applicable)
    return {
        criterion: _build_criterion(
            checks, quotes[criterion], objections if criterion == OBJECTIONS else []
        )
        if criterion in applicable
        else _build_empty_criterion(checks)
        for criterion, checks in findings.items()
    }


def _list_ignored(objections: list[Objection]) -> list[Finding]:
    return [Finding("n", objection.quote) for objection in objections if not objection.is_answered]


def _build_empty_criterion(checks: dict[str, Finding]) -> dict[str, Any]:
    return {
        "ev": [],
        "why": NO_OBJECTIONS,
        "checks": dict.fromkeys(checks, "na"),
        "grade": "none",
    }


def _build_criterion(
    findings: dict[str, Finding], quotes: list[Quote], objections: list[Objection]
) -> dict[str, Any]:
    values = [finding.value for finding in findings.values()]
    faults = values.count("n") + sum(not objection.is_answered for objection in objections)
    return {
        "ev": [_build_quote(quote) for quote in quotes],
        "why": build_reason(findings, quotes, objections),
        "checks": {check: finding.value for check, finding in findings.items()},
        "grade": ("high", "medium", "low")[min(faults, 2)],
    }
