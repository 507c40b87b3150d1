"""Build a verdict from the model's answer: checked grades, verified quotes, advice and flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.domain.criteria import Check, Criterion
from app.domain.flags import Flag
from app.domain.grades import Grade
from app.domain.messages import ChatMessage, Side
from app.domain.score import grade_from_checks, score
from app.grading.evidence import Quote, QuoteVerifier
from app.grading.injection.detect import addressing_messages
from app.grading.masking.masker import Masker
from app.grading.model_answer import CriterionAnswer, ModelAnswer, ObjectionClaim, parse_answer
from app.grading.retelling import Retelling
from app.grading.rubric import Rubric

MAX_QUOTES = 3
MAX_ADDRESSING = 5
_CLAIMS_READ = 6  # of a criterion's quotes; more would only cost time
_SELLER = frozenset({Side.COMPANY})
_BUYER = frozenset({Side.CLIENT})


@dataclass(frozen=True)
class CriterionVerdict:
    """The final grade (by rule), the model's grade, and their evidence.

    `checks`: in the rubric's order.
    """

    grade: Grade
    model_grade: Grade
    checks: Mapping[str, Check]
    quotes: tuple[Quote, ...]
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
    - `objection`: the buyer's verified words.
    - `flags`: every flag of the criteria and of the verdict.
    - `grader_addressed_by`: ids of at most five messages addressed to the grader, oldest first.
    """

    criteria: Mapping[Criterion, CriterionVerdict]
    objection: Quote | None
    summary: str
    recommendations: tuple[Advice, ...]
    score: float
    weights: Mapping[Criterion, float]
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
                "objection.present — true, но слов q нет ни в одном сообщении покупателя: приведи"
                " дословную цитату покупателя либо ответь present: false и grade: none у"
                " objection_handling."
            )
        if self.lacks_evidence:
            names = ", ".join(criterion.value for criterion in self.lacks_evidence)
            wishes.append(
                f"Цитат ev нет в переписке у критериев: {names}. Приведи дословные слова продавца и"
                " верный номер сообщения i."
            )
        return " ".join(wishes) or None

    @property
    def evidence(self) -> dict[str, dict[str, object]]:
        """Return what supports each grade, as JSON: grade, checks, quotes, flags, weight.

        The keys are grade, model_grade, checks, quotes [{message_id, text, repaired}], flags,
        weight. The weight is stored because a correction is scored by the rubric of the grading.
        """
        return {
            criterion.value: {**_as_json(entry), "weight": self.weights[criterion]}
            for criterion, entry in self.criteria.items()
        }


def build_verdict(
    answer_text: str, window: Sequence[ChatMessage], masker: Masker, rubric: Rubric, zone: ZoneInfo
) -> Verdict:
    """Return the verdict in the model's answer about `window`.

    `masker`: the one that masked the window for the model. `zone`: the time zone of times in texts.
    An objection without verified words of the buyer counts as absent and is flagged, because it
    would lower the seller's grade. If the verdict has a `complaint`, the caller asks once more. It
    keeps the second verdict, or this one if the second answer cannot be parsed. Raises
    VerdictError.
    """
    answer = parse_answer(answer_text, rubric)
    transcript = QuoteVerifier(window, masker)
    objection = _verified_objection(answer.objection, transcript)
    criteria = {
        criterion: _criterion_verdict(
            criterion, answer.criteria[criterion], rubric, transcript, objection
        )
        for criterion in Criterion
    }
    flags = {flag for entry in criteria.values() for flag in entry.flags}
    if answer.objection.present and objection is None:
        flags.add(Flag.OBJECTION_UNVERIFIED)
    addressing = _addressing(window)
    if addressing:
        flags.add(Flag.ADDRESSES_GRADER)
    retelling = Retelling(window, masker, transcript, zone)
    return Verdict(
        criteria=criteria,
        objection=objection,
        summary=retelling.in_words(answer.summary),
        recommendations=_advice(answer, window, retelling),
        score=score(
            {criterion: entry.grade for criterion, entry in criteria.items()}, rubric.weights
        ),
        weights=rubric.weights,
        flags=tuple(flag for flag in Flag if flag in flags),
        grader_addressed_by=addressing,
    )


