"""The amounts of a listing, and the statements that contradict them."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from app.domain.listing import Listing
from app.grading.contradictions import words
from app.grading.contradictions.amounts import Amount, Bound, list_amounts
from app.grading.contradictions.clauses import Subject, fold, list_adjectives, make_subject
from app.grading.contradictions.comparison import agree, are_comparable
from app.grading.contradictions.statements import Statement
from app.grading.contradictions.units import Unit

_FREE = re.compile(r"бесплатно|даром")
_IS_RENT = re.compile(r"в месяц|за месяц|(?:за|в) сутки")
_RENT = "аренда арендная плата"
_WORN = re.compile(r"одежд|обув|плать|пальто|костюм|кроссов|ботин|туфл|сапог")
_BED = re.compile(r"кроват|матрас|матрац")
_WHEELS = re.compile(r"шин|резин|диск|колес|покрышк")
_LEAST_RATIO, _MOST_RATIO = 0.25, 4.0
"""A price beyond these shares of the listing's is probably that of another thing."""
_MODEL = re.compile(r"(?<!\w)([a-z]{2,40}|[а-я]{3,40}) \d{1,4}[a-z]{0,2}(?![\w])")
_IS_IN_STOCK = re.compile(r"(?<!\w)(?<!то )есть(?!\w)")
_WITHOUT = re.compile(
    r"(?<!\w)без \w{1,40}|(?<!\w)с балкон\w{1,20}|(?<!\w)еще (?=актуал|прод|в налич|есть|свобод"
    r"|не прод)"
)


