"""Notices messages that speak to the grader instead of the other person. A flag for people, never a reason for a grade."""

import re
from collections import Counter
from collections.abc import Sequence

from app.grading.injection.concepts import TOPIC, gives_order, speaks_of_reviews
from app.grading.injection.disguises import readings
from app.grading.injection.signs import SIGNS

# Of lower-case lines: a pattern that ignores case is several times slower.
_SIGNS = tuple(map(re.compile, SIGNS))
_MARK = re.compile(r"[\w-]{16,64}")
_MOST_JOINED = 5
# A piece of a sentence goes on with the next message, or goes on from the one before: no full stop, and no capital letter.
_BEGINNING = re.compile(r"[^\n]{0,59}[^\n.!?)]")
_CONTINUATION = re.compile(r"[^A-ZА-ЯЁ\n][^\n]{0,59}")


def addresses_grader(text: str) -> bool:
    """True where the text, disguised or not, gives orders to a model or a grader, poses as a system message or as the answer's format."""
    return any(_is_sign(reading.lower()) for reading in readings(text))


def addressing_messages(texts: Sequence[str]) -> tuple[int, ...]:
    """The places of the messages of one person that speak to the grader, each by itself or several short ones together."""
    alone = {place for place, text in enumerate(texts) if addresses_grader(text)}
    return tuple(sorted(alone | _in_parts(texts, alone)))


def _in_parts(texts: Sequence[str], alone: set[int]) -> set[int]:
    """The places of short messages, one after another, that only together are an order: one sentence, sent in pieces."""
    found: set[int] = set()
    for first, begin in enumerate(texts):
        if first in alone | found or not _BEGINNING.fullmatch(begin):
            continue
        joined = begin
        for last in range(first + 1, min(len(texts), first + _MOST_JOINED)):
            if last in alone or not _CONTINUATION.fullmatch(texts[last]):
                break
            joined = f"{joined} {texts[last]}"
            if addresses_grader(joined) and not speaks_of_reviews(joined):
                found.update(range(_last_beginning(texts, first, last), last + 1))
                break
            if not _BEGINNING.fullmatch(texts[last]):
                break
    return found


def _last_beginning(texts: Sequence[str], first: int, last: int) -> int:
    """Where the order begins: what stands before it («Здравствуйте») is no part of it."""
    return max(start for start in range(first, last + 1) if addresses_grader(" ".join(texts[start : last + 1])))


def _is_sign(reading: str) -> bool:
    if not TOPIC.search(reading):
        return _is_framed(reading)
    lines = reading.splitlines()
    return any(sign.search(line) for line in lines for sign in _SIGNS) or any(map(gives_order, lines)) or _is_framed(reading)


def _is_framed(reading: str) -> bool:
    """The same mark on a line before and on a line after something."""
    lines = reading.splitlines()
    marks = Counter(line for line in lines if _MARK.fullmatch(line)) if len(lines) > 2 else Counter[str]()
    return bool(marks) and max(marks.values()) > 1
