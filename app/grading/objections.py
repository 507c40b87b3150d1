"""Verify the objections that the model claims."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.criteria import Check
from app.domain.messages import Side
from app.domain.timeliness import needs_answer
from app.grading.evidence import Quote, QuoteVerifier, list_sentences
from app.grading.model_answer import ObjectionClaim

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
    r"дорог(?!ой\b|ая\b|ие\b|а\b)|слишком дорог|дешевл|многоват|завыш|переплач|не стоит"
    r"|столько не|смуща|сомнева|сомнит|не увер"
    r"|бою|боим|боит|страшн|опаса|не довер|обман|развод|кид[аоу]|мошенн|подозр|крад|ворован"
    r"|не верит|не верю|почему так|чего так|что так|с чего бы|далеко|долго|хлам|барахл|хуже"
    r"|не устраива|не нравит|не подход|не вижу смысла|за такие деньги|за эти деньги|слишком"
    r"|разве|реплик|подделк|скруч|почему не|чем докаж|зачем мне|а если не|\bже\b.{0,60}\?"
)
"""Folded words of doubt or disagreement. A question with one of them may be an objection."""
_CONTRAST = re.compile(
    r"\b(?:не|без|но|же|мало|только|цен[аыуе]?|ценник|нету?)\b|\b(?:за|по) \d|\bкак за\b"
    r"|у (?:других|сосед|конкурент)"
)
"""Folded words of which a statement that objects has at least one."""

_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Objection:
    """A verified objection of the buyer. ``answered``: whether the seller responded to it."""

    quote: Quote
    answered: bool


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
    """Return whether a sentence with words of the quote may be an objection.

    A greeting, thanks, consent, a wish and a plain question are none, whatever the model claims.
    """
    message = transcript.get_message(quote.message_id)
    if not message.has_text or not needs_answer(message):
        return False
    text = transcript.text_of(quote.message_id)
    return any(map(_is_objecting, list_sentences(text, quote.text) or [quote.text]))


def _is_objecting(sentence: str) -> bool:
    folded = sentence.lower().replace("ё", "е")
    words = " ".join(re.sub(r"[^\w? ]+", " ", folded).split())
    if not _LETTER.search(words) or _GREETING.fullmatch(words):
        return False
    if _DOUBT.search(folded):
        return True
    if words.endswith("?") or _QUESTION.match(words):
        return len(words.split()) > _LONGEST_PLAIN_QUESTION
    return len(words.split()) > 1 and bool(_CONTRAST.search(folded))
