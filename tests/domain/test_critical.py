"""Critical faults and the grades that they limit."""

import pytest

from app.domain.criteria import Criterion
from app.domain.critical import CriticalFault, describe_fault, limit_grade, list_limiting
from app.domain.grades import Grade

H, M, L = Grade.HIGH, Grade.MEDIUM, Grade.LOW
INSULT, PAYMENT, AVAILABILITY = CriticalFault


def limit_all(grade: Grade, *faults: CriticalFault) -> list[Grade]:
    """Return the limited grade of each criterion in order."""
    return [limit_grade(criterion, grade, faults) for criterion in Criterion]


@pytest.mark.parametrize(
    ("faults", "limits"),
    [
        ([], [H, H, H, H, H, H]),
        ([INSULT], [L, L, H, H, H, L]),
        ([PAYMENT], [M, L, H, L, H, L]),
        ([AVAILABILITY], [M, L, M, L, H, L]),
        ([PAYMENT, INSULT], [L, L, H, L, H, L]),
        ([INSULT, AVAILABILITY, PAYMENT], [L, L, M, L, H, L]),
    ],
)
def test_each_fault_limits_its_criteria(faults: list[CriticalFault], limits: list[Grade]) -> None:
    assert limit_all(Grade.HIGH, *faults) == limits


def test_limit_raises_no_grade() -> None:
    assert limit_all(Grade.LOW, *CriticalFault) == [Grade.LOW] * 6
    assert limit_grade(Criterion.CLARITY, Grade.MEDIUM, [AVAILABILITY]) is Grade.MEDIUM


def test_grade_that_does_not_apply_stays() -> None:
    assert limit_all(Grade.NONE, *CriticalFault) == [Grade.NONE] * 6


@pytest.mark.parametrize("fault", CriticalFault)
def test_each_fault_has_a_russian_label(fault: CriticalFault) -> None:
    assert fault.label[0] in "абвгдежзиклмнопрстуфхцчшщэюя"


def test_stored_fault_of_a_later_release_is_described_by_its_code() -> None:
    assert describe_fault("insult") == INSULT.label
    assert describe_fault("unheard_of") == "unheard_of"


def test_faults_that_limit_a_grade_are_listed() -> None:
    """A grade that is worse than the limit has other reasons."""
    stored = ["insult", "outside_payment", "unheard_of"]
    assert list_limiting(Criterion.CLOSURE, "Низкая", stored) == ["insult", "outside_payment"]
    assert list_limiting(Criterion.TONALITY, "Низкая", stored) == ["insult"]
    assert list_limiting(Criterion.TONALITY, "Средняя", ["outside_payment"]) == ["outside_payment"]
    assert list_limiting(Criterion.CLARITY, "Низкая", stored) == []
