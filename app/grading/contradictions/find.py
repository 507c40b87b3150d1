"""Find what the company states about price, size or year that contradicts what it offers.

False findings cost trust. Therefore a statement counts only if it is about the thing of the listing
or the subject of a fact, without any word that allows another meaning.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.domain.contradiction import Contradiction, ContradictionKind
from app.domain.listing import PRICE_HOLDS_FOR, Listing
from app.domain.messages import ChatMessage, Side
from app.grading.contradictions.facts import Facts, read_facts
from app.grading.contradictions.listings import read_offer
from app.grading.contradictions.offer import Offer
from app.grading.contradictions.statements import Statement, Talk

_LONGEST_TEXT, _LONGEST_CHAT = 1_000, 40_000
"""Characters of a message, and of a window, that are read."""
_LONGEST_QUOTE = 120


def find_contradictions(
    window: Sequence[ChatMessage],
    listing: Listing | None,
    facts: str,
    graded_at: datetime | None = None,
) -> tuple[Contradiction, ...]:
    """Return the contradictions in the company's messages, in their order.

    A message has at most one of each kind. ``facts``: the text of COMPANY_FACTS_FILE.
    ``graded_at``: prices in messages older than PRICE_HOLDS_FOR do not count then.
    """
    offer, known = read_offer(listing), read_facts(facts)
    if not offer.price and not offer.amounts and not known.entries:
        return ()
    talk = Talk([*offer.list_amounts(), *(fact.amount for fact in known.entries)])
    found: dict[tuple[int, ContradictionKind], Contradiction] = {}
    left = _LONGEST_CHAT
    for message in window:
        text = message.text[: min(_LONGEST_TEXT, left)]
        if not message.is_by_person or not message.has_text or not text:
            continue
        left -= len(text)
        if message.side is Side.CLIENT:
            talk.hear(text)
            continue
        is_old = graded_at is not None and graded_at - message.sent_at > PRICE_HOLDS_FOR
        for statement in talk.read(text, message.sent_at.year):
            if is_old and statement.amount.kind is ContradictionKind.PRICE:
                continue
            for kind, quote, words in _compare(statement, offer, known):
                found.setdefault(
                    (message.id, kind),
                    Contradiction(kind, message.id, quote, words[:_LONGEST_QUOTE]),
                )
    return tuple(found.values())


def _compare(
    statement: Statement, offer: Offer, facts: Facts
) -> Iterator[tuple[ContradictionKind, str, str]]:
    kind = statement.amount.kind
    if kind is None:
        return
    words = None if facts.has(statement.amount) else offer.contradicts(statement)
    words = words or facts.contradicts(statement, offer.wide)
    if words:
        yield kind, statement.quote[:_LONGEST_QUOTE], words
