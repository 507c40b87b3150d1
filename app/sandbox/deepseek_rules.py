"""How the local DeepSeek grades a chat. These are stated rules over words and times, not a model:
they see what is written and when, and nothing of its sense. They are there so that a demo shows
grades that follow from each chat, and so that tests know what comes.

A check is decided by its rule in `deepseek_checks`; a check of somebody's own rubric, for which
there is no rule, is `na`. The grade follows from the checks: no `n` high, one `n` medium, more low.
What addresses the grader in a chat is not read.
"""

import json
import re
from typing import Any

from app.sandbox.deepseek_chat import Quote, read_chat
from app.sandbox.deepseek_checks import RULES, Finding, objection_of
from app.sandbox.deepseek_words import advice, summary

OBJECTIONS = "objection_handling"
MOST_EVIDENCE = 2


def grade(system_message: str, user_message: str) -> dict[str, Any] | None:
    """The answer to a grading request, in the shape of the example in the system message. None
    where the request is no such thing.
    """
    rubric, chat = read_rubric(system_message), read_chat(user_message)
    if rubric is None or chat is None:
        return None
    objection = objection_of(chat) if OBJECTIONS in rubric else None
    criteria: dict[str, Any] = {}
    known: dict[str, Finding] = {}
    for criterion, checks in rubric.items():
        findings = {
            check: RULES[check](chat) if check in RULES else Finding("na") for check in checks
        }
        known |= findings
        criteria[criterion] = (
            _no_objection(checks)
            if criterion == OBJECTIONS and objection is None
            else _graded(findings)
        )
    return {
        "objection": {"present": True, "i": objection.i, "q": objection.text}
        if objection
        else {"present": False, "i": None, "q": None},
        "criteria": criteria,
        "summary": summary(chat, known),
        "recommendations": advice(chat, known),
    }


def read_rubric(system_message: str) -> dict[str, list[str]] | None:
    """The check ids of each criterion, from the example answer: the last JSON object of the system
    message that begins with "objection".
    """
    starts = [match.start() for match in re.finditer(r'\{\s*"objection"', system_message)]
    if not starts:
        return None
    try:
        example, _ = json.JSONDecoder().raw_decode(system_message, starts[-1])
        return {criterion: list(body["checks"]) for criterion, body in example["criteria"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _no_objection(checks: list[str]) -> dict[str, Any]:
    return {"checks": dict.fromkeys(checks, "na"), "ev": [], "grade": "none"}


def _graded(findings: dict[str, Finding]) -> dict[str, Any]:
    values = [finding.value for finding in findings.values()]
    faults = values.count("n")
    letter = "medium" if set(values) <= {"na"} else ("high", "medium", "low")[min(faults, 2)]
    telling = sorted(
        findings.values(), key=lambda finding: finding.value != "n"
    )  # what pulled the grade down comes first
    return {
        "checks": {check: finding.value for check, finding in findings.items()},
        "ev": _evidence(telling),
        "grade": letter,
    }


def _evidence(findings: list[Finding]) -> list[dict[str, Any]]:
    quotes: list[Quote] = []
    for finding in findings:
        if finding.quote and finding.quote not in quotes:
            quotes.append(finding.quote)
    return [{"i": quote.i, "q": quote.text} for quote in quotes[:MOST_EVIDENCE]]
