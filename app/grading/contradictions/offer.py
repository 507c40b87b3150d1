"""The amounts of a listing, and the statements that contradict them."""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from app.domain.contradiction import ContradictionKind
from app.grading.contradictions import conditions, words
from app.grading.contradictions.amount import Amount, Bound
from app.grading.contradictions.clauses import (
    Subject,
    has_verb,
    list_additions,
    list_adjectives,
    list_things,
)
from app.grading.contradictions.comparison import agree, are_comparable
from app.grading.contradictions.questions import (
    asks_price,
    asks_quantity,
    asks_under_condition,
)
from app.grading.contradictions.sizes import WHEELS, is_other_size
from app.grading.contradictions.statements import Statement
from app.grading.contradictions.units import Unit

_LEAST_RATIO, _MOST_RATIO = 0.25, 4.0
_PRICE_NEAR, _SIZE_NEAR = (0.6, 1.6), (0.45, 2.2)
"""A price beyond these shares of the listing's is probably that of another thing."""
_LEAST_VARIANT = 10
_BY_PAPER = re.compile(r"(?<!\w)(?:по|в) птс(?!\w)")
_NEAR = 30
"""Characters after an amount that may name its thing."""
_MODEL = re.compile(r"(?<!\w)([a-z]{2,40}|[а-я]{3,40}) \d{1,4}[a-z]{0,2}(?![\w])")


