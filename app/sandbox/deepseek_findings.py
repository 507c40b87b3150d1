"""Results of the local DeepSeek's checks, and the questions that the seller answered."""

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.deepseek_chat import (
    Exchange,
    GradedChat,
    Quote,
    find_quote,
)
from app.sandbox.deepseek_lexicon import (
    DIGIT,
    EVASIVE,
    REPEATED,
    RUDE,
)


@dataclass(frozen=True)
class Finding:
    """Result of a check: `y`, `n` or `na`, its quote, and the message for the advice."""

    value: str
    quote: Quote | None = None
    i: int | None = None


NOT_APPLICABLE = Finding("na")
Rule = Callable[[GradedChat], Finding]


def list_answered(chat: GradedChat) -> list[Exchange]:
    """Return the exchanges with words of both sides in which the seller answered something."""
    return [
        exchange
        for exchange in chat.exchanges
        if exchange.buyer and exchange.seller and not is_evaded(chat, exchange)
    ]


def is_evaded(chat: GradedChat, exchange: Exchange) -> bool:
    """Return whether a question got messages that do not answer it, or had to be repeated."""
    if not exchange.has_question or not exchange.seller or exchange.is_shown:
        return False
    following = chat.exchanges[chat.exchanges.index(exchange) + 1 :][:1]
    if following and find_quote(REPEATED, following[0].buyer):
        return True
    written = [sentence for turn in exchange.seller for sentence in turn.sentences]
    return all(
        RUDE.search(sentence) or (EVASIVE.search(sentence) and not DIGIT.search(sentence))
        for sentence in written
    )
