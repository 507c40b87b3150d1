"""The texts of a model answer for people: names restored, times for numbers, checked quotations."""

from collections.abc import Sequence

from app.domain.messages import ChatMessage
from app.grading.claims import remove_unverified_quotations
from app.grading.evidence import QuoteVerifier
from app.grading.model_answer import ModelAnswer, VerdictError
from app.grading.retelling import Retelling
from app.grading.verdict import Advice


class RetoldTexts:
    """The texts of an answer for people, and whether a quotation had to be removed from one."""

    def __init__(
        self,
        answer: ModelAnswer,
        window: Sequence[ChatMessage],
        transcript: QuoteVerifier,
        retelling: Retelling,
    ) -> None:
        self._transcript = transcript
        self._retelling = retelling
        self.has_unverified = False
        ids = {number: message.id for number, message in enumerate(window, start=1)}
        self.summary = self._retell(answer.summary)
        if not self.summary:
            raise VerdictError("summary состоит из цитат, которых нет в переписке.")
        advice = [
            Advice(ids.get(claim.number), self._retell(claim.text, claim.number))
            for claim in answer.recommendations
        ]
        self.advice = tuple(entry for entry in advice if entry.text)
        self.reasoning = {
            criterion: self._retell(entry.reasoning) or None if entry.reasoning else None
            for criterion, entry in answer.criteria.items()
        }

    def _retell(self, text: str, near: int = 1) -> str:
        kept = remove_unverified_quotations(text, self._transcript)
        self.has_unverified |= kept != text
        return self._retelling.in_words(kept, near)
