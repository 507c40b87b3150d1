"""Checks of the local DeepSeek about the solution, the objections and the end of a chat."""

import re
from datetime import timedelta

from app.sandbox.deepseek_chat import (
    GradedChat,
    find_opening,
    find_quote,
    find_statement,
)
from app.sandbox.deepseek_claims import (
    list_calm,
    list_objections,
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
    ARRANGED,
    CORRECTED,
    DETAIL,
    GIVEN,
    LIMIT,
    OPTION,
    OUTCOME,
    POSTPONED,
    PROMISED,
    PROPOSAL,
    REASON,
    REFUSAL,
    REQUEST,
    SETTLED,
    STEP,
    UNSURE,
)

LAST_TURNS = 4
PROMISE_DUE = timedelta(days=1)


def _check_questions_answered(chat: GradedChat) -> Finding:
    asked = [
        exchange
        for exchange in chat.exchanges
        if exchange.has_question and exchange.seller and not exchange.is_shown
    ]
    for exchange in asked:
        unsure = find_quote(UNSURE, exchange.seller)
        is_open = unsure and not find_quote(PROMISED, exchange.seller)
        if is_open or is_evaded(chat, exchange):
            return Finding("n", unsure or find_opening(exchange.seller), exchange.seller[-1].i)
    if corrected := find_quote(CORRECTED, chat.buyer):
        before = [turn for turn in chat.seller if turn.i < corrected.i]
        return Finding("n", find_opening(before[-1:]), corrected.i)
    return Finding("y", find_opening(asked[0].seller)) if asked else NOT_APPLICABLE


def _check_solution_offered(chat: GradedChat) -> Finding:
    asked = [found for found in list_answered(chat) if find_quote(REQUEST, found.buyer)]
    if not asked:
        return NOT_APPLICABLE
    later = [turn for turn in chat.seller if turn.i > asked[0].buyer[0].i]
    calm = list_calm(later)
    found = find_quote(PROPOSAL, calm) or find_quote(REFUSAL, calm)
    if found or any(turn.kind for turn in later):
        return Finding("y", found)
    if chat.turns[-1].role == "buyer" or "?" in chat.turns[-1].text:
        return NOT_APPLICABLE
    return Finding("n", find_opening(later))


def _check_details_given(chat: GradedChat) -> Finding:
    asked = [found for found in list_answered(chat) if find_quote(DETAIL, found.buyer)]
    if not asked:
        return NOT_APPLICABLE
    refused: Finding | None = None
    for exchange in asked:
        if not (exchange.is_shown or find_quote(GIVEN, exchange.seller)) and (
            refusal := find_quote(REFUSAL, exchange.seller)
        ):
            explained = find_quote(REASON, exchange.seller)
            refused = refused or (None if explained else Finding("n", refusal))
    told = [turn for exchange in asked for turn in exchange.seller]
    return refused or Finding("y", find_quote(GIVEN, told) or find_opening(told))


def _check_replies(chat: GradedChat, pattern: re.Pattern[str]) -> Finding:
    """The replies to all answered objections are one argument."""
    answered = [objection for objection in list_objections(chat) if objection.is_answered]
    if not answered:
        return NOT_APPLICABLE
    replies = [turn for objection in answered for turn in objection.discussion]
    found = find_quote(pattern, replies)
    return Finding("y", found) if found else Finding("n", find_opening(replies), replies[0].i)


def _check_next_step(chat: GradedChat) -> Finding:
    """It need not be clear after a full answer, or if the buyer has the last word."""
    last = list_calm(chat.seller[-LAST_TURNS:])
    if found := find_quote(STEP, reversed(last)) or find_quote(OUTCOME, last):
        return Finding("y", found)
    if not chat.seller or chat.turns[-1].role == "buyer":
        return NOT_APPLICABLE
    is_open = find_quote(POSTPONED, chat.seller[-1:]) or not list_calm(chat.seller[-1:])
    return Finding("n", find_opening(chat.seller[-1:])) if is_open else NOT_APPLICABLE


def _check_agreement(chat: GradedChat) -> Finding:
    settled = find_quote(SETTLED, reversed(list_calm(chat.seller[-LAST_TURNS:])))
    wanted = find_statement(ARRANGED, chat.buyer[-LAST_TURNS:])
    if wanted is None or _check_next_step(chat).value == "n":
        return NOT_APPLICABLE
    if settled:
        return Finding("y", settled)
    later = [turn for turn in chat.seller if turn.i > wanted.i]
    return Finding("n", find_opening(later), later[0].i) if later else NOT_APPLICABLE


def _check_no_hanging(chat: GradedChat) -> Finding:
    """A promise of the last message is due after a day."""
    if chat.unanswered:
        return Finding("n", find_opening([chat.unanswered]), chat.unanswered.i)
    last = chat.turns[-1:]
    promised = find_quote(PROMISED, [turn for turn in last if turn.role == "seller"])
    if promised and chat.graded_at and last[0].at and chat.graded_at - last[0].at > PROMISE_DUE:
        return Finding("n", promised)
    return Finding("y", find_opening(chat.seller[-1:]))


OUTCOME_RULES: dict[str, Rule] = {
    "questions_answered": _check_questions_answered,
    "solution_offered": _check_solution_offered,
    "details_given": _check_details_given,
    "argued": lambda chat: _check_replies(chat, ARGUED),
    "option_offered": lambda chat: _check_replies(
        chat, re.compile(f"{OPTION.pattern}|{LIMIT.pattern}", re.IGNORECASE)
    ),
    "next_step": _check_next_step,
    "agreement": _check_agreement,
    "no_hanging": _check_no_hanging,
}
