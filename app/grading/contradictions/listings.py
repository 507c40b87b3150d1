"""Read what a listing offers: its price, the amounts of its title, and what they are about."""

import re
from dataclasses import replace
from functools import lru_cache

from app.domain.listing import Listing
from app.grading.contradictions.amount import Amount
from app.grading.contradictions.amounts import list_amounts
from app.grading.contradictions.clauses import fold, make_subject
from app.grading.contradictions.offer import Offer
from app.grading.contradictions.units import Unit

_FREE = re.compile(r"бесплатно|даром")
_IS_RENT = re.compile(r"в месяц|за месяц|(?:за|в) сутки")
_RENT = "аренда арендная плата"
_WORN = re.compile(r"одежд|обув|плать|пальто|костюм|кроссов|ботин|туфл|сапог|джинс|брюк|куртк|юбк")
_SCREEN = re.compile(r"телевизор|телек|телик|монитор|(?<!\w)тв(?!\w)")


def read_offer(listing: Listing | None) -> Offer:
    """Return the amounts of the listing."""
    return _read(listing or Listing())


@lru_cache(maxsize=500)
def _read(listing: Listing) -> Offer:
    title, price_text = listing.title or "", listing.price or ""
    own, wide = fold(f"{title} {price_text}"), fold(f"{title} {listing.category or ''}")
    if _IS_RENT.search(own):
        own, wide = f"{own} {_RENT}", f"{wide} {_RENT}"
    amounts = [_read_bare(one, wide) for one in list_amounts(fold(title))]
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


def _read_bare(amount: Amount, folded: str) -> Amount:
    """Return a number without a unit in the title of clothes or shoes as their size.

    In that of a television it is the diagonal.
    """
    if amount.unit is Unit.BARE and amount.values and _SCREEN.search(folded):
        is_diagonal = 15 <= amount.values[0] <= 100
        return replace(amount, unit=Unit.INCH) if is_diagonal else amount
    is_size = amount.unit is Unit.BARE and amount.values and 30 <= amount.values[0] <= 70
    return replace(amount, unit=Unit.WEAR) if is_size and _WORN.search(folded) else amount
