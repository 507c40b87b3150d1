"""The verdict of one grading: grades, verified quotes, advice and flags."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.contact import Contact
from app.domain.contradiction import Contradiction
from app.domain.criteria import Check, Criterion
from app.domain.flags import Flag, store_flags
from app.domain.grades import Grade
from app.domain.timeliness import LateAnswer
from app.grading.critical_claims import CriticalFinding
from app.grading.evidence import Quote
from app.grading.objections import Objection


@dataclass(frozen=True)
class CriterionVerdict:
    """The final grade (by rule), the model's grade, and their evidence.

    `checks`: in the rubric's order, those that code answers included. `reasoning`: the model's
    sentence, or None.
    """

    grade: Grade
    model_grade: Grade
    checks: Mapping[str, Check]
    quotes: tuple[Quote, ...]
    reasoning: str | None
    flags: tuple[Flag, ...]

    @property
    def lacks_evidence(self) -> bool:
        """True for a high or low grade without a verified quote."""
        return Flag.NO_EVIDENCE in self.flags


@dataclass(frozen=True)
class Advice:
    """A recommendation and the id of its message; None if the model named no existing message."""

    message_id: int | None
    text: str


@dataclass(frozen=True)
class Verdict:
    """One grading of one window.

    - `score`: 0..100 by the rubric's `weights`.
    - `objections`, `critical`: the model's claims that the chat confirms.
    - `late_answers`, `contact`, `contradictions`: found by code.
    - `answers`: the model's own answers to the checks that it was asked, by check id.
    - `check_vector`: the same as one word with the number of its objections, for comparing chats.
    - `flags`: every flag of the criteria and of the verdict.
    - `grader_addressed_by`: ids of at most five messages addressed to the grader, oldest first.
    """

    criteria: Mapping[Criterion, CriterionVerdict]
    objections: tuple[Objection, ...]
    critical: tuple[CriticalFinding, ...]
    late_answers: tuple[LateAnswer, ...]
    contact: Contact | None
    contradictions: tuple[Contradiction, ...]
    summary: str
    recommendations: tuple[Advice, ...]
    score: float
    weights: Mapping[Criterion, float]
    answers: Mapping[str, Check]
    check_vector: str
    flags: tuple[Flag, ...]
    grader_addressed_by: tuple[int, ...]

    @property
    def grades(self) -> dict[Criterion, Grade]:
        """Return the final grade of each criterion."""
        return {criterion: entry.grade for criterion, entry in self.criteria.items()}

    @property
    def lacks_evidence(self) -> tuple[Criterion, ...]:
        """The criteria with a high or low grade and no verified quote."""
        return tuple(
            criterion for criterion, entry in self.criteria.items() if entry.lacks_evidence
        )

    @property
    def complaint(self) -> str | None:
        """Return what to ask the model once more; None if nothing is missing."""
        wishes = []
        if Flag.OBJECTION_UNVERIFIED in self.flags:
            wishes.append(
                "В objections есть слова q, которых нет ни в одном сообщении покупателя: приведи"
                " дословную цитату покупателя либо убери возражение."
            )
        if Flag.CRITICAL_UNVERIFIED in self.flags:
            wishes.append(
                "В critical есть ошибка, которой слова q не показывают: приведи дословную цитату"
                " продавца либо убери её."
            )
        if self.lacks_evidence:
            names = ", ".join(criterion.value for criterion in self.lacks_evidence)
            wishes.append(
                f"Цитат ev нет в переписке у критериев: {names}. Приведи дословные слова продавца и"
                " верный номер сообщения i. Проверки и оценки не меняй."
            )
        return " ".join(wishes) or None

    @property
    def evidence(self) -> dict[str, dict[str, object]]:
        """Return what supports each grade, as JSON, by criterion.

        The keys are grade, model_grade, checks, quotes [{message_id, text, repaired}], reasoning,
        flags, weight. The weight is stored because a correction is scored by the
        rubric of the grading.
        """
        return {
            criterion.value: {**_as_json(entry), "weight": self.weights[criterion]}
            for criterion, entry in self.criteria.items()
        }


def _as_json(entry: CriterionVerdict) -> dict[str, object]:
    return {
        "grade": entry.grade.value,
        "model_grade": entry.model_grade.value,
        "checks": {check_id: check.value for check_id, check in entry.checks.items()},
        "quotes": [
            {"message_id": quote.message_id, "text": quote.text, "repaired": quote.repaired}
            for quote in entry.quotes
        ],
        "reasoning": entry.reasoning,
        **store_flags(entry.flags),
    }