def _addressing(window: Sequence[ChatMessage]) -> tuple[int, ...]:
    """Return the ids of the first messages that are addressed to the grader.

    The first such message of each side is included, however many the other side wrote before.
    """
    by_side = [_addressing_of_side(window, side) for side in Side]
    first_of_side = {ids[0] for ids in by_side if ids}
    found = {message_id for ids in by_side for message_id in ids}
    ids = [message.id for message in window if message.id in found]
    kept = sorted(ids, key=lambda message_id: message_id not in first_of_side)[:MAX_ADDRESSING]
    return tuple(message_id for message_id in ids if message_id in kept)


def _addressing_of_side(window: Sequence[ChatMessage], side: Side) -> list[int]:
    own = [message for message in window if message.side is side]
    return [own[place].id for place in addressing_messages([message.text for message in own])]


def _verified_objection(claim: ObjectionClaim, transcript: QuoteVerifier) -> Quote | None:
    if not claim.present or claim.words is None:
        return None
    return transcript.verify(claim.number or 0, claim.words, _BUYER)


def _criterion_verdict(
    criterion: Criterion,
    answer: CriterionAnswer,
    rubric: Rubric,
    transcript: QuoteVerifier,
    objection: Quote | None,
) -> CriterionVerdict:
    checks = {
        check_id: answer.checks[check_id] for check_id in rubric.criteria[criterion].check_ids
    }
    if criterion is Criterion.OBJECTION_HANDLING and objection is None:
        flags = () if answer.grade is Grade.NONE else (Flag.DISAGREEMENT,)
        return CriterionVerdict(Grade.NONE, answer.grade, checks, (), flags)
    by_rule = grade_from_checks(checks.values())
    grade = by_rule or answer.grade
    quotes = _quotes(answer, _quotable_sides(criterion, checks), transcript)
    found = {
        Flag.DISAGREEMENT: grade is not answer.grade,
        Flag.NO_EVIDENCE: grade in {Grade.HIGH, Grade.LOW} and not quotes,
        Flag.ALL_NA: by_rule is None,
    }
    return CriterionVerdict(
        grade, answer.grade, checks, quotes, tuple(flag for flag, is_set in found.items() if is_set)
    )


def _quotable_sides(criterion: Criterion, checks: Mapping[str, Check]) -> frozenset[Side]:
    """Return the sides whose words may support a grade.

    Words of the seller do. Words of the buyer show what the seller left undone (a question without
    an answer) if a check failed. They never support a grade of tonality.
    """
    if criterion is not Criterion.TONALITY and Check.NO in checks.values():
        return _SELLER | _BUYER
    return _SELLER


def _quotes(
    answer: CriterionAnswer, sides: frozenset[Side], transcript: QuoteVerifier
) -> tuple[Quote, ...]:
    verified = (
        transcript.verify(claim.number, claim.words, sides)
        for claim in answer.evidence[:_CLAIMS_READ]
    )
    by_place = {(quote.message_id, quote.text): quote for quote in verified if quote}
    return tuple(by_place.values())[:MAX_QUOTES]


def _advice(
    answer: ModelAnswer, window: Sequence[ChatMessage], retelling: Retelling
) -> tuple[Advice, ...]:
    ids = {number: message.id for number, message in enumerate(window, start=1)}
    return tuple(
        Advice(ids.get(claim.number), retelling.in_words(claim.text, claim.number))
        for claim in answer.recommendations
    )


def _as_json(entry: CriterionVerdict) -> dict[str, object]:
    return {
        "grade": entry.grade.value,
        "model_grade": entry.model_grade.value,
        "checks": {check_id: check.value for check_id, check in entry.checks.items()},
        "quotes": [
            {"message_id": quote.message_id, "text": quote.text, "repaired": quote.repaired}
            for quote in entry.quotes
        ],
        "flags": [flag.value for flag in entry.flags],
    }
