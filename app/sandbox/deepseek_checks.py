"""Checks of the local DeepSeek, each a rule over words.

A rule returns yes, no or not applicable, and the quote that supports it. A fault makes one check
fail: a question without an answer does not fail the checks of the solution as well.
"""

import re

from app.sandbox.deepseek_chat import (
    GradedChat,
    Quote,
    find_opening,
    find_quote,
)
from app.sandbox.deepseek_claims import (
    list_calm,
)
from app.sandbox.deepseek_findings import (
    NOT_APPLICABLE,
    Finding,
    Rule,
    is_evaded,
    list_answered,
)
from app.sandbox.deepseek_lexicon import (
    ARGUED,
    CONFUSED,
    DIGIT,
    FAVOUR,
    FIGURE,
    GREETING,
    GUESS,
    INDIRECT,
    MISSPELT,
    PROPOSAL,
    RUDE,
    SHOUT,
    SPECIFIC,
    TROUBLE,
    UNSURE,
    VAGUE,
    WARM,
    WRITTEN,
)
from app.sandbox.deepseek_outcomes import OUTCOME_RULES

LONG_MESSAGE = 600
SHORT_ANSWER = 80


def _check_courteous(chat: GradedChat) -> Finding:
    greeted = find_quote(GREETING, chat.seller)
    is_short = len(chat.seller) == 1 and len(chat.seller[0].text) <= SHORT_ANSWER
    is_required = find_quote(GREETING, chat.buyer) and not is_short and not chat.earlier
    if is_required and not greeted:
        return Finding("n", i=chat.seller[0].i if chat.seller else None)
    return Finding("y", greeted)


def _check_no_rudeness(chat: GradedChat) -> Finding:
    rude = find_quote(RUDE, chat.seller) or find_quote(SHOUT, chat.seller)
    return Finding("n", rude) if rude else Finding("y")


def _check_attentive(chat: GradedChat) -> Finding:
    """A favour or a trouble needs a reaction. What was written must not be asked again."""
    if written := find_quote(WRITTEN, chat.buyer):
        before = [turn for turn in chat.seller if turn.i < written.i]
        return Finding("n", find_opening(before[-1:]), written.i)
    reactions: list[Quote] = []
    for exchange in list_answered(chat):
        calm = list_calm(exchange.seller)
        kind = find_quote(WARM, calm) or find_quote(PROPOSAL, calm) or find_quote(ARGUED, calm)
        if find_quote(TROUBLE, exchange.buyer) and calm and not kind:
            return Finding("n", find_opening(calm), exchange.buyer[-1].i)
        if kind and (find_quote(TROUBLE, exchange.buyer) or find_quote(FAVOUR, exchange.buyer)):
            reactions.append(kind)
    return Finding("y", reactions[0]) if reactions else NOT_APPLICABLE


def _check_competent(chat: GradedChat) -> Finding:
    if guess := find_quote(GUESS, chat.seller):
        return Finding("n", guess)
    return Finding("y", find_quote(DIGIT, chat.seller) or find_opening(chat.seller))


def _check_literate(chat: GradedChat) -> Finding:
    """A fault only if a message consists of slang and misspelt words for the most part."""
    for turn in chat.seller:
        words = re.findall(r"\w+", turn.sentence_text)
        if len(MISSPELT.findall(turn.sentence_text)) * 3 > len(words) > 0:
            return Finding("n", find_opening([turn]))
    return Finding("y")


def _check_direct_answers(chat: GradedChat) -> Finding:
    answered = [
        exchange
        for exchange in list_answered(chat)
        if exchange.has_question and not exchange.is_shown and not is_evaded(chat, exchange)
    ]
    for exchange in answered:
        if hint := find_quote(INDIRECT, exchange.seller):
            return Finding("n", hint)
    return Finding("y", find_opening(answered[0].seller)) if answered else NOT_APPLICABLE


def _check_specifics(chat: GradedChat) -> Finding:
    """A wanted figure needs a figure, a picture or an honest "I do not know"."""
    answered = [exchange for exchange in list_answered(chat) if exchange.has_question]
    wanted = [exchange for exchange in answered if find_quote(FIGURE, exchange.buyer)]
    for exchange in answered:
        vague = find_quote(VAGUE, exchange.seller)
        if vague and not find_quote(DIGIT, exchange.seller) and not exchange.is_shown:
            return Finding("n", vague)
    told = [turn for exchange in wanted for turn in exchange.seller]
    honest = find_quote(DIGIT, told) or find_quote(SPECIFIC, told) or find_quote(UNSURE, told)
    return Finding("y", honest or find_opening(told)) if wanted else NOT_APPLICABLE


def _check_readable(chat: GradedChat) -> Finding:
    for turn in chat.seller:
        wall = len(turn.text) > LONG_MESSAGE and "\n" not in turn.text
        unbroken = len(turn.sentence_text) > 120 and not re.search(
            r"[.,;:!?\n]", turn.sentence_text
        )
        if wall or unbroken:
            return Finding("n", find_opening([turn]))
    unclear = find_quote(CONFUSED, chat.buyer)
    before = [turn for turn in chat.seller if unclear and turn.i < unclear.i]
    if unclear and before and before[-1].sentences:
        return Finding("n", find_opening(before[-1:]), unclear.i)
    return Finding("y")


RULES: dict[str, Rule] = {
    "courteous": _check_courteous,
    "no_rudeness": _check_no_rudeness,
    "attentive": _check_attentive,
    "competent": _check_competent,
    "literate": _check_literate,
    "direct_answers": _check_direct_answers,
    "specifics": _check_specifics,
    "readable": _check_readable,
    **OUTCOME_RULES,
}
