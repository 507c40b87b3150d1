"""Find orders to a grader by the concepts of the words of a line.

An addressee, an act and an object within one short window are an order.
"""

import re
from collections.abc import Sequence

from app.grading.injection.bystanders import STRONG, concepts_of_neighbors, union
from app.grading.injection.combination_rules import (
    HIDDEN_ACT,
    HIDDEN_OBJECT,
    RULES,
    RULES_WITH_CALL,
    RULES_WITH_READER,
    WORK_OFFER,
)
from app.grading.injection.lexicon import ACT, Concept
from app.grading.injection.word_concepts import concepts_of, is_imperative

_WINDOW = 18
_STEP = 6
_WORD = re.compile(r"[^\W\d_]{1,40}|\d{1,8}")
_LONGEST_LINE = 4_000
_GRADED = Concept.MARK | Concept.CRITERION | Concept.CHAT | Concept.STAFF | Concept.REPORT


def combines_into_order(line: str) -> bool:
    """Return whether a window of a lower-case line matches one of the rules."""
    return _is_order(line, RULES)


def speaks_to_reader(line: str) -> bool:
    """Return whether a window matches one of the rules that require a named addressee."""
    return _is_order(line, RULES_WITH_READER)


def offers_work(line: str) -> bool:
    """Return whether a line offers a job or sells AI and does not call a model by name.

    Graders and grades are the goods of such an offer.
    """
    return bool(WORK_OFFER.search(line)) and not _is_order(line, RULES_WITH_CALL)


def hides_order(line: str) -> bool:
    """Return whether a decoded lower-case line has an act and an object.

    An innocent sender encodes neither.
    """
    words = union([concepts_of(match[0]) for match in _WORD.finditer(line, 0, _LONGEST_LINE)])
    return bool(words & ACT and words & HIDDEN_ACT and words & HIDDEN_OBJECT)


def _is_order(line: str, rules: Sequence[tuple[int, ...]]) -> bool:
    matches = list(_WORD.finditer(line, 0, _LONGEST_LINE))
    words = [concepts_of(match[0]) for match in matches]
    if not _has_rule(_assuming_neighbors(union(words)), rules):
        return False
    return any(
        _has_rule(window, rules) and not _is_talk_of_goods(window)
        for window in _windows(_with_derived(line, matches, words))
    )


def _with_derived(line: str, matches: Sequence[re.Match[str]], words: Sequence[int]) -> list[int]:
    """Return the concepts of each word with those derived from its neighbors and its mood."""
    endings = [line[match.end() : match.end() + 2].strip()[:1] for match in matches]
    derived = [
        word | concepts_of_neighbors(words, endings, place) for place, word in enumerate(words)
    ]
    if not union(derived) & Concept.CALLED:
        return derived
    return [
        word if word & Concept.HAIL else word | _imperative(match[0])
        for word, match in zip(derived, matches, strict=True)
    ]


def _imperative(word: str) -> int:
    return Concept.IMPERATIVE if is_imperative(word) else 0


def _windows(words: Sequence[int]) -> list[int]:
    """Return the concepts of each window; a line shorter than two windows' steps is one window."""
    return [
        union(words[start : start + _WINDOW])
        for start in range(0, max(1, len(words) - _WINDOW + _STEP), _STEP)
    ]


def _has_rule(window: int, rules: Sequence[tuple[int, ...]]) -> bool:
    for rule in rules:
        for mask in rule:
            if not window & mask:
                break
        else:
            return True
    return False


def _is_talk_of_goods(window: int) -> bool:
    """Return whether talk of goods makes a window harmless.

    An offer does unless the text calls a model by name. Other goods do unless a model or a judge is
    asked for an act.
    """
    if window & Concept.OFFER:
        return not window & Concept.CALLED
    is_to_reader = (
        window & STRONG == STRONG
        and window & (Concept.ORDER | Concept.ALTERING)
        and window & _GRADED
    )
    return bool(window & Concept.GOODS) and not window & Concept.CALLED and not is_to_reader


def _assuming_neighbors(words: int) -> int:
    """Return the most concepts that the words of a line may have, in any order."""
    readers = (
        STRONG | Concept.CALLED
        if words & (Concept.MODEL | Concept.MACHINE | Concept.JUDGE | Concept.WHO | Concept.AUTHOR)
        else 0
    )
    orders = Concept.ORDER | Concept.ALTERING if words & ACT else 0
    reports = Concept.INTO_REPORT | Concept.HEADING if words & Concept.REPORT else 0
    return words | readers | orders | reports | Concept.IMPERATIVE
