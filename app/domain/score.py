"""From checks to a grade, and from grades to the score: fixed rules, so that the same answer always
weighs the same.
"""

from collections.abc import Iterable, Mapping

from app.domain.criteria import Check, Criterion
from app.domain.grades import Grade

POINTS = {Grade.HIGH: 100, Grade.MEDIUM: 50, Grade.LOW: 0}


def grade_from_checks(checks: Iterable[Check]) -> Grade | None:
    """No `n` is high, one `n` medium, two or more low; `na` does not count; None where nothing
    applies.
    """
    counted = [check for check in checks if check is not Check.NOT_APPLICABLE]
    if not counted:
        return None
    failed = counted.count(Check.NO)
    return (Grade.HIGH, Grade.MEDIUM, Grade.LOW)[min(failed, 2)]


def score(
    grades: Mapping[Criterion, Grade], weights: Mapping[Criterion, float] | None = None
) -> float:
    """Mean of 100 / 50 / 0 over the criteria that apply, 0..100; `weights` (the rubric's, 1 unless
    told) make it a weighted mean.

    Raises ValueError where no criterion applies: there is no score to make up.
    """
    weighed = [
        (POINTS[grade], weights[criterion] if weights else 1.0)
        for criterion, grade in grades.items()
        if grade in POINTS
    ]
    if not weighed:
        raise ValueError("Ни один критерий не применим: балл посчитать не из чего.")
    return sum(points * weight for points, weight in weighed) / sum(weight for _, weight in weighed)
