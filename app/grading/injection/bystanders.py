"""Derive concepts of a word from the words beside it: reader, order, place of the report."""

from collections.abc import Sequence
from functools import reduce
from itertools import takewhile
from operator import or_

from app.grading.injection.lexicon import ACT, Concept

STRONG = Concept.READER | Concept.STRONG
_CALLS = frozenset(",!:-—–")
_STOPS = frozenset(".!?:")
_FIRST_WORDS = 3
_NAMES_AND_WORK = Concept.MODEL | Concept.MACHINE | Concept.JUDGE | Concept.WORK | Concept.CHAT
_JUDGED = (
    Concept.CHAT | Concept.MARK | Concept.REPORT | Concept.THIS | Concept.MESSAGE | Concept.CHECK
)
_REPORTED = Concept.REPORT | Concept.CHECK | Concept.CHAT
_MOODS = Concept.ORDER | Concept.POLITE | Concept.STATED
_DERIVED_FROM = (
    Concept.MODEL
    | Concept.MACHINE
    | Concept.JUDGE
    | Concept.WHO
    | Concept.AUTHOR
    | Concept.REPORT
    | Concept.NOT
    | Concept.DIRECTIVE
    | Concept.ALTER
)


def union(words: Sequence[int]) -> int:
    """Return the concepts of all words together."""
    return reduce(or_, words, 0)


def concepts_of_neighbors(words: Sequence[int], endings: Sequence[str], place: int) -> int:
    """Return the concepts that a word has because of the words beside it."""
    word = words[place]
    if not word & _DERIVED_FROM:
        return 0
    return _reader(words, endings, place) | _report(words, endings, place) | _order(words, place)


def _reader(words: Sequence[int], endings: Sequence[str], place: int) -> int:
    word, before, after = (
        words[place],
        union(words[max(0, place - 3) : place]),
        union(words[place + 1 : place + 4]),
    )
    if word & (Concept.MODEL | Concept.MACHINE | Concept.JUDGE):
        is_called = not before & Concept.OFFER and (
            _is_hailed(words, endings, place) or _stands_apart(words, endings, place)
        )
        return _machine(words, place, before | after, is_called=is_called)
    if word & Concept.WHO and after & (Concept.JUDGING | Concept.WORK):
        return (
            Concept.READER
            if union(words[max(0, place - 2) : place + 7]) & ~Concept.WHO & _JUDGED
            else 0
        )
    return Concept.READER if word & Concept.AUTHOR and (before | after) & _REPORTED else 0


def _is_hailed(words: Sequence[int], endings: Sequence[str], place: int) -> bool:
    """Return whether a word of address precedes the name.

    A thing after a comma is not addressed: «уважаемый, машина на ходу?».
    """
    if words[place] & Concept.THING and place and endings[place - 1]:
        return False
    return bool(union(words[max(0, place - 3) : place]) & Concept.HAIL)


def _stands_apart(words: Sequence[int], endings: Sequence[str], place: int) -> bool:
    """Return whether punctuation sets a name apart.

    The name begins a sentence and a comma or colon follows, or a comma precedes it at the end of
    the line.
    """
    if words[place] & Concept.MACHINE and _previous(words, place) & Concept.YOU:
        return False
    last = _last_of_name(words, place)
    if last == len(words) - 1:
        return place > 0 and endings[place - 1] == ","
    is_thing_alone = words[place] & Concept.THING and last == place
    if is_thing_alone and not union(words[place + 1 : place + 4]) & Concept.ORDER:
        return False
    begins_sentence = place < _FIRST_WORDS or endings[place - 1] in _STOPS
    return begins_sentence and endings[last] in _CALLS


def _last_of_name(words: Sequence[int], place: int) -> int:
    """Return the place of the last of at most three words of a name: «оценщик качества чатов»."""
    following = words[place + 1 : place + 3]
    return place + sum(1 for _ in takewhile(_NAMES_AND_WORK.__and__, following))


def _machine(words: Sequence[int], place: int, around: int, *, is_called: bool) -> int:
    """Return the concepts of a machine or judge that may be the reader.

    A model is the reader. A machine or judge is if a word beside it names its work or if the text
    addresses it. After a preposition it is a tool: «через нейросеть», «без ИИ».
    """
    word, previous = words[place], _previous(words, place)
    if previous & (Concept.AT | Concept.NOT):
        return 0
    if _is_certain_reader(word, previous | union(words[place + 1 : place + 2])):
        return STRONG | Concept.CALLED if is_called else STRONG
    if is_called or (word & Concept.JUDGE and previous & Concept.YOU):
        return STRONG
    is_at_work = word & Concept.MACHINE and around & (Concept.JUDGING | Concept.WORK)
    return Concept.READER if is_at_work else 0


def _previous(words: Sequence[int], place: int) -> int:
    return words[place - 1] if place else 0


def _is_certain_reader(word: int, beside: int) -> bool:
    return bool(
        word & Concept.MODEL
        or (word & Concept.MACHINE and beside & Concept.JUDGE)
        or (word & Concept.JUDGE and beside & (Concept.MACHINE | Concept.CHAT))
    )


def _report(words: Sequence[int], endings: Sequence[str], place: int) -> int:
    """Return whether a report is the place to write into, or the heading of a line."""
    if not words[place] & Concept.REPORT:
        return 0
    is_heading = place == 0 and ":" in endings[:4]
    return (Concept.INTO_REPORT if union(words[max(0, place - 2) : place]) & Concept.AT else 0) | (
        Concept.HEADING if is_heading else 0
    )


def _order(words: Sequence[int], place: int) -> int:
    word = words[place]
    found = Concept.ALTERING if word & Concept.ALTER and word & Concept.ORDER else 0
    if word & Concept.NOT and any(
        after & ACT and after & _MOODS for after in words[place + 1 : place + 4]
    ):
        found |= Concept.ALTERING
    if word & Concept.DIRECTIVE and any(after & ACT for after in words[place + 1 : place + 7]):
        found |= Concept.ORDER
    return found
