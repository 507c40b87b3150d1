"""Checks of the local DeepSeek, each a rule over words and times.

A rule returns yes, no or not applicable, and the quote that supports it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.deepseek_chat import (
    CLOSES,
    OPENS,
    Exchange,
    GradedChat,
    Quote,
    Turn,
    first,
    opening,
)
from app.sandbox.deepseek_lexicon import (
    ACKNOWLEDGED,
    ARGUED,
    CONFIRMED,
    DIGIT,
    EVASIVE,
    INFORMED,
    OBJECTION,
    OPTION,
    POLITE,
    POSTPONED,
    PROPOSAL,
    REPEATED,
    RUDE,
    SETTLED,
    SHOUT,
    SHOWN,
    SLANG,
    SPECIFIC,
    STEP,
    UNSURE,
    WARM,
)

FIRST_MINUTES, LATER_MINUTES = 60, 180
LONG_MESSAGE = 600


@dataclass(frozen=True)
class Finding:
    """Result of a check: `y`, `n` or `na`, its quote, and the message for the advice."""

    value: str
    quote: Quote | None = None
    i: int | None = None


Rule = Callable[[GradedChat], Finding]


def _courteous(chat: GradedChat) -> Finding:
    polite = first(POLITE, chat.seller)
    return Finding("y", polite) if polite else Finding("n", opening(chat.seller))


def _no_rudeness(chat: GradedChat) -> Finding:
    rude = first(RUDE, chat.seller) or first(SHOUT, chat.seller)
    return Finding("n", rude) if rude else Finding("y", opening(chat.seller))


def _attentive(chat: GradedChat) -> Finding:
    repeated = first(REPEATED, chat.buyer)
    said = [turn for turn in chat.seller if turn.sentences]
    curt = len(said) > 1 and sum(len(turn.words.split()) for turn in said) / len(said) < 4
    if repeated or curt or chat.hanging:
        return Finding("n", opening(reversed(said)), repeated.i if repeated else None)
    return Finding("y", first(WARM, chat.seller) or opening(chat.seller))


def _timely(chat: GradedChat) -> Finding:
    """Limits: an hour for the first answer and for night messages, three hours for others.

    The hour for a night message starts at 9:00.
    """
    answered = [
        (number, exchange)
        for number, exchange in enumerate(chat.exchanges)
        if exchange.wait is not None
    ]
    waits = [
        ((exchange.wait or 0) - _allowed(exchange, is_first=number == 0), exchange)
        for number, exchange in answered
    ]
    if chat.hanging and not chat.seller:
        return Finding("n", i=chat.hanging.i)
    if not waits:
        return Finding("na")
    late, exchange = max(waits, key=lambda wait: wait[0])
    return Finding("n" if late > 0 else "y", opening(exchange.seller), exchange.seller[0].i)


def _allowed(exchange: Exchange, *, is_first: bool) -> int:
    written = exchange.buyer[0].at
    at_night = written is not None and not OPENS <= written.hour < CLOSES
    return FIRST_MINUTES if is_first or at_night else LATER_MINUTES


def _competent(chat: GradedChat) -> Finding:
    if unsure := first(UNSURE, chat.seller):
        return Finding("n", unsure)
    knows = first(INFORMED, chat.seller)
    return Finding("y", knows) if knows else Finding("n", opening(chat.seller))


def _literate(chat: GradedChat) -> Finding:
    if slang := first(SLANG, chat.seller):
        return Finding("n", slang)
    said = [turn for turn in chat.seller if turn.sentences and turn.words[0].isalpha()]
    careless = [turn for turn in said if turn.words[0].islower()]
    return (
        Finding("n", opening(careless))
        if len(careless) * 2 > len(said)
        else Finding("y", opening(chat.seller))
    )


def _evaded(exchange: Exchange) -> bool:
    """Return whether a question got no answer or only an evasive one."""
    said = [sentence for turn in exchange.seller for sentence in turn.sentences]
    shown = any(SHOWN.match(turn.text) for turn in exchange.seller)
    if not shown and all(EVASIVE.search(sentence) for sentence in said):
        return True
    return (
        len(exchange.seller) == 1
        and any(map(EVASIVE.search, said))
        and not any(map(DIGIT.search, said))
    )


def _direct_answers(chat: GradedChat) -> Finding:
    asked = [exchange for exchange in chat.exchanges if exchange.asks]
    if not asked:
        return Finding("na")
    for exchange in asked:
        if _evaded(exchange):
            return Finding("n", opening(exchange.seller), (exchange.seller or exchange.buyer)[-1].i)
    return Finding("y", opening(asked[0].seller))


def _specifics(chat: GradedChat) -> Finding:
    precise = [turn for turn in chat.seller if SHOWN.match(turn.text) or first(SPECIFIC, [turn])]
    enough = len(precise) * 3 >= len(chat.seller) > 0
    return Finding("y", first(SPECIFIC, precise)) if enough else Finding("n", opening(chat.seller))


def _readable(chat: GradedChat) -> Finding:
    for turn in chat.seller:
        wall = len(turn.text) > LONG_MESSAGE and "\n" not in turn.text
        unbroken = len(turn.words) > 120 and not re.search(r"[.,;:!?\n]", turn.words)
        if wall or unbroken or first(SHOUT, [turn]):
            return Finding("n", opening([turn]))
    scraps = [turn for turn in chat.seller if turn.sentences and len(turn.words) < 12]
    if len(chat.seller) > 1 and len(scraps) * 2 > len(chat.seller):
        return Finding("n", opening(scraps))
    return Finding("y", opening(chat.seller))


def _need_identified(chat: GradedChat) -> Finding:
    if asked := first(re.compile(r"\?"), [turn for turn in chat.seller if not first(RUDE, [turn])]):
        return Finding("y", asked)
    for exchange in chat.exchanges:
        if len(_stems(exchange.buyer) & _stems(exchange.seller)) > 1:
            return Finding("y", opening(exchange.seller))
    return Finding("n", opening(chat.seller))


def _stems(turns: tuple[Turn, ...]) -> set[str]:
    return {word[:5].lower() for turn in turns for word in re.findall(r"\w{4,}", turn.words)}


def _solution_offered(chat: GradedChat) -> Finding:
    calm = [turn for turn in chat.seller if not first(RUDE, [turn])]
    proposal = first(PROPOSAL, calm)
    return Finding("y", proposal) if proposal else Finding("n", opening(chat.seller))


def _questions_closed(chat: GradedChat) -> Finding:
    asked = [exchange for exchange in chat.exchanges if exchange.asks]
    if not asked:
        return Finding("na")
    last = asked[-1]
    return Finding(
        "n" if _evaded(last) else "y", opening(last.seller), (last.seller or last.buyer)[-1].i
    )


def _after_objection(chat: GradedChat, pattern: re.Pattern[str]) -> Finding:
    objection = objection_of(chat)
    if objection is None:
        return Finding("na")
    later = [turn for turn in chat.seller if turn.i > objection.i and not first(RUDE, [turn])]
    found = first(pattern, later)
    return (
        Finding("y", found)
        if found
        else Finding("n", opening(later) or opening(chat.seller), objection.i)
    )


def _next_step(chat: GradedChat) -> Finding:
    step = first(STEP, [turn for turn in chat.seller[-4:] if not first(RUDE, [turn])])
    return Finding("y", step) if step else Finding("n", opening(chat.seller[-1:]))


def _agreement(chat: GradedChat) -> Finding:
    settled = first(SETTLED, chat.seller[-4:])
    step = first(STEP, chat.seller[-4:])
    if settled or (step and first(CONFIRMED, chat.buyer[-3:])):
        return Finding("y", settled or step)
    return Finding("n", opening(chat.seller[-1:]))


def _no_hanging(chat: GradedChat) -> Finding:
    if chat.hanging:
        return Finding("n", opening(chat.seller[-1:]), chat.hanging.i)
    postponed = first(POSTPONED, chat.seller[-1:])
    return Finding("n", postponed) if postponed else Finding("y", opening(chat.seller[-1:]))


def objection_of(chat: GradedChat) -> Quote | None:
    """Return the buyer's first objection: price, prepayment, distance or deciding now."""
    return first(OBJECTION, chat.buyer)


RULES: dict[str, Rule] = {
    "courteous": _courteous,
    "no_rudeness": _no_rudeness,
    "attentive": _attentive,
    "timely": _timely,
    "competent": _competent,
    "literate": _literate,
    "direct_answers": _direct_answers,
    "specifics": _specifics,
    "readable": _readable,
    "need_identified": _need_identified,
    "solution_offered": _solution_offered,
    "questions_closed": _questions_closed,
    "acknowledged": lambda chat: _after_objection(chat, ACKNOWLEDGED),
    "argued": lambda chat: _after_objection(chat, ARGUED),
    "option_offered": lambda chat: _after_objection(chat, OPTION),
    "next_step": _next_step,
    "agreement": _agreement,
    "no_hanging": _no_hanging,
}