@dataclass(frozen=True)
class Offer:
    """The listing. ``price``: its own; ``amounts``: of the title; ``subject``: title and price;
    ``wide``: with the category."""

    title: str
    price_text: str
    subject: Subject
    wide: Subject
    price: Amount | None
    earlier_prices: tuple[Amount, ...]
    amounts: tuple[Amount, ...]

    @cached_property
    def units(self) -> frozenset[str]:
        """What the price is for."""
        return words.list_units(self.subject.folded)

    def list_amounts(self) -> list[Amount]:
        """Return the price and the amounts of the title."""
        return [*([self.price] if self.price else []), *self.amounts]

    def contradicts(self, statement: Statement) -> str | None:
        """Return the words of the listing that the statement contradicts; None: none."""
        if self._is_about_other(statement):
            return None
        amount = self._read_wheel(statement.amount)
        if amount.unit is Unit.ROUBLE:
            return self.price_text if self._is_other_price(statement) else None
        known = [one for one in self.amounts if are_comparable(amount, one)]
        if not known or not _differs(amount, known) or self._is_repeated(statement, known):
            return None
        is_other = (
            self._is_other_year(statement)
            if amount.unit is Unit.YEAR
            else is_other_size(replace(statement, amount=amount), known, self.subject, self.wide)
        )
        return self.title if is_other else None

    def _is_repeated(self, statement: Statement, known: list[Amount]) -> bool:
        """Return whether the message has the amount of the listing too, be it without a unit."""
        bare = (one for one in statement.message if one.unit is Unit.BARE and one.values)
        if any(one.values == other.values for one in bare for other in known):
            return True
        same = [one for one in statement.message if are_comparable(one, known[0])]
        return any(
            agree(one, other) and not _are_sides_of_one(one, statement, other)
            for one in same
            for other in known
            if not one.is_negated
        )

    def _names_variant(self, statement: Statement) -> bool:
        """Return whether the message has a size that differs from the one in the title."""
        sizes = (one for one in statement.message if one.kind is ContradictionKind.SIZE)
        return any(
            are_comparable(one, known)
            and len(one.values) == len(known.values)
            and not agree(one, known)
            for one in sizes
            for known in self.amounts
        )

    def _has(self, amount: Amount) -> bool:
        """Return whether the title names this very size."""
        return any(are_comparable(amount, one) and agree(amount, one) for one in self.amounts)

    def _read_wheel(self, amount: Amount) -> Amount:
        """Return «диаметр 16» of wheels as their size."""
        is_wheel = amount.unit is Unit.LENGTH and not amount.is_scaled and len(amount.values) == 1
        if is_wheel and 12 <= amount.values[0] <= 24 and WHEELS.search(self.wide.folded):
            return replace(amount, unit=Unit.WHEEL)
        return amount

    def _is_about_other(self, statement: Statement) -> bool:
        """Return whether the first thing or a model that the statement names is another one."""
        if self.subject.lacks(words.OTHER_THING, statement.question) or words.OTHERS.search(
            statement.sentence
        ):
            return True
        if not self._names_thing(statement):
            return True
        return any(
            re.search(rf"(?<!\w){found[1]} \d", self.subject.folded)
            and found[0] not in self.subject.folded
            for found in _MODEL.finditer(statement.around)
        )

    def _names_thing(self, statement: Statement) -> bool:
        """Return whether the first thing that the statement names is that of the listing.

        A question for the year, or one before an answer that names the thing, need not name it.
        """
        amount, things = statement.amount, statement.things[:1]
        if statement.context and (
            amount.unit is Unit.YEAR
            or self._is_likely_answer(statement)
            or any(map(self.wide.names, list_things(statement.tail[:_NEAR])))
        ):
            things = ()
        if amount.unit is Unit.YEAR and words.ASKS_YEAR.search(statement.question):
            asked = list_things(statement.question)
            things = tuple(thing for thing in things if thing not in asked)
        if not things and not statement.context:
            things = list_things(statement.fragment)[:1]
        if statement.context and words.list_units(statement.text) & self.units:
            things = ()
        added = _list_added(statement)
        return all(map(self.wide.names, (*things, *added, *list_adjectives(statement.lead))))

    def _is_likely_answer(self, statement: Statement) -> bool:
        """Return whether a question about an unknown thing is likely to be about this one."""
        amount = statement.amount
        asks = asks_price if amount.unit is Unit.ROUBLE else words.ASKS_SIZE.search
        if statement.has_contrast or len(amount.values) != 1 or not asks(statement.context):
            return False
        own = [one for one in self.list_amounts() if one.unit is amount.unit]
        values = [value for one in own for value in one.values]
        least, most = _PRICE_NEAR if amount.unit is Unit.ROUBLE else _SIZE_NEAR
        return any(least <= amount.values[0] / x <= most for x in values if x)

    def _is_other_price(self, statement: Statement) -> bool:
        price, amount = self.price, statement.amount
        if price is None or price.bound not in (Bound.EXACT, Bound.FROM):
            return False
        is_least = price.bound is Bound.FROM and bool(conditions.MINIMUM.search(statement.text))
        bound = Bound.FROM if is_least else amount.bound
        if bound is not price.bound or amount.values == price.values:
            return False
        exact = [one for one in (price, *self.earlier_prices) if one.bound is Bound.EXACT]
        if any(agree(amount, one) for one in exact):
            return False
        if self._is_of_other_offer(statement) or self._states_own_price(statement):
            return False
        has_unit = bool(words.list_units(words.drop_excluded(statement.around)))
        return self._is_likely(statement, price.values[0], has_unit)

    def _states_own_price(self, statement: Statement) -> bool:
        """Return whether the message has the price of the listing too: «с чехлом 6, без 5»."""
        if self.price is None:
            return False
        price = self.price.values[0]
        stated = (one for one in statement.message if not one.is_negated and len(one.values) == 1)
        return any(
            one.values[0] in (price, price / 1000)
            for one in stated
            if one.unit in (Unit.ROUBLE, Unit.BARE)
        )

    def _is_of_other_offer(self, statement: Statement) -> bool:
        """Return whether a price may be that of a service, a quantity, a variant or a discount."""
        text = words.drop_excluded(statement.around)
        own = f"{statement.lead} , {statement.tail}"
        return (
            self.subject.lacks(conditions.SERVICE, text)
            or self.subject.lacks(conditions.CONDITION, statement.lead)
            or self.subject.lacks(conditions.CONDITION, statement.tail)
            or bool(conditions.WITHOUT.search(own))
            or self._names_other_kind(statement)
            or self.subject.lacks(conditions.OFFER, text)
            or words.names_count(statement.lead, self.subject.folded)
            or asks_under_condition(statement.question, statement.text)
            or asks_quantity(statement.question, statement.text, self.subject.folded)
            or any(not self._has(one) for one in statement.beside if _is_variant(one))
            or self._names_variant(statement)
            or (self._is_lower(statement) and self._is_discount(statement))
            or bool(words.list_units(text) - words.list_own_units(self.subject.folded))
        )

    def _names_other_kind(self, statement: Statement) -> bool:
        """Return whether more than the thing is named: «стрижка йорка» of «стрижка собак»."""
        return not all(map(self.wide.names, list_things(statement.lead)[1:]))

    def _is_lower(self, statement: Statement) -> bool:
        return self.price is not None and statement.amount.values[0] < self.price.values[0]

    def _is_discount(self, statement: Statement) -> bool:
        text = f"{statement.around} {statement.sentence}"
        return bool(conditions.DISCOUNT.search(statement.lead)) or self.subject.lacks(
            conditions.DISCOUNT, text
        )

    def _is_likely(self, statement: Statement, price: float, has_unit: bool) -> bool:
        value = statement.amount.values[0]
        is_cued = bool(words.PRICE_CUE.search(statement.text))
        is_named = bool(statement.things) and not statement.context
        if value in statement.buyer_values and not is_cued:
            return False
        if not (statement.is_certain or is_named or has_unit):
            return False
        if not price:
            return is_cued or is_named or asks_price(statement.question)
        if value < price and (statement.was_bargained or value in statement.buyer_values):
            return False
        return _LEAST_RATIO <= value / price <= _MOST_RATIO

    def _is_other_year(self, statement: Statement) -> bool:
        if not statement.buyer_values.isdisjoint(statement.amount.values):
            return False
        is_asked = bool(words.ASKS_YEAR.search(statement.question))
        is_event = words.IN_YEAR.search(statement.lead) and not is_asked
        if is_event and not words.MADE.search(statement.text):
            return False
        is_named = statement.things or words.ITSELF.search(statement.lead) or is_asked
        if statement.amount.is_aged and (not is_named or has_verb(statement.lead)):
            return False
        around = statement.around
        if is_asked:
            asking = [one for one in statement.question.split(" , ") if words.ASKS_YEAR.search(one)]
            around = _BY_PAPER.sub("", " , ".join([statement.lead, statement.tail, *asking]))
        return not self.subject.lacks(words.OTHER_YEAR, around)


