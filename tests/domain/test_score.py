"""Grades from checks, and the score from grades."""

import pytest

from app.domain.criteria import Check, Criterion
from app.domain.grades import Grade
from app.domain.score import grade_from_checks, score

H, M, L, N = Grade.HIGH, Grade.MEDIUM, Grade.LOW, Grade.NONE


@pytest.mark.parametrize(
    ("checks", "grade"),
    [
        ("y y y", H),
        ("y na na", H),
        ("y y n", M),
        ("n na na", M),
        ("n n y", L),
        ("n n n", L),
        ("n n na", L),
        ("na na na", None),
    ],
)
def test_grade_from_checks(checks: str, grade: Grade | None) -> None:
    assert grade_from_checks(map(Check, checks.split())) is grade


@pytest.mark.parametrize(
    ("checks", "further", "grade"),
    [("y y y", 1, M), ("y y y", 2, L), ("n y y", 1, L), ("n na na", 1, L), ("na na na", 2, None)],
)
def test_further_faults_count_as_failed_checks(
    checks: str, further: int, grade: Grade | None
) -> None:
    assert grade_from_checks(map(Check, checks.split()), further) is grade


@pytest.mark.parametrize(
    ("grades", "expected"),
    [
        ((H, H, H, H, H, H), 100),
        ((L, L, L, L, L, L), 0),
        ((H, M, L, H, N, L), 50),
        ((H, H, H, H, N, M), 90),
        ((M, M, M, M, M, L), 250 / 6),
    ],
)
def test_score_is_the_mean_of_the_criteria_that_apply(
    grades: tuple[Grade, ...], expected: float
) -> None:
    assert score(dict(zip(Criterion, grades, strict=True))) == pytest.approx(expected)


def test_weights_change_the_score() -> None:
    weights = dict.fromkeys(Criterion, 1.0) | {Criterion.TONALITY: 5.0}
    assert score(dict(zip(Criterion, (H, L, L, L, L, L), strict=True)), weights) == 50
    assert score(dict(zip(Criterion, (H, L, L, L, N, L), strict=True)), weights) == pytest.approx(
        500 / 9
    )


def test_no_score_without_applicable_criteria() -> None:
    with pytest.raises(ValueError, match="не из чего"):
        score({Criterion.OBJECTION_HANDLING: N})
