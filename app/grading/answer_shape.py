"""Bring the JSON object of an answer into the protocol's shape, where its meaning is clear."""

from typing import Any

from app.domain.criteria import Criterion
from app.grading.answer_words import is_nothing, read_check, read_fault
from app.grading.rubric import Rubric
from app.grading.verdict_error import VerdictError

_CRITERIA = tuple(criterion.value for criterion in Criterion)
_OBJECTION_HANDLING = Criterion.OBJECTION_HANDLING.value
_FAULT_KEYS = ("fault", "type", "name", "kind", "id")
_CHECK_KEYS = ("id", "check", "name")
_ANSWER_KEYS = ("answer", "a", "value", "result")

Raw = dict[str, Any]


def shape_answer(raw: Raw, rubric: Rubric) -> Raw:
    """Return the answer with its criteria in `criteria`, named checks and listed claims.

    Other keys of criteria are dropped. `has_unread_critical` is added: whether a claim of a
    critical fault was dropped because it names no fault or no words.
    """
    if "criteria" not in raw:
        nested = {key: raw[key] for key in _CRITERIA if key in raw}
        raw = {key: value for key, value in raw.items() if key not in nested} | {"criteria": nested}
    raw = raw | _shape_critical(raw.get("critical"))
    if not isinstance(raw["criteria"], dict):
        return raw
    criteria = {
        key: _shape_criterion(entry, key, rubric)
        for key, entry in raw["criteria"].items()
        if key in _CRITERIA
    }
    return _shape_objections(raw | {"criteria": criteria})


def list_claims(value: Any) -> Any:
    """Return the entries that quote something. A text is a quote without a number.

    One entry may be outside a list. Another value is returned as it is.
    """
    if is_nothing(value):
        return []
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str | dict | None) for entry in entries):
        return value
    claims = [{"q": entry} if isinstance(entry, str) else entry or {} for entry in entries]
    return [claim for claim in claims if claim.get("q")]


def _shape_objections(raw: Raw) -> Raw:
    """Return the answer without objections like «нет», and with the grade none for no objection."""
    handling = raw["criteria"].get(_OBJECTION_HANDLING)
    if "objections" not in raw or not isinstance(handling, dict):
        return raw
    if not is_nothing(handling.get("grade")):
        return raw
    claims = list_claims(raw["objections"])
    if isinstance(claims, list):
        claims = [claim for claim in claims if not is_nothing(claim["q"])]
    if claims:
        return raw
    criteria = raw["criteria"] | {_OBJECTION_HANDLING: handling | {"grade": "none"}}
    return raw | {"objections": [], "criteria": criteria}


def _shape_criterion(entry: Any, key: str, rubric: Rubric) -> Any:
    if not isinstance(entry, dict):
        return entry
    asked, checks = rubric.criteria[Criterion(key)].asked_ids, entry.get("checks")
    if isinstance(checks, list) and checks and all(isinstance(check, dict) for check in checks):
        checks = _name_checks(checks, key)
    if isinstance(checks, list) and len(checks) == len(asked):
        checks = dict(zip(asked, checks, strict=True))
    if isinstance(checks, dict):
        named = {name: _unwrap_check(checks[name]) for name in asked if name in checks}
        return entry | {"checks": named}
    return entry


def _name_checks(checks: list[Raw], key: str) -> Raw:
    """Return listed checks by their ids.

    Raises:
        VerdictError: a check has two different answers.
    """
    named: Raw = {}
    for check in checks:
        name = next((check[word] for word in _CHECK_KEYS if isinstance(check.get(word), str)), "")
        word = _unwrap_check(check)
        if name in named and read_check(named[name]) is not read_check(word):
            raise VerdictError(
                f"У {key} проверка отвечена дважды и по-разному: нужен один ответ y, n или na."
            )
        named[name] = word
    return named


def _unwrap_check(value: Any) -> Any:
    """Return the answer of {"answer": "y", "why": "…"}."""
    if not isinstance(value, dict):
        return value
    return next((value[key] for key in _ANSWER_KEYS if key in value), None)


def _shape_critical(value: Any) -> Raw:
    if is_nothing(value):
        return {"critical": [], "has_unread_critical": False}
    entries = [_read_claim(entry) for entry in _list_entries(value)]
    read = [entry for entry in entries if entry]
    return {"critical": read, "has_unread_critical": None in entries}


def _list_entries(value: Any) -> list[Any]:
    """Return the claims of a list, of one object, or of an object with the faults as keys."""
    if isinstance(value, list):
        return [entry for part in value for entry in _list_entries(part)]
    if isinstance(value, dict) and not any(key in value for key in (*_FAULT_KEYS, "q")):
        return [
            {"fault": key} | (claim if isinstance(claim, dict) else {"q": claim})
            for key, claims in value.items()
            if not is_nothing(claims)
            for claim in (claims if isinstance(claims, list) else [claims])
        ]
    return [] if is_nothing(value) else [value]


def _read_claim(entry: Any) -> Raw | None:
    """Return the claim with the fault's code; {} if it claims nothing, None if it is unreadable."""
    if not isinstance(entry, dict):
        return None
    name = next((entry[key] for key in _FAULT_KEYS if key in entry), None)
    is_quoted = isinstance(entry.get("q"), str) and not is_nothing(entry["q"])
    if is_nothing(name):
        return {} if name or not is_quoted else None
    fault = read_fault(name)
    return {**entry, "fault": fault.value} if fault and is_quoted else None
