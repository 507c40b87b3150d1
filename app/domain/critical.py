"""Critical faults of the seller, and the grades that they limit."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from app.domain.criteria import Criterion
from app.domain.grades import Grade


class CriticalFault(StrEnum):
    """A fault that no other merit of a chat makes up for."""

    INSULT = "insult"
    OUTSIDE_PAYMENT = "outside_payment"
    FALSE_AVAILABILITY = "false_availability"

    @property
    def label(self) -> str:
        """The fault in Russian."""
        return _LABELS[self]


_LABELS = {
    CriticalFault.INSULT: "оскорбление покупателя",
    CriticalFault.OUTSIDE_PAYMENT: "давление, чтобы платили мимо Авито",
    CriticalFault.FALSE_AVAILABILITY: "обещан товар, которого нет",
}


def describe_fault(code: str) -> str:
    """Return the label of a stored fault; the code itself if a later release has stored it."""
    try:
        return CriticalFault(code).label
    except ValueError:
        return code


GRADE_LIMITS = {
    CriticalFault.INSULT: {
        Criterion.TONALITY: Grade.LOW,
        Criterion.PROFESSIONALISM: Grade.LOW,
        Criterion.CLOSURE: Grade.LOW,
    },
    CriticalFault.OUTSIDE_PAYMENT: {
        Criterion.TONALITY: Grade.MEDIUM,
        Criterion.PROFESSIONALISM: Grade.LOW,
        Criterion.PROBLEM_SOLVING: Grade.LOW,
        Criterion.CLOSURE: Grade.LOW,
    },
    CriticalFault.FALSE_AVAILABILITY: {
        Criterion.TONALITY: Grade.MEDIUM,
        Criterion.PROFESSIONALISM: Grade.LOW,
        Criterion.CLARITY: Grade.MEDIUM,
        Criterion.PROBLEM_SOLVING: Grade.LOW,
        Criterion.CLOSURE: Grade.LOW,
    },
}
"""The best grade that a criterion can have if the fault was made. Others are not limited."""
_FROM_WORST = (Grade.LOW, Grade.MEDIUM, Grade.HIGH)


def limit_grade(criterion: Criterion, grade: Grade, faults: Collection[CriticalFault]) -> Grade:
    """Return the grade, or the limit of these faults if that is worse."""
    limits = [GRADE_LIMITS[fault].get(criterion, Grade.HIGH) for fault in faults]
    if grade not in _FROM_WORST:
        return grade
    return min([grade, *limits], key=_FROM_WORST.index)


def list_limiting(criterion: Criterion, grade: str, faults: Iterable[str]) -> list[str]:
    """Return those of the stored faults whose limit for the criterion is the grade that it has."""
    return [fault for fault in faults if _get_limits(fault).get(criterion) == grade]


def _get_limits(fault: str) -> Mapping[Criterion, Grade]:
    """Return the limits of a stored fault. Those of a later release are not known."""
    return GRADE_LIMITS[CriticalFault(fault)] if fault in GRADE_LIMITS else {}
