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
    find_opening,
    find_quote,
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


def _check_courteous(chat: GradedChat) -> Finding:
    polite = find_quote(POLITE, chat.seller)
    return Finding("y", polite) if polite else Finding("n", find_opening(chat.seller))


def _check_no_rudeness(chat: GradedChat) -> Finding:
    rude = find_quote(RUDE, chat.seller) or find_quote(SHOUT, chat.seller)
    return Finding("n", rude) if rude else Finding("y", find_opening(chat.seller))


def _check_attentive(chat: GradedChat) -> Finding:
    repeated = find_quote(REPEATED, chat.buyer)
    written = [turn for turn in chat.seller if turn.sentences]
    curt = (
        len(written) > 1
        and sum(len(turn.sentence_text.split()) for turn in written) / len(written) < 4
    )
    if repeated or curt or chat.unanswered:
        return Finding("n", find_opening(reversed(written)), repeated.i if repeated else None)
    return Finding("y", find_quote(WARM, chat.seller) or find_opening(chat.seller))


def _check_timely(chat: GradedChat) -> Finding:
    """Limits: an hour for the first answer and for night messages, three hours for others.

    The hour for a night message starts at 9:00.
    """
    answered = [
        (number, exchange)
        for number, exchange in enumerate(chat.exchanges)
        if exchange.wait_minutes is not None
    ]
    waits = [
        (
            (exchange.wait_minutes or 0) - _get_limit_minutes(exchange, is_first=number == 0),
            exchange,
        )
        for number, exchange in answered
    ]
    if chat.unanswered and not chat.seller:
        return Finding("n", i=chat.unanswered.i)
    if not waits:
        return Finding("na")
    late, exchange = max(waits, key=lambda wait: wait[0])
    return Finding("n" if late > 0 else "y", find_opening(exchange.seller), exchange.seller[0].i)


def _get_limit_minutes(exchange: Exchange, *, is_first: bool) -> int:
    written = exchange.buyer[0].at
    at_night = written is not None and not OPENS <= written.hour < CLOSES
    return FIRST_MINUTES if is_first or at_night else LATER_MINUTES


def _check_competent(chat: GradedChat) -> Finding:
    if unsure := find_quote(UNSURE, chat.seller):
        return Finding("n", unsure)
    informed = find_quote(INFORMED, chat.seller)
    return Finding("y", informed) if informed else Finding("n", find_opening(chat.seller))


def _check_literate(chat: GradedChat) -> Finding:
    if slang := find_quote(SLANG, chat.seller):
        return Finding("n", slang)
    written = [turn for turn in chat.seller if turn.sentences and turn.sentence_text[0].isalpha()]
    careless = [turn for turn in written if turn.sentence_text[0].islower()]
    return (
        Finding("n", find_opening(careless))
        if len(careless) * 2 > len(written)
        else Finding("y", find_opening(chat.seller))
    )


def _is_evasive(exchange: Exchange) -> bool:
    """Return whether a question got no answer or only an evasive one."""
    written = [sentence for turn in exchange.seller for sentence in turn.sentences]
    shown = any(SHOWN.match(turn.text) for turn in exchange.seller)
    if not shown and all(EVASIVE.search(sentence) for sentence in written):
        return True
    return (
        len(exchange.seller) == 1
        and any(map(EVASIVE.search, written))
        and not any(map(DIGIT.search, written))
    )


def _check_direct_answers(chat: GradedChat) -> Finding:
    questions = [exchange for exchange in chat.exchanges if exchange.has_question]
    if not questions:
        return Finding("na")
    for exchange in questions:
        if _is_evasive(exchange):
            return Finding(
                "n", find_opening(exchange.seller), (exchange.seller or exchange.buyer)[-1].i
            )
    return Finding("y", find_opening(questions[0].seller))


def _check_specifics(chat: GradedChat) -> Finding:
    precise = [
        turn for turn in chat.seller if SHOWN.match(turn.text) or find_quote(SPECIFIC, [turn])
    ]
    enough = len(precise) * 3 >= len(chat.seller) > 0
    return (
        Finding("y", find_quote(SPECIFIC, precise))
        if enough
        else Finding("n", find_opening(chat.seller))
    )


