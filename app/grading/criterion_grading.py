"""Grade one criterion: complete its checks, derive the grade, collect the quotes.

Code answers what it knows: waiting times, a last question without an answer, the number of
unanswered objections. The model answers the other checks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.domain.criteria import Check, Criterion
from app.domain.critical import GRADE_LIMITS, limit_grade
from app.domain.flags import Flag
from app.domain.grades import Grade
from app.domain.messages import ChatMessage, Side
from app.domain.score import grade_from_checks
from app.domain.timeliness import LateAnswer
from app.grading.critical_claims import CriticalFinding
from app.grading.evidence import Quote, QuoteVerifier
from app.grading.model_answer import CriterionAnswer
from app.grading.objections import Objection
from app.grading.rubric import Computed, Rubric, RubricCheck, RubricCriterion
from app.grading.verdict import CriterionVerdict

MAX_QUOTES = 3
_CLAIMS_READ = 6  # of a criterion's quotes; more would only cost time
_SELLER = frozenset({Side.COMPANY})
_BUYER = frozenset({Side.CLIENT})


class CriterionGrading:
    """Grades the criteria of one window.

    ``late``: its late answers. ``unanswered``: the question of the buyer that ends it, if any.
    ``fresh``: ids of the buyer's messages at its end that the seller still has time to answer.
    """

    def __init__(
        self,
        rubric: Rubric,
        transcript: QuoteVerifier,
        late: Sequence[LateAnswer],
        unanswered: ChatMessage | None,
        fresh: Collection[int] = (),
    ) -> None:
        self._rubric = rubric
        self._transcript = transcript
        self._late = late
        self._unanswered = unanswered
        self._fresh = frozenset(fresh)
        self._shown_by_code = {
            Computed.ANSWER_TIMES: [
                quote
                for answer in late[:MAX_QUOTES]
                for quote in transcript.quote_message(answer.message_id)
            ],
            Computed.LAST_QUESTION: transcript.quote_message(unanswered.id) if unanswered else [],
        }

    @property
    def quotes_of_code(self) -> list[Quote]:
        """Return the messages that code shows as evidence of a computed check."""
        return [quote for quotes in self._shown_by_code.values() for quote in quotes]

    def grade(
        self,
        criterion: Criterion,
        own: CriterionAnswer,
        objections: Sequence[Objection],
        critical: Sequence[CriticalFinding],
    ) -> CriterionVerdict:
        """Return the verdict on one criterion. Its reasoning is added by the caller."""
        checks = self._complete_checks(self._rubric.criteria[criterion], own, objections)
        checks |= self._excuse_fresh(self._rubric.criteria[criterion], own, checks)
        if criterion is Criterion.OBJECTION_HANDLING and not objections:
            disagrees = own.grade is not Grade.NONE
            flags = tuple(flag for flag in (Flag.DISAGREEMENT,) if disagrees)
            return CriterionVerdict(Grade.NONE, own.grade, checks, (), None, flags)
        further = self._count_further_faults(self._rubric.criteria[criterion], objections)
        by_rule = grade_from_checks(checks.values(), further)
        grade = limit_grade(criterion, by_rule or own.grade, {found.fault for found in critical})
        quotes = self._list_quotes(criterion, own, checks, critical, grade)
        found = {
            Flag.DISAGREEMENT: own.grade not in {grade, grade_from_checks(own.checks.values())},
            Flag.NO_EVIDENCE: grade in {Grade.HIGH, Grade.LOW} and not quotes,
            Flag.ALL_NA: by_rule is None,
        }
        flags = tuple(flag for flag, is_set in found.items() if is_set)
        return CriterionVerdict(grade, own.grade, checks, quotes, None, flags)

    def _complete_checks(
        self, entry: RubricCriterion, own: CriterionAnswer, objections: Sequence[Objection]
    ) -> dict[str, Check]:
        """Return all checks in the rubric's order. Code answers what it knows."""
        checks: dict[str, Check] = {}
        for check in entry.checks:
            match check.computed:
                case Computed.ANSWER_TIMES:
                    checks[check.id] = Check.NO if self._late else Check.YES
                case Computed.OBJECTIONS if not objections:
                    checks[check.id] = Check.NOT_APPLICABLE
                case Computed.OBJECTIONS:
                    is_complete = all(objection.answered for objection in objections)
                    checks[check.id] = Check.YES if is_complete else Check.NO
                case Computed.LAST_QUESTION if self._unanswered:
                    checks[check.id] = Check.NO
                case _:
                    checks[check.id] = own.checks[check.id]
        if self._is_whole_fault(entry, objections):
            return {check.id: _excuse(check, checks[check.id]) for check in entry.checks}
        return checks

    def _is_whole_fault(self, entry: RubricCriterion, objections: Sequence[Objection]) -> bool:
        """Return whether code has found a fault that leaves nothing else to judge.

        Without an answer to any objection, or to the last question, the other checks of the
        criterion could only count the same fault again.
        """
        computed = {check.computed for check in entry.checks}
        is_silent = bool(objections) and not any(found.answered for found in objections)
        return (Computed.OBJECTIONS in computed and is_silent) or (
            Computed.LAST_QUESTION in computed and self._unanswered is not None
        )

    def _excuse_fresh(
        self, entry: RubricCriterion, own: CriterionAnswer, checks: Mapping[str, Check]
    ) -> dict[str, Check]:
        """Return changed checks: a message that may still be answered in time is no fault.

        The model's "no" stays if it quotes an earlier message of the buyer. The check is met
        instead of not applicable if no other check of the criterion applies.
        """
        failed = [
            check.id
            for check in entry.checks
            if check.computed is Computed.LAST_QUESTION and checks[check.id] is Check.NO
        ]
        quoted = {quote.message_id for quote in self._verify(own, _BUYER)}
        if not failed or not self._fresh or not quoted <= self._fresh:
            return {}
        applies = any(
            value is not Check.NOT_APPLICABLE
            for name, value in checks.items()
            if name not in failed
        )
        return dict.fromkeys(failed, Check.NOT_APPLICABLE if applies else Check.YES)

    def _count_further_faults(self, entry: RubricCriterion, objections: Sequence[Objection]) -> int:
        """Return the late answers and unanswered objections after the first one of each.

        The check itself counts the first one.
        """
        counts = {
            Computed.ANSWER_TIMES: len(self._late),
            Computed.OBJECTIONS: sum(not objection.answered for objection in objections),
        }
        computed = {check.computed for check in entry.checks}
        return sum(max(count - 1, 0) for kind, count in counts.items() if kind in computed)

    def _list_quotes(
        self,
        criterion: Criterion,
        own: CriterionAnswer,
        checks: Mapping[str, Check],
        critical: Iterable[CriticalFinding],
        grade: Grade,
    ) -> tuple[Quote, ...]:
        """Return the quotes that support a grade: those of code first, then the model's."""
        sides = _quotable_sides(criterion, [*checks.values(), *own.checks.values()])
        quotes = [
            found.quote for found in critical if GRADE_LIMITS[found.fault].get(criterion) is grade
        ]
        quotes += self._list_computed_quotes(self._rubric.criteria[criterion], checks)
        quotes += self._verify(own, sides)
        by_place = {quote.place: quote for quote in quotes}
        return tuple(by_place.values())[:MAX_QUOTES]

    def _list_computed_quotes(
        self, entry: RubricCriterion, checks: Mapping[str, Check]
    ) -> list[Quote]:
        """Return the messages that made code answer a check with no."""
        failed = {check.computed for check in entry.checks if checks[check.id] is Check.NO}
        return [
            quote
            for computed, quotes in self._shown_by_code.items()
            if computed in failed
            for quote in quotes
        ]

    def _verify(self, own: CriterionAnswer, sides: frozenset[Side]) -> list[Quote]:
        claims = own.evidence[:_CLAIMS_READ]
        verified = (self._transcript.verify(claim.number, claim.words, sides) for claim in claims)
        return [quote for quote in verified if quote]


def _excuse(check: RubricCheck, answer: Check) -> Check:
    is_repeated = check.computed is None and answer is Check.NO
    return Check.NOT_APPLICABLE if is_repeated else answer


def _quotable_sides(criterion: Criterion, checks: Collection[Check]) -> frozenset[Side]:
    """Return the sides whose words may support a grade.

    Words of the seller do. Words of the buyer show what the seller left undone (a question without
    an answer) if a check failed, also if the model's "no" does not count. They never support a
    grade of tonality.
    """
    if criterion is not Criterion.TONALITY and Check.NO in checks:
        return _SELLER | _BUYER
    return _SELLER
