"""The rubric's texts for people: the codes of checks, answers and levels become words."""

import re

from app.domain.criteria import Check
from app.domain.grades import GRADE_CODES, Grade
from app.grading.rubric import RubricCriterion

_ANSWERS = {Check.YES: "да", Check.NO: "нет", Check.NOT_APPLICABLE: "не применимо"}


def list_questions(entry: RubricCriterion) -> list[str]:
    """Return the texts of a criterion's checks in order."""
    return [_replace_codes(check.text, entry) for check in entry.checks]


def list_levels(entry: RubricCriterion) -> list[tuple[Grade, str]]:
    """Return the grades that a criterion may have, each with its description."""
    anchors = entry.anchors.model_dump(exclude_none=True)
    return [
        (grade, _replace_codes(anchors[code], entry))
        for code, grade in GRADE_CODES.items()
        if code in anchors
    ]


def _replace_codes(words: str, entry: RubricCriterion) -> str:
    """Replace the codes, which are for the model, with words for people."""
    for place, check_id in enumerate(entry.check_ids, start=1):
        words = re.sub(rf"\b{check_id}\b", f"проверке {place}", words)
    words = re.sub(r"«(y|n|na)»", lambda found: f"«{_ANSWERS[Check(found[1])]}»", words)
    return re.sub(
        rf"\b({'|'.join(GRADE_CODES)})\b", lambda found: f"«{GRADE_CODES[found[1]]}»", words
    )
