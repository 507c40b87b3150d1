"""The statements of the company in a chat: amounts, and what the words around them are about."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.domain.contradiction import ContradictionKind
from app.domain.visible_text import keep_visible
from app.grading.contradictions import words
from app.grading.contradictions.amounts import Amount, Bound
from app.grading.contradictions.clauses import Clause, fold, list_things, split_clauses
from app.grading.contradictions.units import Unit

_LARGE_ENOUGH = 100
"""A number without a unit from which it may be a price."""
_MOST_ASKED, _MOST_AMOUNTS = 20, 30
"""Clauses of the buyer that are kept, and amounts of one message that are read."""
_LARGEST_WORN = 70
_MEMORY_SIZES = frozenset({16, 32, 64, 128, 256, 512})
_LEAST_AREA_CM = 1_000
_PRONOUN = re.compile(r"(?<!\w)(?:он|она|оно|они|эта|этот|эти|такой|такая|такие)(?!\w)")
_FOR_THING = re.compile(r"^ ?за (?!\d)(?:\w{1,40} ){0,2}\w{1,40}")
_IS_YES = re.compile(r"^ ?(?:да,? )?(?:есть|имеется|имеются)(?: такой| такая| такие)? ?$")
_IF = re.compile(r"(?<!\w)если(?!\w)")
_ORDINAL = re.compile(r"(?:[иыо]й|го) ?$")
_IS_SIZE = re.compile(
    r"есть|в наличии|размер|бирк|(?<!\w)это(?!\w)|сам[оаи]? |на самом деле|по факту"
)

_ASKS = {
    ContradictionKind.PRICE: words.ASKS_PRICE,
    ContradictionKind.SIZE: words.ASKS_SIZE,
    ContradictionKind.YEAR: words.ASKS_YEAR,
    None: words.ASKS_SIZE,
}
_CUES = {**_ASKS, ContradictionKind.PRICE: words.PRICE_CUE}


@dataclass(frozen=True)
class Statement:
    """An amount that the company states.

    - ``text``: the folded words of its clause; ``lead``: those before the amount; ``around``: all
      but the amount, with the context.
    - ``context``: the words before it that it continues: of the same sentence, or of the buyer.
    - ``question``: the last words of the buyer.
    - ``things``: the nouns of these words; the first one tells what the amount is about.
    - ``is_certain``: the unit follows from the words.
    - ``was_bargained``: a lower price was spoken about.
    """

    amount: Amount
    text: str
    lead: str
    around: str
    context: str
    question: str
    things: tuple[str, ...]
    is_certain: bool
    was_bargained: bool
    buyer_values: frozenset[float]
    beside: tuple[Amount, ...]
    """The sizes in the same clause."""
    quote: str


class Talk:
    """Follows a chat, message by message."""

    def __init__(self) -> None:
        self._asked: list[Clause] = []
        self._is_answered = True
        self._was_bargained = False
        self._buyer_values: set[float] = set()

    def hear(self, text: str) -> None:
        """Take a message of the buyer into account."""
        folded = fold(text)
        if self._is_answered:
            self._asked, self._is_answered = [], False
        clauses = split_clauses(folded)
        self._asked = [*self._asked, *clauses][-_MOST_ASKED:]
        self._was_bargained |= bool(words.BARGAIN.search(folded))
        self._buyer_values |= {
            value for clause in clauses for one in clause.amounts for value in one.values
        }

    def read(self, text: str, year: int) -> Iterator[Statement]:
        """Yield the statements of a message of the company that was written in a year."""
        folded, shown = fold(text), keep_visible(text)
        clauses = split_clauses(folded)
        if sum(len(clause.amounts) for clause in clauses) > _MOST_AMOUNTS:
            clauses = []  # a price list
        for place, clause in enumerate(clauses):
            for amount in () if clause.is_question else clause.amounts:
                if statement := self._make(_read_age(amount, year), place, clauses, shown):
                    yield statement
        self._was_bargained |= bool(words.BARGAIN.search(folded))
        self._is_answered = True

    def _make(
        self, amount: Amount, place: int, clauses: Sequence[Clause], shown: str
    ) -> Statement | None:
        clause, question = clauses[place], _join(self._asked)
        if amount.is_negated or amount.bound not in (Bound.EXACT, Bound.FROM):
            return None
        sentence = [one for one in clauses if one.sentence == clause.sentence]
        if _has_other_year(amount, sentence):
            return None
        read, is_certain = _interpret(amount, clause, question)
        if read is None:
            return None
        lead = clause.text[: max(0, amount.start - clause.start)]
        tail = clause.text[amount.end - clause.start :]
        after = _FOR_THING.match(tail)
        things = (*list_things(lead), *(list_things(after[0]) if after else ()))
        context = ""
        if not things and not words.ITSELF.search(lead):
            context = self._find_context(read, place, clauses)
            things = list_things(context)
        return Statement(
            read,
            clause.text,
            lead,
            " , ".join([lead, tail, context, *_list_conditions(sentence)]),
            context,
            question,
            things,
            is_certain,
            self._was_bargained or bool(words.BARGAIN.search(clause.text)),
            frozenset(self._buyer_values),
            beside=_list_beside(amount, clause),
            quote=shown[clause.start : clause.end].strip(" ,.;:—-"),
        )

    def _find_context(self, amount: Amount, place: int, clauses: Sequence[Clause]) -> str:
        """Return the words before the amount that it continues.

        A clause with a word like «цена» continues neither the clause before nor a question about
        something else, unless «есть» answers that question.
        """
        clause, earlier = clauses[place], clauses[:place]
        asks = _ASKS[amount.kind]
        is_cued = _CUES[amount.kind].search(clause.text) and not _PRONOUN.search(clause.text)
        before = earlier[-1:]
        if not is_cued and before and before[0].sentence == clause.sentence and before[0].things:
            return before[0].text
        is_whole = bool(is_cued) and not any(_IS_YES.search(one.text) for one in earlier)
        return self._find_question(asks, is_whole=is_whole)

    def _find_question(self, asks: re.Pattern[str], *, is_whole: bool) -> str:
        """Return the words of the buyer that ask for such an amount, else all unless ``is_whole``.

        A question that names nothing belongs to the clause before it.
        """
        clauses = self._asked
        for place in reversed(range(len(clauses))):
            if asks.search(clauses[place].text):
                first = place if clauses[place].things else max(0, place - 1)
                return _join(clauses[first : place + 1])
        return "" if is_whole else _join(clauses)


def _list_beside(amount: Amount, clause: Clause) -> tuple[Amount, ...]:
    kind = ContradictionKind.SIZE
    return tuple(one for one in clause.amounts if one is not amount and one.kind is kind)


def _join(clauses: Sequence[Clause]) -> str:
    return " , ".join(clause.text for clause in clauses)


def _has_other_year(amount: Amount, sentence: Sequence[Clause]) -> bool:
    """Return whether a sentence names several years, of which one may be that of the thing."""
    if amount.unit is not Unit.YEAR:
        return False
    years = [one for clause in sentence for one in clause.amounts if one.unit is Unit.YEAR]
    return any(one.values != amount.values and not one.is_negated for one in years)


def _list_conditions(sentence: Sequence[Clause]) -> list[str]:
    """Return the clauses with «если»: they hold for the whole sentence."""
    return [clause.text for clause in sentence if _IF.search(clause.text)]


def _interpret(amount: Amount, clause: Clause, question: str) -> tuple[Amount | None, bool]:
    """Return the amount with the unit that the words give it, and whether it is certain."""
    text = clause.text
    if amount.unit is Unit.YEAR and not amount.is_scaled:
        if words.PRICE_CUE.search(text):
            return replace(amount, unit=Unit.ROUBLE, is_scaled=True), True
        is_year = words.ASKS_YEAR.search(question) or words.ASKS_YEAR.search(text)
        return (replace(amount, is_scaled=True), True) if is_year else (None, False)
    if amount.letters and not amount.is_scaled:
        return amount, bool(words.ASKS_SIZE.search(f"{question} {text}"))
    if amount.unit is Unit.LENGTH and words.ASKS_AREA.search(f"{question} {text}"):
        return _read_area(amount), True
    return _interpret_bare(amount, text, question) if amount.unit is Unit.BARE else (amount, True)


def _read_age(amount: Amount, year: int) -> Amount:
    """Return an age as the year of production, which it gives up to a year."""
    if amount.unit is not Unit.AGE:
        return amount
    return replace(amount, unit=Unit.YEAR, values=(year - amount.values[0],), is_aged=True)


def _read_area(amount: Amount) -> Amount:
    """Return «70 метров» of an area as square metres."""
    if len(amount.values) != 1 or amount.values[0] < _LEAST_AREA_CM:
        return amount
    return replace(amount, unit=Unit.AREA, values=(amount.values[0] / 100,))


def _interpret_bare(amount: Amount, text: str, question: str) -> tuple[Amount | None, bool]:
    if len(amount.values) != 1:
        return None, False
    value = amount.values[0]
    if 50 <= value <= 99 and words.ASKS_YEAR.search(question) and _ORDINAL.search(text):
        return replace(amount, unit=Unit.YEAR, values=(1900 + value,)), True
    if value >= _LARGE_ENOUGH and value % 10 == 0 and not words.ASKS_SIZE.search(question):
        is_certain = words.PRICE_CUE.search(text) or words.ASKS_PRICE.search(question)
        return replace(amount, unit=Unit.ROUBLE), bool(is_certain)
    if value in _MEMORY_SIZES and "памят" in question:
        return replace(amount, unit=Unit.STORAGE), True
    if value <= _LARGEST_WORN and _IS_SIZE.search(text) and value == int(value):
        return replace(amount, unit=Unit.WEAR), bool(words.ASKS_SIZE.search(f"{question} {text}"))
    return None, False
