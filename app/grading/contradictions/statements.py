"""The statements of the company in a chat: amounts, and what the words around them are about."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain.contradiction import ContradictionKind
from app.domain.visible_text import keep_visible
from app.grading.contradictions import words
from app.grading.contradictions.amount import Amount, Bound
from app.grading.contradictions.clauses import (
    Clause,
    fold,
    list_adjectives,
    list_things,
    split_clauses,
)
from app.grading.contradictions.questions import asks_price
from app.grading.contradictions.readings import Words, read_amount
from app.grading.contradictions.units import Unit

_MOST_ASKED, _MOST_AMOUNTS = 20, 30
"""Clauses of the buyer that are kept, and amounts of one message that are read."""
_PRONOUN = re.compile(
    r"(?<!\w)(?:он|она|оно|они|его|ее|их|н[еи]м|ней|н[еи]го|нее|ему|ей|эта|этот|эти|такой|такая"
    r"|такие|сам[аои]?|весь|вся|все)(?!\w)"
)
_FOR_THING = re.compile(r"^ ?за (?!\d)(?:(?!(?:на|со?|в|по|от) )\w{1,40} ?){1,3}")
_IS_YES = re.compile(r"^ ?(?:да,? )?(?:есть|имеется|имеются)(?: такой| такая| такие)? ?$")
_GREETING = re.compile(r" ?(?:здра|добр|привет|салам|хай|да(?!\w)|конечно|есть|спасибо)")
_PRESENT = ("есть", "имеется", "остались", "продаете", "идет", "дадите")
_IF = re.compile(r"(?<!\w)(?:если|минус|за вычетом|при сдаче)(?!\w)")

_Search = Callable[[str], object]
_ASKS: Mapping[ContradictionKind | None, _Search] = {
    ContradictionKind.PRICE: asks_price,
    ContradictionKind.SIZE: words.ASKS_SIZE.search,
    ContradictionKind.YEAR: words.ASKS_YEAR.search,
    None: words.ASKS_SIZE.search,
}
_CUES: Mapping[ContradictionKind | None, _Search] = {
    **_ASKS,
    ContradictionKind.PRICE: words.PRICE_CUE.search,
    ContradictionKind.YEAR: words.MADE.search,
}


@dataclass(frozen=True)
class Statement:
    """An amount that the company states.

    - ``text``: the folded words of its clause; ``lead``: those before the amount; ``around``: all
      but the amount, with the context.
    - ``context``: the words before it that it continues: of the same sentence, or of the buyer.
    - ``question``: the last words of the buyer.
    - ``things``: the nouns of these words; the first one names what has the amount.
    - ``is_certain``: the unit follows from the words.
    - ``was_bargained``: a lower price was spoken about.
    """

    amount: Amount
    text: str
    lead: str
    tail: str
    around: str
    context: str
    question: str
    things: tuple[str, ...]
    fragment: str
    """A short question about the presence of something, that the statement answers."""
    has_contrast: bool
    """The question is about another thing."""
    is_certain: bool
    was_bargained: bool
    buyer_values: frozenset[float]
    beside: tuple[Amount, ...]
    """The other amounts in the same clause."""
    near: tuple[Amount, ...]
    """The other amounts in the same sentence that are not negated."""
    message: tuple[Amount, ...]
    """The other amounts in the same message."""
    sentence: str
    quote: str


class Talk:
    """Follows a chat, message by message. ``known``: the amounts of the listing and the facts."""

    def __init__(self, known: Sequence[Amount]) -> None:
        self._known = known
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
        clause = clauses[place]
        if amount.is_negated or amount.bound is Bound.ABOUT:
            return None
        sentence = [one for one in clauses if one.sentence == clause.sentence]
        if _has_other_year(amount, sentence):
            return None
        around = self._list_words(amount, place, clauses)
        read, is_certain = read_amount(amount, around, self._known)
        if read is None:
            return None
        lead, tail = around.lead, around.tail
        after = _FOR_THING.match(tail)
        things = (*list_things(lead), *(list_things(after[0]) if after else ()))
        context = ""
        if not (things or after or list_adjectives(lead) or words.ITSELF.search(lead)):
            context = self._find_context(read, place, clauses)
            things = list_things(context)
        return Statement(
            read,
            clause.text,
            lead,
            tail,
            " , ".join([lead, tail, context, *_list_conditions(sentence)]),
            context,
            around.question,
            things,
            self._find_fragment(read, around, place, clauses),
            any(words.CONTRAST.search(one.text) for one in self._asked),
            is_certain,
            self._was_bargained or bool(words.BARGAIN.search(clause.text)),
            frozenset(self._buyer_values),
            beside=tuple(one for one in clause.amounts if one is not amount),
            near=tuple(_list_others(amount, sentence)),
            message=tuple(one for part in clauses for one in part.amounts if one is not amount),
            sentence=_join(sentence),
            quote=shown[clause.start : clause.end].strip(" ,.;:—-"),
        )

    def _find_context(self, amount: Amount, place: int, clauses: Sequence[Clause]) -> str:
        """Return the words before the amount that it continues.

        A clause with a word like «цена» continues neither the clause before nor a question about
        something else, unless «есть» answers that question.
        """
        clause, earlier = clauses[place], clauses[:place]
        asks = _ASKS[amount.kind]
        is_cued = _CUES[amount.kind](clause.text) and not _PRONOUN.search(clause.text)
        before = earlier[-1:]
        if not is_cued and before and before[0].sentence == clause.sentence and before[0].things:
            return before[0].text
        is_whole = (
            bool(is_cued or _has_answer(clause, earlier))
            and not any(_IS_YES.search(one.text) for one in earlier)
        ) or (amount.kind is not ContradictionKind.PRICE)
        return self._find_question(asks, is_whole=is_whole, is_cued=bool(is_cued))

    def _list_words(self, amount: Amount, place: int, clauses: Sequence[Clause]) -> Words:
        clause = clauses[place]
        return Words(
            clause.text[: max(0, amount.start - clause.start)],
            clause.text[amount.end - clause.start :],
            _list_cues(place, clauses),
            _join(self._asked),
            [one for part in self._asked for one in part.amounts],
        )

    def _find_fragment(
        self, amount: Amount, around: Words, place: int, clauses: Sequence[Clause]
    ) -> str:
        """Return the last question if it is «колёса?» or «резина есть?» and not answered yet."""
        text = f"{around.lead} {around.tail}"
        is_own = _PRONOUN.search(text) or _CUES[amount.kind](text)
        if is_own or not self._asked or _has_answer(clauses[place], clauses[:place]):
            return ""
        text = self._asked[-1].text.strip()
        return text if text.endswith(_PRESENT) or text.count(" ") == 0 else ""

    def _find_question(self, asks: _Search, *, is_whole: bool, is_cued: bool) -> str:
        """Return the words of the buyer that ask for such an amount, else all unless ``is_whole``.

        A question that names nothing belongs to the clause before it, unless ``is_cued``.
        """
        clauses = self._asked
        for place in reversed(range(len(clauses))):
            if asks(clauses[place].text):
                is_own = clauses[place].things or is_cued or asks == _ASKS[ContradictionKind.YEAR]
                first = place if is_own else max(0, place - 1)
                return _join(clauses[first : place + 1])
        return "" if is_whole else _join(clauses)


def _list_others(amount: Amount, clauses: Sequence[Clause]) -> Iterator[Amount]:
    for clause in clauses:
        yield from (one for one in clause.amounts if one is not amount and not one.is_negated)


def _list_cues(place: int, clauses: Sequence[Clause]) -> str:
    """Return a clause, after the one before if that has no amount: «стоит немного, пять»."""
    before = clauses[place - 1] if place else None
    if before is None or before.amounts or before.sentence != clauses[place].sentence:
        return clauses[place].text
    return f"{before.text} , {clauses[place].text}"


def _has_answer(clause: Clause, earlier: Sequence[Clause]) -> bool:
    """Return whether a sentence before the clause answers the buyer already."""
    return any(one.sentence != clause.sentence and not _GREETING.match(one.text) for one in earlier)


def _join(clauses: Sequence[Clause]) -> str:
    return " , ".join(clause.text for clause in clauses)


def _has_other_year(amount: Amount, sentence: Sequence[Clause]) -> bool:
    """Return whether a sentence names several years, of which one may be that of the thing."""
    if amount.unit is not Unit.YEAR:
        return False
    years = [one for clause in sentence for one in clause.amounts if one.unit is Unit.YEAR]
    return any(one.values != amount.values and not one.is_negated for one in years)


def _list_conditions(sentence: Sequence[Clause]) -> list[str]:
    """Return the clauses with «если» or «минус»: they hold for the whole sentence."""
    return [clause.text for clause in sentence if _IF.search(clause.text)]


def _read_age(amount: Amount, year: int) -> Amount:
    """Return an age as the year of production, which it gives up to a year."""
    if amount.unit is not Unit.AGE:
        return amount
    return replace(amount, unit=Unit.YEAR, values=(year - amount.values[0],), is_aged=True)
