"""The texts of a model answer for people: names restored, times for numbers, checked quotations."""

from collections.abc import Iterator, Sequence

from app.domain.messages import ChatMessage
from app.grading.evidence import QuoteVerifier
from app.grading.model_answer import ModelAnswer
from app.grading.quotations import check_quotations
from app.grading.retelling import Retelling
from app.grading.verdict import Advice
from app.grading.verdict_error import VerdictError


class RetoldTexts:
    """The texts of an answer for people, and whether one had a quotation that is not verified."""

    def __init__(
        self,
        answer: ModelAnswer,
        window: Sequence[ChatMessage],
        transcript: QuoteVerifier,
        retelling: Retelling,
        known_texts: Sequence[str] = (),
    ) -> None:
        """``known_texts``: of the listing and the company, which the answer may quote too."""
        self._transcript = transcript
        self._retelling = retelling
        self._known = known_texts
        self._ids = {number: message.id for number, message in enumerate(window, start=1)}
        self.has_unverified = False
        self.summary = self._retell(answer.summary)
        if not self.summary:
            raise VerdictError("summary состоит из цитат, которых нет в переписке.")
        self.advice = tuple(self._list_advice(answer))
        self.reasoning = {
            criterion: self._retell(entry.reasoning) or None if entry.reasoning else None
            for criterion, entry in answer.criteria.items()
        }

    def _list_advice(self, answer: ModelAnswer) -> Iterator[Advice]:
        """Yield the advice without that which quotes invented words: a part of it would mislead."""
        for claim in answer.recommendations:
            checked = check_quotations(claim.text, self._transcript, self._known)
            self.has_unverified |= checked.has_unverified
            if not checked.is_cut:
                yield Advice(
                    self._ids.get(claim.number),
                    self._retelling.in_words(checked.text, claim.number or 1),
                )

    def _retell(self, text: str) -> str:
        checked = check_quotations(text, self._transcript, self._known)
        self.has_unverified |= checked.has_unverified
        return self._retelling.in_words(checked.text)
