"""Find messages that are addressed to the grader instead of the other person.

The result is a flag for people, never a reason for a grade.
"""

import re
from collections import Counter
from collections.abc import Sequence

from app.grading.injection.combinations import (
    combines_into_order,
    hides_order,
    offers_work,
    speaks_to_reader,
)
from app.grading.injection.concepts import TOPIC, gives_order, speaks_of_reviews
from app.grading.injection.disguises import hidden_parts, readings
from app.grading.injection.signs import SIGNS

# Of lower-case lines: a pattern that ignores case is several times slower.
_SIGNS = tuple(map(re.compile, SIGNS))
_MARK = re.compile(r"[\w-]{16,64}")
_MOST_JOINED = 8
# A piece of a sentence goes on with the next message: it is short and has no full stop. It begins
# in lower case where it goes on.
_PIECE = re.compile(r"[^\n]{0,59}[^\n.!?)]")
_LAST_PIECE = re.compile(r"[^\n]{1,60}")
_CAPITAL = re.compile("[A-ZА-ЯЁ]")


def addresses_grader(text: str) -> bool:
    """Return whether the text gives orders to a model or a grader, disguised or not.

    A text that poses as a system message or as the answer's format counts as well.
    """
    return any(_is_sign(reading.lower()) for reading in readings(text)) or any(
        map(hides_order, hidden_parts(text))
    )


def addressing_messages(texts: Sequence[str]) -> tuple[int, ...]:
    """Return the places of one person's messages that are addressed to the grader.

    Several short messages may be one order together.
    """
    alone = {place for place, text in enumerate(texts) if addresses_grader(text)}
    return tuple(sorted(alone | _in_parts(texts, alone)))


def _in_parts(texts: Sequence[str], alone: set[int]) -> set[int]:
    """Return the places of short messages in a row that are an order only together."""
    found: set[int] = set()
    for first in range(len(texts)):
        last = first if first in alone | found else _end_of_pieces(texts, first, alone)
        if last > first and _is_joined_order(texts[first : last + 1]):
            end = next(
                end
                for end in range(first + 1, last + 1)
                if end == last or _is_joined_order(texts[first : end + 1])
            )
            found.update(range(_last_beginning(texts, first, end), end + 1))
    return found


def _end_of_pieces(texts: Sequence[str], first: int, alone: set[int]) -> int:
    """Return the place of the last message that may continue the sentence from `first` on."""
    last = first
    while last + 1 < len(texts) and last + 1 - first < _MOST_JOINED and last + 1 not in alone:
        if not _PIECE.fullmatch(texts[last]) or not _LAST_PIECE.fullmatch(texts[last + 1]):
            break
        last += 1
    return last


def _is_joined_order(pieces: Sequence[str]) -> bool:
    """Return whether pieces are an order together.

    Pieces that begin with a capital letter may be separate sentences. They are an order only to a
    named addressee.
    """
    joined = " ".join(pieces)
    if any(_CAPITAL.match(piece) for piece in pieces[1:]):
        return speaks_to_reader(joined.lower())
    return addresses_grader(joined) and not speaks_of_reviews(joined)


def _last_beginning(texts: Sequence[str], first: int, last: int) -> int:
    """Return the place where the order begins, after a greeting or the like."""
    return max(
        (start for start in range(first, last) if _is_joined_order(texts[start : last + 1])),
        default=first,
    )


def _is_sign(reading: str) -> bool:
    has_topic = bool(TOPIC.search(reading))
    return any(
        _is_order(line, has_topic=has_topic) and not offers_work(line)
        for line in reading.splitlines()
    ) or _is_framed(reading)


def _is_order(line: str, *, has_topic: bool) -> bool:
    """Return whether concepts, or patterns in a text with a topic word, make the line an order."""
    return combines_into_order(line) or (has_topic and (_has_sign(line) or gives_order(line)))


def _has_sign(line: str) -> bool:
    for sign in _SIGNS:  # noqa: SIM110  # a generator costs a third more, and nearly every line looks at every sign
        if sign.search(line):
            return True
    return False


def _is_framed(reading: str) -> bool:
    """Return whether the same mark stands on a line before and a line after something."""
    lines = reading.splitlines()
    marks = (
        Counter(line for line in lines if _MARK.fullmatch(line))
        if len(lines) > 2
        else Counter[str]()
    )
    return bool(marks) and max(marks.values()) > 1
