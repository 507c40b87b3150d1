"""Grading rules of the local DeepSeek.

They are rules over words and times, not a model: they do not interpret the meaning. They
demonstrate grades that follow from each chat, and make the grades predictable in tests.

A rule in `deepseek_checks` decides each check. A check of a custom rubric without a rule is `na`.
The grade follows from the checks: no `n` is high, one `n` is medium, more are low. Text that
addresses the grader is ignored.
"""

import json
import re
from typing import Any

from app.sandbox.deepseek_chat import Quote, read_chat
from app.sandbox.deepseek_checks import RULES, Finding, find_objection
from app.sandbox.deepseek_words import build_advice, build_summary

OBJECTIONS = "objection_handling"
MOST_EVIDENCE = 2


def grade(system_message: str, user_message: str) -> dict[str, Any] | None:
    """Answer a grading request in the format of the example in the system message.

    Return None if it is not a grading request.
    """
    rubric, chat = read_rubric(system_message), read_chat(user_message)
    if rubric is None or chat is None:
        return None
    objection = find_objection(chat) if OBJECTIONS in rubric else None
    criteria: dict[str, Any] = {}
    known: dict[str, Finding] = {}
    for criterion, checks in rubric.items():
        findings = {
            check: RULES[check](chat) if check in RULES else Finding("na") for check in checks
        }
        known |= findings
        criteria[criterion] = (
            _build_empty_criterion(checks)
            if criterion == OBJECTIONS and objection is None
            else _build_criterion(findings)
        )
    return {
        "objection": {"present": True, "i": objection.i, "q": objection.text}
        if objection
        else {"present": False, "i": None, "q": None},
        "criteria": criteria,
        "summary": build_summary(chat, known),
        "recommendations": build_advice(chat, known),
    }


def read_rubric(system_message: str) -> dict[str, list[str]] | None:
    """Read the check ids of each criterion from the example answer.

    The example is the last JSON object of the system message that begins with "objection".
    """
    starts = [match.start() for match in re.finditer(r'\{\s*"objection"', system_message)]
    if not starts:
        return None
    try:
        example, _ = json.JSONDecoder().raw_decode(system_message, starts[-1])
        return {criterion: list(body["checks"]) for criterion, body in example["criteria"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _build_empty_criterion(checks: list[str]) -> dict[str, Any]:
    return {"checks": dict.fromkeys(checks, "na"), "ev": [], "grade": "none"}


def _build_criterion(findings: dict[str, Finding]) -> dict[str, Any]:
    values = [finding.value for finding in findings.values()]
    faults = values.count("n")
    letter = "medium" if set(values) <= {"na"} else ("high", "medium", "low")[min(faults, 2)]
    # Checks that lowered the grade come first.
    ordered = sorted(findings.values(), key=lambda finding: finding.value != "n")
    return {
        "checks": {check: finding.value for check, finding in findings.items()},
        "ev": _build_evidence(ordered),
        "grade": letter,
    }


def _build_evidence(findings: list[Finding]) -> list[dict[str, Any]]:
    quotes: list[Quote] = []
    for finding in findings:
        if finding.quote and finding.quote not in quotes:
            quotes.append(finding.quote)
    return [{"i": quote.i, "q": quote.text} for quote in quotes[:MOST_EVIDENCE]]
