"""Recognize texts that a weak model copied from the prompt."""

import re
from functools import lru_cache

from app.domain.criteria import Criterion
from app.grading.evidence import QuoteVerifier
from app.grading.model_answer import CriterionAnswer, ModelAnswer
from app.grading.verdict_error import VerdictError

_WORD = re.compile(r"\w+")
COPIED_WORDS = 8
"""Words in a row that also stand in the prompt. Fewer may be a usual phrase."""
SHORTEST_QUOTE = 3
SHORTEST_TEXT = 5
"""Words of a whole text of the prompt. Fewer words, like «Ясно, что дальше», may be the model's."""


def without_copies(answer: ModelAnswer, prompt: str, transcript: QuoteVerifier) -> ModelAnswer:
    """Return the answer without recommendations and reasoning that are copied from the prompt.

    Raises:
        VerdictError: the summary or a quote that the chat lacks is copied.
    """
    if is_copied(answer.summary, prompt, SHORTEST_TEXT):
        raise VerdictError("summary повторяет инструкцию, а не переписку.")
    claims = [*answer.objections, *answer.critical]
    claims += [claim for entry in answer.criteria.values() for claim in entry.evidence]
    if any(
        is_copied(claim.words, prompt) and not transcript.contains(claim.words) for claim in claims
    ):
        raise VerdictError("Цитаты взяты из инструкции, а не из переписки.")
    codes = {check_id for entry in answer.criteria.values() for check_id in entry.checks}
    codes |= {criterion.value for criterion in Criterion}
    changes = {
        "recommendations": tuple(
            advice
            for advice in answer.recommendations
            if not is_copied(advice.text, prompt, SHORTEST_TEXT)
        ),
        "criteria": {
            criterion: _without_copied_reasoning(entry, prompt, codes)
            for criterion, entry in answer.criteria.items()
        },
    }
    return answer.model_copy(update=changes)


def _without_copied_reasoning(
    entry: CriterionAnswer, prompt: str, codes: set[str]
) -> CriterionAnswer:
    """Drop a reasoning that repeats the prompt or names checks by their codes."""
    text = entry.reasoning or ""
    if is_copied(text, prompt, SHORTEST_TEXT) or not codes.isdisjoint(_WORD.findall(text)):
        return entry.model_copy(update={"reasoning": None})
    return entry


def is_copied(text: str, prompt: str, shortest: int = SHORTEST_QUOTE) -> bool:
    """Return whether the text is a part of the prompt, or has COPIED_WORDS of it in a row.

    ``shortest``: the fewest words of such a part.
    """
    words = _words(text)
    if len(words) < COPIED_WORDS:
        return len(words) >= shortest and f" {' '.join(words)} " in _folded(prompt)
    runs = _runs(prompt)
    return any(
        tuple(words[start : start + COPIED_WORDS]) in runs
        for start in range(len(words) - COPIED_WORDS + 1)
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


@lru_cache(maxsize=4)
def _folded(prompt: str) -> str:
    return f" {' '.join(_words(prompt))} "


@lru_cache(maxsize=4)
def _runs(prompt: str) -> frozenset[tuple[str, ...]]:
    words = _words(prompt)
    return frozenset(
        tuple(words[start : start + COPIED_WORDS]) for start in range(len(words) - COPIED_WORDS + 1)
    )
