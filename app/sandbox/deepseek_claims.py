"""Claims of the local DeepSeek: objections of the buyer, critical faults of the seller."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.sandbox.deepseek_chat import (
    Exchange,
    GradedChat,
    Quote,
    Turn,
    clip_sentence,
    find_quote,
)
from app.sandbox.deepseek_lexicon import (
    ACKNOWLEDGED,
    ARGUED,
    AVAILABLE,
    DOUBTED,
    INSULT,
    LIMIT,
    OBJECTION,
    OPTION,
    OUTSIDE,
    QUESTION,
    RELIED,
    RUDE,
    SOLD,
)

MOST_OBJECTIONS = 10
RESPONSES = (ACKNOWLEDGED, ARGUED, OPTION, LIMIT)


@dataclass(frozen=True)
class Objection:
    """An objection of the buyer.

    `replies`: the seller's polite messages before the buyer writes again. `discussion`: those
    before the buyer writes twice again.
    """

    quote: Quote
    replies: tuple[Turn, ...]
    discussion: tuple[Turn, ...]

    @property
    def is_answered(self) -> bool:
        return any(find_quote(pattern, self.replies) for pattern in RESPONSES)


@dataclass(frozen=True)
class CriticalFault:
    """A critical fault of the seller and the words that show it."""

    fault: str
    quote: Quote


def list_objections(chat: GradedChat) -> list[Objection]:
    """Return the buyer's objections: to the price, a prepayment, a distance, a term, honesty."""
    found: list[Objection] = []
    for number, exchange in enumerate(chat.exchanges):
        replies, discussion = (
            tuple(turn for near in chat.exchanges[number:end] for turn in list_calm(near.seller))
            for end in (number + 1, number + 2)
        )
        found += [Objection(quote, replies, discussion) for quote in _list_objecting(exchange)]
    return found[:MOST_OBJECTIONS]


def _list_objecting(exchange: Exchange) -> Iterator[Quote]:
    """Yield the sentences that object. A question does so only if it doubts something."""
    for turn in exchange.buyer:
        for sentence in turn.sentences:
            match = OBJECTION.search(sentence)
            if match and (not QUESTION.search(sentence) or DOUBTED.search(sentence)):
                yield Quote(turn.i, clip_sentence(sentence, match.start()))


def list_calm(turns: tuple[Turn, ...] | list[Turn]) -> list[Turn]:
    """Return the messages without rude words."""
    return [turn for turn in turns if not find_quote(RUDE, [turn])]


def list_critical(chat: GradedChat) -> list[CriticalFault]:
    """Return the critical faults, each once."""
    found = {
        "insult": find_quote(INSULT, chat.seller),
        "outside_payment": find_quote(OUTSIDE, chat.seller),
        "false_availability": _find_false_availability(chat),
    }
    return [CriticalFault(fault, quote) for fault, quote in found.items() if quote]


def _find_false_availability(chat: GradedChat) -> Quote | None:
    """Return the words that the goods are gone, after the buyer relied on having them."""
    offered = find_quote(AVAILABLE, chat.seller)
    if offered is None:
        return None
    relied = find_quote(RELIED, [turn for turn in chat.buyer if turn.i > offered.i])
    return relied and find_quote(SOLD, [turn for turn in chat.seller if turn.i > relied.i])
