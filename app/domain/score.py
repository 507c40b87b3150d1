"""Fixed rules that derive a grade from checks and a score from grades.

Equal answers get equal scores.
"""

from collections.abc import Iterable, Mapping

from app.domain.criteria import Check, Criterion
from app.domain.grades import Grade

POINTS = {Grade.HIGH: 100, Grade.MEDIUM: 50, Grade.LOW: 0}
"""Points of a grade in the score. A grade that is not listed does not count."""
GRADE_BY_FAILED_CHECKS = (Grade.HIGH, Grade.MEDIUM, Grade.LOW)
"""Grade by the number of failed checks; the last one is for this number and more."""


def grade_from_checks(checks: Iterable[Check], further_faults: int = 0) -> Grade | None:
    """Return the grade by GRADE_BY_FAILED_CHECKS, or None if no check applies.

    A check that is not applicable does not count. ``further_faults``: faults of the same kind as
    one that a check counts already, for example a second unanswered objection.
    """
    counted = [check for check in checks if check is not Check.NOT_APPLICABLE]
    if not counted:
        return None
    failed = counted.count(Check.NO) + further_faults
    return GRADE_BY_FAILED_CHECKS[min(failed, len(GRADE_BY_FAILED_CHECKS) - 1)]


def score(
    grades: Mapping[Criterion, Grade], weights: Mapping[Criterion, float] | None = None
) -> float:
    """Return the weighted mean of POINTS over the criteria that apply, 0 to 100.

    ``weights``: the rubric's weights; without them all criteria have the same weight.

    Raises:
        ValueError: no criterion applies.
    """
    weighed = [
        (POINTS[grade], weights[criterion] if weights else 1.0)
        for criterion, grade in grades.items()
        if grade in POINTS
    ]
    if not weighed:
        raise ValueError("Ни один критерий не применим: балл посчитать не из чего.")
    return sum(points * weight for points, weight in weighed) / sum(weight for _, weight in weighed)
