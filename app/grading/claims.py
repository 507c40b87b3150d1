"""Verify the model's claims against the chat: objections and critical faults."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.criteria import Check
from app.domain.critical import CriticalFault
from app.domain.messages import Side
from app.grading.evidence import Quote, QuoteVerifier, list_sentences
from app.grading.model_answer import CriticalClaim, ObjectionClaim

_SELLER = frozenset({Side.COMPANY})
_BUYER = frozenset({Side.CLIENT})

_GREETING_WORDS = (
    r"(?:здравствуй\w*|здраст\w*|добр\w+ (?:день|вечер|утро|времени суток|ночи)|доброе|привет\w*"
    r"|приветствую|hi|hello|салют|доброго (?:дня|вечера|утра))"
)
_GREETING = re.compile(rf"{_GREETING_WORDS}(?: {_GREETING_WORDS})*")
_QUESTION = re.compile(
    rf"(?:(?:{_GREETING_WORDS}|а|и|ну|еще|пожалуйста|подскажите|скажите) )*"
    r"(?:сколько|како\w+|где|когда|куда|почем|можно|есть ли|торг|скидк\w*|актуально|в наличии"
    r"|уступите|отдадите|продаете|продается)\b"
)
"""The beginning of a question that was written without a question mark."""
_LONGEST_PLAIN_QUESTION = 8
"""Words. A longer question may argue: «а почему столько, если он б/у, а новый дешевле?»."""
_DOUBT = re.compile(
    r"дорог|дешевл|многоват|завыш|переплач|не стоит|столько не|смуща|сомнева|сомнит|не увер"
    r"|бою|боим|боит|страшн|опаса|не довер|обман|развод|кид[аоу]|мошенн|подозр|крад|ворован"
    r"|не верит|не верю|почему так|чего так|что так|с чего бы|далеко|долго|хлам|барахл|хуже"
    r"|не устраива|не нравит|не подход|не вижу смысла|за такие деньги|за эти деньги|слишком"
)
"""Folded words of doubt or disagreement. A question with one of them may be an objection."""

_LETTER = re.compile(r"[^\W\d_]")

_EVIDENT = {
    CriticalFault.OUTSIDE_PAYMENT: re.compile(
        r"перев[оеё]д|карт|предоплат|аванс|задат|залог|налич|сбп|вперед|скин|кин[ьу]|оплат|плат"
        r"|деньг|реквизит|счет"
    ),
    CriticalFault.FALSE_AVAILABILITY: re.compile(
        r"продал|продан|забрал|ушл|ушел|законч|кончил|снял|нет|нету|не остал|отдал|купил|разобрал"
        r"|друг"
    ),
}
"""Words of the seller without which there is no such fault, however the model reads the chat."""


@dataclass(frozen=True)
class Objection:
    """A verified objection of the buyer. ``answered``: whether the seller responded to it."""

    quote: Quote
    answered: bool


@dataclass(frozen=True)
class CriticalFinding:
    """A verified critical fault of the seller."""

    fault: CriticalFault
    quote: Quote


def verify_objections(
    claims: Iterable[ObjectionClaim], transcript: QuoteVerifier
) -> tuple[tuple[Objection, ...], bool, bool]:
    """Return the verified objections; whether one was not found; whether one is none.

    An objection that is quoted twice counts once, and as answered if one of them does.
    """
    found: list[Objection] = []
    is_missing = is_plain = False
    for claim in claims:
        quote = transcript.verify(claim.number, claim.words, _BUYER)
        if quote is None:
            is_missing = True
        elif not _may_object(quote, transcript):
            is_plain = True
        else:
            _add_objection(found, Objection(quote, claim.answered is not Check.NO))
    return tuple(found), is_missing, is_plain


def _add_objection(found: list[Objection], added: Objection) -> None:
    """Add an objection, or merge it with the one that has the same words."""
    for place, before in enumerate(found):
        if _have_common_words(before.quote, added.quote):
            longer = max(before.quote, added.quote, key=lambda quote: len(quote.text))
            found[place] = Objection(longer, before.answered or added.answered)
            return
    found.append(added)


def supply_objections(
    first: Iterable[ObjectionClaim], second: Iterable[ObjectionClaim], transcript: QuoteVerifier
) -> tuple[ObjectionClaim, ...]:
    """Return the first claims; one whose words no message has gets the next new words of second.

    Whether the seller responded stays as the first claims have it.
    """
    first = tuple(first)
    known = [transcript.verify(claim.number, claim.words, _BUYER) for claim in first]
    spare = [
        claim
        for claim in second
        if (quote := transcript.verify(claim.number, claim.words, _BUYER))
        and _may_object(quote, transcript)
        and not any(before and _have_common_words(before, quote) for before in known)
    ]
    missing = [place for place, quote in enumerate(known) if quote is None]
    supplied = list(first)
    for place, claim in zip(missing, spare, strict=False):
        words = {"number": claim.number, "words": claim.words}
        supplied[place] = first[place].model_copy(update=words)
    return tuple(supplied)


def _have_common_words(one: Quote, other: Quote) -> bool:
    """Return whether one quote is a part of the other."""
    is_part = one.text in other.text or other.text in one.text
    return one.message_id == other.message_id and is_part


def _may_object(quote: Quote, transcript: QuoteVerifier) -> bool:
    """Return whether a sentence with words of the quote is more than a greeting or a question."""
    text = transcript.text_of(quote.message_id)
    return any(map(_is_statement, list_sentences(text, quote.text) or [quote.text]))


def _is_statement(sentence: str) -> bool:
    folded = sentence.lower().replace("ё", "е")
    if _DOUBT.search(folded):
        return True
    words = " ".join(re.sub(r"[^\w? ]+", " ", folded).split())
    asks = words.endswith("?") or _QUESTION.match(words)
    is_plain_question = asks and len(words.split()) <= _LONGEST_PLAIN_QUESTION
    return bool(_LETTER.search(words)) and not is_plain_question and not _GREETING.fullmatch(words)


def verify_critical(
    claims: Iterable[CriticalClaim], transcript: QuoteVerifier, *, is_rude: bool | None
) -> tuple[tuple[CriticalFinding, ...], bool]:
    """Return the verified critical faults, and whether another claim could not be verified.

    ``is_rude``: the model's answer to the check of rudeness; None without such a check. A claim of
    an insult that contradicts it does not count.
    """
    found: dict[CriticalFault, CriticalFinding] = {}
    is_missing = False
    for claim in claims:
        quote = _find_evident(claim, transcript, is_rude=is_rude)
        if quote is None:
            is_missing = True
        else:
            found.setdefault(claim.fault, CriticalFinding(claim.fault, quote))
    return tuple(found.values()), is_missing


def supply_critical(
    first: Iterable[CriticalClaim],
    second: Iterable[CriticalClaim],
    transcript: QuoteVerifier,
    *,
    is_rude: bool | None,
) -> tuple[CriticalClaim, ...]:
    """Return the first claims; one without verified words is replaced by the second's, if any."""
    verified = {
        claim.fault: claim
        for claim in second
        if _find_evident(claim, transcript, is_rude=is_rude) is not None
    }
    return tuple(
        claim
        if _find_evident(claim, transcript, is_rude=is_rude) is not None
        else verified.get(claim.fault, claim)
        for claim in first
    )


def _find_evident(
    claim: CriticalClaim, transcript: QuoteVerifier, *, is_rude: bool | None
) -> Quote | None:
    """Return the seller's words if they show the fault."""
    quote = transcript.verify(claim.number, claim.words, _SELLER)
    is_shown = quote and _is_evident(claim.fault, quote, transcript, is_rude=is_rude)
    return quote if is_shown else None


def _is_evident(
    fault: CriticalFault, quote: Quote, transcript: QuoteVerifier, *, is_rude: bool | None
) -> bool:
    if fault is CriticalFault.INSULT:
        return is_rude is not False
    # The quote may be the promise; the message that breaks it comes later.
    texts = transcript.list_texts_since(quote.message_id, _SELLER)
    return any(_EVIDENT[fault].search(text.lower().replace("ё", "е")) for text in texts)