def _check_readable(chat: GradedChat) -> Finding:
    for turn in chat.seller:
        wall = len(turn.text) > LONG_MESSAGE and "\n" not in turn.text
        unbroken = len(turn.sentence_text) > 120 and not re.search(
            r"[.,;:!?\n]", turn.sentence_text
        )
        if wall or unbroken or find_quote(SHOUT, [turn]):
            return Finding("n", find_opening([turn]))
    scraps = [turn for turn in chat.seller if turn.sentences and len(turn.sentence_text) < 12]
    if len(chat.seller) > 1 and len(scraps) * 2 > len(chat.seller):
        return Finding("n", find_opening(scraps))
    return Finding("y", find_opening(chat.seller))


def _check_need_identified(chat: GradedChat) -> Finding:
    if question := find_quote(
        re.compile(r"\?"), [turn for turn in chat.seller if not find_quote(RUDE, [turn])]
    ):
        return Finding("y", question)
    for exchange in chat.exchanges:
        if len(_get_stems(exchange.buyer) & _get_stems(exchange.seller)) > 1:
            return Finding("y", find_opening(exchange.seller))
    return Finding("n", find_opening(chat.seller))


def _get_stems(turns: tuple[Turn, ...]) -> set[str]:
    return {
        word[:5].lower() for turn in turns for word in re.findall(r"\w{4,}", turn.sentence_text)
    }


def _check_solution_offered(chat: GradedChat) -> Finding:
    calm = [turn for turn in chat.seller if not find_quote(RUDE, [turn])]
    proposal = find_quote(PROPOSAL, calm)
    return Finding("y", proposal) if proposal else Finding("n", find_opening(chat.seller))


def _check_questions_closed(chat: GradedChat) -> Finding:
    questions = [exchange for exchange in chat.exchanges if exchange.has_question]
    if not questions:
        return Finding("na")
    last = questions[-1]
    return Finding(
        "n" if _is_evasive(last) else "y",
        find_opening(last.seller),
        (last.seller or last.buyer)[-1].i,
    )


def _check_objection(chat: GradedChat, pattern: re.Pattern[str]) -> Finding:
    objection = find_objection(chat)
    if objection is None:
        return Finding("na")
    later = [turn for turn in chat.seller if turn.i > objection.i and not find_quote(RUDE, [turn])]
    found = find_quote(pattern, later)
    return (
        Finding("y", found)
        if found
        else Finding("n", find_opening(later) or find_opening(chat.seller), objection.i)
    )


def _check_next_step(chat: GradedChat) -> Finding:
    step = find_quote(STEP, [turn for turn in chat.seller[-4:] if not find_quote(RUDE, [turn])])
    return Finding("y", step) if step else Finding("n", find_opening(chat.seller[-1:]))


def _check_agreement(chat: GradedChat) -> Finding:
    settled = find_quote(SETTLED, chat.seller[-4:])
    step = find_quote(STEP, chat.seller[-4:])
    if settled or (step and find_quote(CONFIRMED, chat.buyer[-3:])):
        return Finding("y", settled or step)
    return Finding("n", find_opening(chat.seller[-1:]))


def _check_no_hanging(chat: GradedChat) -> Finding:
    if chat.unanswered:
        return Finding("n", find_opening(chat.seller[-1:]), chat.unanswered.i)
    postponed = find_quote(POSTPONED, chat.seller[-1:])
    return Finding("n", postponed) if postponed else Finding("y", find_opening(chat.seller[-1:]))


def find_objection(chat: GradedChat) -> Quote | None:
    """Return the buyer's first objection: price, prepayment, distance or deciding now."""
    return find_quote(OBJECTION, chat.buyer)


RULES: dict[str, Rule] = {
    "courteous": _check_courteous,
    "no_rudeness": _check_no_rudeness,
    "attentive": _check_attentive,
    "timely": _check_timely,
    "competent": _check_competent,
    "literate": _check_literate,
    "direct_answers": _check_direct_answers,
    "specifics": _check_specifics,
    "readable": _check_readable,
    "need_identified": _check_need_identified,
    "solution_offered": _check_solution_offered,
    "questions_closed": _check_questions_closed,
    "acknowledged": lambda chat: _check_objection(chat, ACKNOWLEDGED),
    "argued": lambda chat: _check_objection(chat, ARGUED),
    "option_offered": lambda chat: _check_objection(chat, OPTION),
    "next_step": _check_next_step,
    "agreement": _check_agreement,
    "no_hanging": _check_no_hanging,
}
