"""Verify the critical faults that the model claims.

A false claim costs a seller more than anything else, so the model's own answers and the words of
the chat must support it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.critical import CriticalFault
from app.domain.messages import Side
from app.grading.evidence import Quote, QuoteVerifier
from app.grading.model_answer import CriticalClaim

_SELLER = frozenset({Side.COMPANY})

_INSULT = re.compile(
    r"идиот|дебил|кретин|имбецил|придур|дурак|дура\b|дурой|дурн|туп(?:ой|ая|ые|ица|ица|иц)|\bтуп\b|баран"
    r"|скотин|козел|козл|осел\b|урод|мраз|твар|сволоч|гнид|чмо|лох\b|лохи|лошар|быдл|нищеброд|нищук"
    r"|свинь|шваль|клоун|ублюд|мудак|мудил|долбо|дебош|хамло|хабал|истеричк|школот|дедул|бабул"
    r"|\bбля|хуй|хуе|пизд|еба[нлт]|заткни|закрой рот|пош[ео]л(?:а|и)? (?:вон|на|ты|отсюда|лес)"
    r"|иди(?:те)? (?:отсюда|лес|на)|вали(?:те)? отсюда|катис|проваливай|отвали|отстань|жив[ео]шь"
    r"|пожале(?:ешь|ете)|найду теб|мало ли что|адрес ваш|по[- ]хорошему"
)
"""Folded words of insults and threats. Other words may insult too; see ``_is_insult``."""
_HARMLESS = re.compile(
    r"(?:здравствуйте|добр\w+ (?:день|вечер|утро)|привет\w*|да|нет|спасибо|пожалуйста|хорошо)"
)
_PAYMENT = re.compile(
    r"\b(?:на|с) (?:\w+ )?карт[уыое]\b|\bкарто[йю]\b|номер\w* карт|перевод|перевед|перечисл"
    r"|предоплат|аванс|задат|залог|\bсбп\b|\bсбер|тиньк|\bт[- ]банк|по номеру|вперед"
    r"|кид(?:ай|ывай)\w* (?:\w+ )?(?:\d|денег|деньги|на )"
    r"|кин(?:ь|ьте|ете) (?:\w+ )?(?:\d|денег|деньги)"
)
"""Folded words about a payment that does not go through Avito."""
_SOLD = re.compile(
    r"продал|продан|реализ|забрал|\bушл[аио]\b|\bушел\b|уехал|закончил|кончил|разобрал|\bсдал[аи]?\b"
    r"|\bсдан|\bотдал|\bотдан|снял[аи]? с прод|нет в наличии|не осталось|\bнету\b|купили|занят"
    r"|заброн|больше нет|уже нет"
)
"""Folded words by which the seller takes the availability back."""


@dataclass(frozen=True)
class Support:
    """What the model's own answers say beside its claim.

    ``is_rude``: its check of rudeness; None without such a check. ``is_low``: its grade of tonality
    is low. ``has_fault``: any other fault outside the handling of objections.
    """

    is_rude: bool | None
    is_low: bool
    has_fault: bool


@dataclass(frozen=True)
class CriticalFinding:
    """A verified critical fault of the seller."""

    fault: CriticalFault
    quote: Quote


def verify_critical(
    claims: Iterable[CriticalClaim], transcript: QuoteVerifier, support: Support
) -> tuple[tuple[CriticalFinding, ...], bool]:
    """Return the verified critical faults, and whether another claim could not be verified."""
    found: dict[CriticalFault, CriticalFinding] = {}
    is_missing = False
    for claim in claims:
        quote = _find_evident(claim, transcript, support)
        if quote is None:
            is_missing = True
        else:
            found.setdefault(claim.fault, CriticalFinding(claim.fault, quote))
    return tuple(found.values()), is_missing


def supply_critical(
    first: Iterable[CriticalClaim],
    second: Iterable[CriticalClaim],
    transcript: QuoteVerifier,
    support: Support,
) -> tuple[CriticalClaim, ...]:
    """Return the first claims; one without verified words is replaced by the second's, if any."""
    verified = {
        claim.fault: claim
        for claim in second
        if _find_evident(claim, transcript, support) is not None
    }
    return tuple(
        claim
        if _find_evident(claim, transcript, support) is not None
        else verified.get(claim.fault, claim)
        for claim in first
    )


def _find_evident(
    claim: CriticalClaim, transcript: QuoteVerifier, support: Support
) -> Quote | None:
    """Return the seller's words if they show the fault."""
    quote = transcript.verify(claim.number, claim.words, _SELLER)
    is_shown = quote and _is_evident(claim, quote, transcript, support)
    return quote if is_shown else None


def _is_evident(
    claim: CriticalClaim, quote: Quote, transcript: QuoteVerifier, support: Support
) -> bool:
    match claim.fault:
        case CriticalFault.INSULT:
            return _is_insult(quote, transcript, support)
        case CriticalFault.OUTSIDE_PAYMENT:
            return _is_about_payment(quote, transcript, support)
        case CriticalFault.FALSE_AVAILABILITY:
            return _is_taken_back(transcript)


def _is_insult(quote: Quote, transcript: QuoteVerifier, support: Support) -> bool:
    """Return whether the quote insults.

    Words of the list insult, however careless the other answers are, unless the buyer wrote them
    first. Other words do if the model also found rudeness and graded the tone low.
    """
    words = _fold(quote.text)
    if _HARMLESS.fullmatch(words.strip(" .,!")):
        return False
    by_buyer = transcript.list_texts({Side.CLIENT})
    if any(words in _fold(text) for text in by_buyer):
        return False
    insult = _INSULT.search(words)
    if insult and not any(insult[0] in _fold(text) for text in by_buyer):
        return True
    return support.is_rude is not False and support.is_low


def _is_about_payment(quote: Quote, transcript: QuoteVerifier, support: Support) -> bool:
    """Return whether the quoted message is about a transfer.

    Another message may be, if the model's other answers show a fault too.
    """
    if _PAYMENT.search(_fold(transcript.text_of(quote.message_id))):
        return True
    texts = transcript.list_texts(_SELLER)
    return support.has_fault and any(_PAYMENT.search(_fold(text)) for text in texts)


def _is_taken_back(transcript: QuoteVerifier) -> bool:
    """Return whether the seller wrote that it is sold, after messages of both sides."""
    has_promised = has_relied = False
    for side, text in transcript.list_turns():
        if side is Side.BOT:
            continue
        if side is Side.CLIENT:
            has_relied = has_promised
        elif has_relied and _SOLD.search(_fold(text)):
            return True
        else:
            has_promised = True
    return False


def _fold(text: str) -> str:
    return " ".join(text.lower().replace("ё", "е").split())