def _without(text: str) -> str:
    """Return the text without what an amount does not include."""
    return _WITHOUT.sub("", text)


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

    def contradicts(self, statement: Statement) -> str | None:
        """Return the words of the listing that the statement contradicts; None: none."""
        if self._is_about_other(statement):
            return None
        amount = self._read_wheel(statement.amount)
        if amount.unit is Unit.ROUBLE:
            return self.price_text if self._is_other_price(statement) else None
        known = [one for one in self.amounts if are_comparable(amount, one)]
        if not known or amount.bound is Bound.FROM or any(agree(amount, one) for one in known):
            return None
        is_other = (
            self._is_other_year(statement)
            if amount.unit is Unit.YEAR
            else self._is_other_size(replace(statement, amount=amount), known)
        )
        return self.title if is_other else None

    def _has(self, amount: Amount) -> bool:
        """Return whether the title names this very size."""
        return any(are_comparable(amount, one) and agree(amount, one) for one in self.amounts)

    def _read_wheel(self, amount: Amount) -> Amount:
        """Return «диаметр 16» of wheels as their size."""
        is_wheel = amount.unit is Unit.LENGTH and not amount.is_scaled and len(amount.values) == 1
        if is_wheel and 12 <= amount.values[0] <= 24 and _WHEELS.search(self.wide.folded):
            return replace(amount, unit=Unit.WHEEL)
        return amount

    def _is_about_other(self, statement: Statement) -> bool:
        """Return whether the first thing or a model that the statement names is another one."""
        named = (*statement.things[:1], *list_adjectives(statement.lead))
        if not all(map(self.wide.names, named)):
            return True
        return any(
            re.search(rf"(?<!\w){found[1]} \d", self.subject.folded)
            and found[0] not in self.subject.folded
            for found in _MODEL.finditer(statement.around)
        )

    def _is_other_price(self, statement: Statement) -> bool:
        price, amount = self.price, statement.amount
        if price is None or price.bound not in (Bound.EXACT, Bound.FROM):
            return False
        if amount.bound is not price.bound or amount.values == price.values:
            return False
        exact = [one for one in (price, *self.earlier_prices) if one.bound is Bound.EXACT]
        if any(agree(amount, one) for one in exact):
            return False
        if self._is_of_other_offer(statement):
            return False
        has_unit = bool(words.list_units(_without(statement.around)))
        return self._is_likely(statement, price.values[0], has_unit)

    def _is_of_other_offer(self, statement: Statement) -> bool:
        """Return whether a price may be that of a service, a quantity, a variant or a discount."""
        text = _without(statement.around)
        return (
            self.subject.lacks(words.SERVICE, text)
            or self.subject.lacks(words.OFFER, text)
            or words.names_count(statement.lead, self.subject.folded)
            or any(not self._has(one) for one in statement.beside)
            or bool(words.list_units(text) - words.list_units(self.subject.folded))
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
            return is_cued or is_named or bool(words.ASKS_PRICE.search(statement.question))
        if value < price and (statement.was_bargained or value in statement.buyer_values):
            return False
        return _LEAST_RATIO <= value / price <= _MOST_RATIO

    def _is_other_year(self, statement: Statement) -> bool:
        if words.IN_YEAR.search(statement.lead) and not words.MADE.search(statement.text):
            return False
        is_named = statement.things or words.ITSELF.search(statement.lead)
        if statement.amount.is_aged and not is_named:
            return False
        around = statement.around
        if words.ASKS_YEAR.search(statement.question):
            around = around.replace("птс", "")
        return not self.subject.lacks(words.OTHER_YEAR, around)

    def _is_other_size(self, statement: Statement, known: list[Amount]) -> bool:
        amount, around = statement.amount, _without(statement.around)
        is_asked = not statement.buyer_values.isdisjoint(amount.values)
        if _IS_IN_STOCK.search(f"{statement.text} {statement.question if is_asked else ''}"):
            return False
        if _BED.search(self.subject.folded):
            around = around.replace("спальн", "")
        if not statement.is_certain or self.subject.lacks(words.OTHER_SIZE, around):
            return False
        if amount.unit is Unit.WHEEL:
            return bool(_WHEELS.search(self.wide.folded))
        if amount.unit is Unit.LENGTH:
            return self._is_other_length(statement, known)
        return True

    def _is_other_length(self, statement: Statement, known: list[Amount]) -> bool:
        """Return whether a length is one of the sides that the listing names."""
        amount = statement.amount
        if len(known) != 1:
            return False
        if len(amount.values) > 1 or len(known[0].values) > 1:
            return len(amount.values) > 1 and len(known[0].values) > 1
        asked, own = words.list_sides(statement.question), words.list_sides(self.subject.folded)
        said = words.list_sides(statement.text) or asked
        if own:
            return said == own
        if not said or said == {"length"} or (said == {"width"} and asked == {"diameter"}):
            return True
        return said == asked and known[0].values[0] in statement.buyer_values


def read_offer(listing: Listing | None) -> Offer:
    """Return the amounts of the listing."""
    return _read(listing or Listing())


@lru_cache(maxsize=500)
def _read(listing: Listing) -> Offer:
    title, price_text = listing.title or "", listing.price or ""
    own, wide = fold(f"{title} {price_text}"), fold(f"{title} {listing.category or ''}")
    if _IS_RENT.search(own):
        own, wide = f"{own} {_RENT}", f"{wide} {_RENT}"
    amounts = [_read_worn(one, wide) for one in list_amounts(fold(title))]
    return Offer(
        title,
        price_text,
        make_subject(own),
        make_subject(wide),
        _read_price(price_text),
        tuple(price for text in listing.earlier_prices if (price := _read_price(text))),
        tuple(one for one in amounts if one.kind is not None),
    )


def _read_price(text: str) -> Amount | None:
    folded = fold(text)
    if _FREE.search(folded):
        return Amount(Unit.ROUBLE, (0.0,), 0, len(folded))
    return next((one for one in list_amounts(folded) if one.unit is Unit.ROUBLE), None)


def _read_worn(amount: Amount, folded: str) -> Amount:
    """Return a number without a unit in the title of clothes or shoes as their size."""
    is_size = amount.unit is Unit.BARE and amount.values and 30 <= amount.values[0] <= 70
    return replace(amount, unit=Unit.WEAR) if is_size and _WORN.search(folded) else amount