def _list_added(statement: Statement) -> tuple[str, ...]:
    """Return what a price or an area includes: «140 м² с верандой», «14 000 с пуфом»."""
    unit = statement.amount.unit
    added = list_additions(statement.lead) if unit in (Unit.ROUBLE, Unit.AREA) else ()
    return (*added, *list_additions(statement.tail)) if unit is Unit.ROUBLE else added


def _is_variant(amount: Amount) -> bool:
    """Return whether an amount beside a price may name a variant or a quantity."""
    return amount.kind is ContradictionKind.SIZE or (
        amount.unit is Unit.BARE and bool(amount.values) and amount.values[0] >= _LEAST_VARIANT
    )


def _are_sides_of_one(one: Amount, statement: Statement, known: Amount) -> bool:
    """Return whether both amounts are sides that the sentence names, each of «160х200»."""
    is_split = len(one.values) == len(statement.amount.values) == 1 and len(known.values) > 1
    return is_split and len(words.list_sides(statement.sentence)) > 1


def _differs(amount: Amount, known: list[Amount]) -> bool:
    """Return whether an amount contradicts all known ones. A bound contradicts only a bound."""
    if amount.bound in (Bound.EXACT, Bound.RANGE):
        return not any(agree(amount, one) for one in known)
    return all(one.bound is amount.bound and one.values != amount.values for one in known)
