"""Build a verdict from the model's one or two answers about a chat."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from app.domain.contact import Contact
from app.domain.contradiction import Contradiction
from app.domain.criteria import Check, Criterion
from app.domain.flags import Flag
from app.domain.grades import Grade
from app.domain.messages import ChatMessage, Side
from app.domain.score import score
from app.domain.timeliness import follow_waits
from app.grading.accusations import accuses_of_rudeness
from app.grading.contacts import find_contact
from app.grading.contradictions.find import find_contradictions
from app.grading.copying import without_copies
from app.grading.criterion_grading import CriterionGrading
from app.grading.critical_claims import (
    CriticalFinding,
    Support,
    supply_critical,
    verify_critical,
)
from app.grading.evidence import QuoteVerifier
from app.grading.injection.addressing import list_addressing
from app.grading.injection.detect import addresses_grader
from app.grading.masking.masker import Masker
from app.grading.model_answer import ModelAnswer, parse_answer
from app.grading.objections import supply_objections, verify_objections
from app.grading.prompt import ChatContext, system_message
from app.grading.retelling import Retelling
from app.grading.retold_texts import RetoldTexts
from app.grading.rubric import Rubric
from app.grading.verdict import CriterionVerdict, Verdict
from app.grading.verdict_error import VerdictError

_RUDENESS_CHECK = "no_rudeness"
"""The check that an insult must also fail. A rubric of a company may have none of this name."""


def build_verdict(
    answers: Sequence[str],
    window: Sequence[ChatMessage],
    masker: Masker,
    rubric: Rubric,
    context: ChatContext,
) -> Verdict:
    """Return the verdict in the model's one or two answers about `window`.

    `masker`: the one that masked the window for the model. The first answer decides. The second
    one, which the model gave after a complaint, replaces it only if the first cannot be used.
    Otherwise it only supplies quotes that the first one lacks, and criteria that it answers
    differently are flagged: a retry must not change a grade.

    Raises:
        VerdictError: no answer can be used; the message is for the model.
    """
    reader = _Reader(window, masker, rubric, context)
    try:
        first = reader.parse(answers[0])
        verdict = reader.read(first)
    except VerdictError:
        if len(answers) == 1:
            raise
        return reader.read(reader.parse(answers[1]))
    if len(answers) == 1:
        return verdict
    try:
        second = reader.parse(answers[1])
    except VerdictError:
        return verdict
    return reader.read(reader.supply(first, second, verdict), _list_differing(first, second))


def _list_differing(first: ModelAnswer, second: ModelAnswer) -> frozenset[Criterion]:
    """Return the criteria that two answers check differently."""
    differing = {
        criterion
        for criterion in Criterion
        if first.criteria[criterion].checks != second.criteria[criterion].checks
    }
    if _list_responses(first) != _list_responses(second):
        differing.add(Criterion.OBJECTION_HANDLING)
    return frozenset(differing)


def _list_responses(answer: ModelAnswer) -> set[bool]:
    """Return which occur: objections with a response (True), and those without (False)."""
    return {claim.answered is not Check.NO for claim in answer.objections}


class _Reader:
    """Reads answers about one window."""

    def __init__(
        self,
        window: Sequence[ChatMessage],
        masker: Masker,
        rubric: Rubric,
        context: ChatContext,
    ) -> None:
        self._window = window
        self._masker = masker
        self._rubric = rubric
        self._context = context
        self._system = system_message(rubric)
        self._transcript = QuoteVerifier(window, masker)
        self._retelling = Retelling(window, masker, self._transcript, context.zone)
        waits = follow_waits(
            window, context.working_hours, context.zone, is_whole=context.earlier == 0
        )
        self._late = waits.late
        self._grading = CriterionGrading(
            rubric,
            self._transcript,
            self._late,
            waits.find_unanswered_question(context.graded_at),
            [message.id for message in waits.list_fresh_messages(context.graded_at)],
        )

    def parse(self, text: str) -> ModelAnswer:
        """Parse an answer; refuse one with texts or quotes of the prompt."""
        return without_copies(parse_answer(text, self._rubric), self._system, self._transcript)

    def supply(self, first: ModelAnswer, second: ModelAnswer, verdict: Verdict) -> ModelAnswer:
        """Return the first answer with the quotes of the second where the first ones are false."""
        criteria = {
            criterion: entry.model_copy(update={"evidence": second.criteria[criterion].evidence})
            if criterion in verdict.lacks_evidence
            else entry
            for criterion, entry in first.criteria.items()
        }
        changes = {
            "criteria": criteria,
            "objections": supply_objections(first.objections, second.objections, self._transcript),
            "critical": supply_critical(
                first.critical, second.critical, self._transcript, _find_support(first)
            ),
        }
        return first.model_copy(update=changes)

    def read(self, answer: ModelAnswer, differing: frozenset[Criterion] = frozenset()) -> Verdict:
        """Return the verdict in one answer. ``differing``: criteria to flag as unsteady."""
        objections, is_missing, is_plain = verify_objections(answer.objections, self._transcript)
        critical, has_false_fault = verify_critical(
            answer.critical, self._transcript, _find_support(answer)
        )
        criteria = {
            criterion: self._grading.grade(
                criterion, answer.criteria[criterion], objections, critical
            )
            for criterion in Criterion
        }
        criteria = _flag_criteria(criteria, differing, self._list_reused(criteria, critical))
        texts = RetoldTexts(
            answer, self._window, self._transcript, self._retelling, self._known_texts
        )
        found = {
            Flag.CRITICAL: bool(critical),
            Flag.CONTRADICTION: bool(self._contradictions),
            Flag.OBJECTION_UNVERIFIED: is_missing,
            Flag.NOT_AN_OBJECTION: is_plain,
            Flag.CRITICAL_UNVERIFIED: has_false_fault or answer.has_unread_critical,
            Flag.UNVERIFIED_QUOTATION: texts.has_unverified,
            Flag.TEXTS_DISAGREE: _find_support(answer).is_rude is False
            and not critical
            and accuses_of_rudeness(texts.summary, [advice.text for advice in texts.advice]),
            Flag.ADDRESSES_GRADER: bool(self._addressing) or self._is_addressed_by_listing,
        }
        flags = {flag for entry in criteria.values() for flag in entry.flags}
        flags |= {flag for flag, is_set in found.items() if is_set}
        return Verdict(
            criteria={
                criterion: replace(entry, reasoning=texts.reasoning[criterion])
                for criterion, entry in criteria.items()
            },
            objections=objections,
            critical=critical,
            late_answers=self._late,
            contact=self._contact,
            contradictions=self._contradictions,
            summary=texts.summary,
            recommendations=texts.advice,
            score=score(
                {criterion: entry.grade for criterion, entry in criteria.items()},
                self._rubric.weights,
            ),
            weights=self._rubric.weights,
            answers=_list_answers(answer),
            check_vector=_make_vector(answer),
            flags=tuple(flag for flag in Flag if flag in flags),
            grader_addressed_by=self._addressing,
        )

    @cached_property
    def _known_texts(self) -> tuple[str, ...]:
        """Return the texts beside the chat that the model may quote."""
        listing = self._context.listing
        return (*(listing.texts if listing else ()), self._context.facts)

    @cached_property
    def _contact(self) -> Contact | None:
        return find_contact(self._window, self._masker)

    @cached_property
    def _contradictions(self) -> tuple[Contradiction, ...]:
        context = self._context
        return find_contradictions(self._window, context.listing, context.facts, context.graded_at)

    @cached_property
    def _addressing(self) -> tuple[int, ...]:
        return list_addressing(self._window)

    @cached_property
    def _is_addressed_by_listing(self) -> bool:
        listing = self._context.listing
        return listing is not None and any(map(addresses_grader, listing.texts))

    def _list_reused(
        self,
        criteria: Mapping[Criterion, CriterionVerdict],
        critical: Sequence[CriticalFinding],
    ) -> frozenset[Criterion]:
        """Return the criteria that share a quote of the model.

        A seller's only text may support them all, and code may show one message for several.
        """
        if sum(message.side is Side.COMPANY and message.has_text for message in self._window) < 2:
            return frozenset()
        by_code = [*self._grading.quotes_of_code, *(found.quote for found in critical)]
        ignored = {quote.place for quote in by_code}
        uses = Counter(
            quote.place
            for entry in criteria.values()
            for quote in entry.quotes
            if quote.place not in ignored
        )
        return frozenset(
            criterion
            for criterion, entry in criteria.items()
            if any(uses[quote.place] > 1 for quote in entry.quotes)
        )


def _flag_criteria(
    criteria: Mapping[Criterion, CriterionVerdict],
    differing: frozenset[Criterion],
    reused: frozenset[Criterion],
) -> dict[Criterion, CriterionVerdict]:
    flagged = {}
    for criterion, entry in criteria.items():
        flags = set(entry.flags)
        if criterion in differing:
            flags.add(Flag.UNSTEADY)
        if criterion in reused:
            flags.add(Flag.REUSED_QUOTE)
        flagged[criterion] = replace(entry, flags=tuple(flag for flag in Flag if flag in flags))
    return flagged


def _find_support(answer: ModelAnswer) -> Support:
    """Return what the answer says about the seller beside its claims."""
    tonality = answer.criteria[Criterion.TONALITY]
    rudeness = tonality.checks.get(_RUDENESS_CHECK)
    others = [
        entry
        for criterion, entry in answer.criteria.items()
        if criterion is not Criterion.OBJECTION_HANDLING
    ]
    return Support(
        is_rude=None if rudeness is None else rudeness is Check.NO,
        is_low=tonality.grade is Grade.LOW,
        has_fault=any(
            entry.grade is not Grade.HIGH or Check.NO in entry.checks.values() for entry in others
        ),
    )


def _list_answers(answer: ModelAnswer) -> dict[str, Check]:
    """Return the model's answers to all checks, in the order of the criteria."""
    return {
        check_id: check
        for criterion in Criterion
        for check_id, check in answer.criteria[criterion].checks.items()
    }


def _make_vector(answer: ModelAnswer) -> str:
    """Return the model's answers to all checks as one word, with the number of objections."""
    checks = [check.value for check in _list_answers(answer).values()]
    return f"{' '.join(checks)} {len(answer.objections)}"
