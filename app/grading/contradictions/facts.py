"""The amounts of the company's facts, by subject, and the statements that contradict them."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from app.domain.contradiction import ContradictionKind
from app.domain.visible_text import keep_visible
from app.grading.contradictions import conditions, words
from app.grading.contradictions.amount import Amount, Bound
from app.grading.contradictions.clauses import (
    Clause,
    Subject,
    fold,
    list_adjectives,
    list_lemmas,
    list_things,
    make_subject,
    split_clauses,
)
from app.grading.contradictions.comparison import agree, are_comparable
from app.grading.contradictions.lexicon import WORKS
from app.grading.contradictions.numbers import list_numbers
from app.grading.contradictions.questions import asks_quantity
from app.grading.contradictions.readings import is_near
from app.grading.contradictions.statements import Statement
from app.grading.contradictions.units import Unit

_SMALL_WORDS = """
и в во на по с со за у к до от из о об для не это быть мы вы наш ваш весь да нет есть
наличие цена стоить рубль руб тысяча год сам такой какой сколько а но или же ли бы то он она
они добрый день здравствовать здравствуйте можно
"""
_UNSAID = frozenset(_SMALL_WORDS.split())
_WORD = re.compile(r"[а-я]{3}")
_LONG_WORD = re.compile(r"[а-я]{4}")
_ADDS = re.compile(r"(?<=[а-я] )(?:и|плюс) (?!поч|скол|скок|как|цен|по )[а-я]|\+")
_MOST_TIMES = 12
_LEAST_NAME = 3
_HERE = re.compile(
    r"(?<!\w)(?:здесь|тут|эт(?:ой|ом|от|у) (?:улиц|адрес|мест|зал|здани|помещени)|филиал|переех)"
)
"""Words of a place that is not the only one."""


@dataclass(frozen=True)
class Fact:
    """An amount of the facts, its words, and what it is about. ``sentence``: its number."""

    amount: Amount
    text: str
    words: str
    sentence: int
    subject: Subject
    things: frozenset[str]
    whole: Subject
    """Of its sentence up to its clause."""


@dataclass(frozen=True)
class Facts:
    """All amounts of the facts. ``subject``: the whole text."""

    entries: tuple[Fact, ...]
    subject: Subject

    def has(self, amount: Amount) -> bool:
        """Return whether the facts name this very amount."""
        return any(
            are_comparable(amount, fact.amount) and agree(amount, fact.amount)
            for fact in self.entries
        )

    def contradicts(self, statement: Statement, listing: Subject) -> str | None:
        """Return the words of the fact that the statement contradicts; None: none.

        ``listing``: what the chat is about. The facts that share most words with the statement
        decide, if none of the same measure has its amount.
        """
        amount = statement.amount
        is_price = amount.unit is Unit.ROUBLE
        if amount.bound not in ((Bound.EXACT,) if is_price else (Bound.EXACT, Bound.RANGE)):
            return None
        if amount.is_aged or self._is_doubtful(statement):
            return None
        same = [fact for fact in self.entries if _is_same_measure(statement, fact)]
        about = _list_nearest(statement, same)
        lead = frozenset(list_things(statement.lead))
        alike = [fact for fact in same if fact.things & lead] if about else []
        if not about or any(agree(amount, fact.amount) for fact in alike or same):
            return None
        if _is_repeated(statement, about[0]):
            return None
        if self._is_about_other(statement, about[0], listing) or self._is_calculated(statement):
            return None
        return about[0].words

    def _is_about_other(self, statement: Statement, fact: Fact, listing: Subject) -> bool:
        """Return whether the statement, or its sentence before it, names something unknown."""
        adjectives = list_adjectives(statement.lead)
        lead = list_things(statement.lead)
        things = [thing for thing in lead if thing not in WORKS] or lead
        named = things or (() if adjectives else statement.things[:1])
        before = list_things(statement.sentence.partition(statement.text)[0])[:1]
        return (
            self._is_of_variant(statement)
            or not all(map(self.subject.names, adjectives))
            or not all(self.subject.names(thing) or listing.names(thing) for thing in before)
            or not all(fact.whole.names(thing) or listing.names(thing) for thing in named)
            or not self._knows_question(statement, listing)
        )

    def _knows_question(self, statement: Statement, listing: Subject) -> bool:
        """Return whether a year is of something known: of the question, if it names nothing."""
        is_own = statement.things or words.FOUNDED.search(statement.text)
        is_year = statement.amount.unit is Unit.YEAR
        asked = (
            () if is_own or not is_year else list_things(statement.question.split(" , ")[-1])[:1]
        )
        return all(self.subject.names(thing) or listing.names(thing) for thing in asked)

    def _is_doubtful(self, statement: Statement) -> bool:
        if statement.amount.unit is Unit.YEAR:
            return bool(_HERE.search(statement.sentence))
        if statement.amount.unit is not Unit.ROUBLE:
            return False
        is_other = (
            self.subject.lacks(conditions.OFFER, statement.around)
            or self.subject.lacks(conditions.CONDITION, statement.lead)
            or self.subject.lacks(conditions.CONDITION, statement.tail)
            or words.names_count(statement.lead, self.subject.folded)
        )
        return (
            is_other
            or asks_quantity(statement.question, statement.text, self.subject.folded)
            or (statement.was_bargained and bool(words.BARGAIN.search(statement.around)))
        )

    def _is_of_variant(self, statement: Statement) -> bool:
        """Return whether a size that the facts lack, or that the buyer wishes, is named too."""
        if statement.amount.unit is Unit.LENGTH:
            return not statement.buyer_values.isdisjoint(statement.amount.values)
        return any(not self.has(one) for one in statement.beside if _is_size(one))

    def _is_name(self, count: str) -> bool:
        """Return whether a number is that of a model: «574»."""
        return len(count) >= _LEAST_NAME and count in self.subject.folded

    def _is_calculated(self, statement: Statement) -> bool:
        """Return whether the amount may be a multiple or a sum of known ones."""
        if statement.amount.unit is not Unit.ROUBLE:
            return False
        text = f"{statement.around} {statement.question}"
        if not (words.COUNTS.search(text) or _ADDS.search(statement.question)):
            return False
        asked = (found[0] for found in words.COUNTS.finditer(statement.question))
        if not _WORD.search(statement.lead) and not all(map(self._is_name, asked)):
            return True
        counts = {*range(1, _MOST_TIMES), *(number.value for number in list_numbers(text))}
        value = statement.amount.values[0]
        prices = {fact.amount.values[0] for fact in self.entries if fact.amount.unit is Unit.ROUBLE}
        return any(
            abs(first + times * price - value) < 1
            for first in (0.0, *prices)
            for price in prices
            for times in counts
        )


def _is_size(amount: Amount) -> bool:
    return amount.kind is ContradictionKind.SIZE and amount.unit is not Unit.PLACES


def _is_same_measure(statement: Statement, fact: Fact) -> bool:
    """Return whether the fact is of the same unit, side and kind of year."""
    if not are_comparable(statement.amount, fact.amount):
        return False
    if statement.amount.unit is Unit.YEAR:
        return _name_event(statement.lead, statement) == _name_event(fact.text, None)
    sides = words.list_sides(statement.text) or words.list_sides(statement.question)
    own = words.list_sides(fact.text)
    if statement.amount.unit is Unit.LENGTH:
        if len(statement.amount.values) != len(fact.amount.values):
            return False
        if sides - {"length"} != own - {"length"} and not sides & own:
            return False
    units, known = words.list_units(statement.text), words.list_units(fact.text)
    return not (units and known and not units & known)


def _name_event(text: str, statement: Statement | None) -> str:
    """Return whether a year is that of a foundation, or of a thing."""
    around = text if statement is None else f"{statement.text} {statement.lead.strip()}"
    is_founded = words.FOUNDED.search(around) or re.search(r"(?<!\w)с \d{4}", around)
    return "founded" if is_founded else "made"


def _list_nearest(statement: Statement, facts: Sequence[Fact]) -> list[Fact]:
    """Return the facts that share most words with the statement, at least one.

    All sizes of clothes are about the same, and so are all years of a foundation.
    """
    if statement.amount.unit is Unit.WEAR or (
        statement.amount.unit is Unit.YEAR and _name_event("", statement) == "founded"
    ):
        return list(facts)
    for text in (statement.text, f"{statement.context} {statement.question}"):
        own = list_lemmas(text) - _UNSAID
        scores = [_count_shared(own, fact) for fact in facts]
        if best := max(scores, default=0.0):
            return [fact for fact, score in zip(facts, scores, strict=True) if score == best]
    return list(facts) if len(facts) == 1 and _is_plain(statement) else []


def _is_repeated(statement: Statement, fact: Fact) -> bool:
    """Return whether the sentence has the known amount too: «сегодня 700, завтра 500»."""
    return any(one.values == fact.amount.values for one in statement.near)


def _is_plain(statement: Statement) -> bool:
    """Return whether the statement is only a size or year that the buyer has not named."""
    kind = statement.amount.kind
    is_asked = kind is ContradictionKind.YEAR and words.ASKS_YEAR.search(statement.question)
    return (
        (kind is ContradictionKind.SIZE or bool(is_asked))
        and not _LONG_WORD.search(statement.lead)
        and not statement.beside
        and statement.buyer_values.isdisjoint(statement.amount.values)
    )


def _count_shared(own: frozenset[str], fact: Fact) -> float:
    """Return how much a fact shares with the words of a statement; its own clause counts most."""
    clause = len(own & fact.subject.lemmas) + 2 * len(own & fact.things)
    return clause + len(own & fact.whole.lemmas) / 2


@lru_cache(maxsize=4)
def read_facts(text: str) -> Facts:
    """Return the amounts of the facts. A clause that names nothing belongs to the one before."""
    shown, folded = keep_visible(text), fold(text)
    clauses, entries = split_clauses(folded), list[Fact]()
    worn = _group_worn(clauses)
    for place, clause in enumerate(clauses):
        before = [one.text for one in clauses[:place] if one.sentence == clause.sentence]
        whole = " ".join([*before, clause.text])
        about = clause.text if clause.things else whole
        quote = shown[clause.start : clause.end].strip(" ,.;:—-")
        for amount in clause.amounts:
            read = _read_listed(amount, worn[clause.sentence])
            if read.kind is not None and read.unit is not Unit.PLACES and not read.is_negated:
                subject, things = make_subject(about), frozenset(list_things(about))
                entries.append(
                    Fact(read, about, quote, clause.sentence, subject, things, make_subject(whole))
                )
    return Facts(tuple(entries), make_subject(folded))


def _group_worn(clauses: Sequence[Clause]) -> dict[int, list[Amount]]:
    """Return the sizes of clothes by the number of their sentence."""
    worn = defaultdict[int, list[Amount]](list)
    for clause in clauses:
        worn[clause.sentence] += [one for one in clause.amounts if one.unit is Unit.WEAR]
    return worn


def _read_listed(amount: Amount, worn: Sequence[Amount]) -> Amount:
    """Return a number without a unit beside a size as one: «36, 37 и 38 размеры».

    ``worn``: the sizes of its sentence.
    """
    is_single = amount.unit is Unit.BARE and len(amount.values) == 1
    is_listed = is_single and is_near(amount.values[0], worn[:1], Unit.WEAR)
    return replace(amount, unit=Unit.WEAR) if is_listed else amount
