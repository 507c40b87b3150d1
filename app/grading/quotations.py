"""Verify the quotations in the model's texts, and remove the sentences with invented ones."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.grading.evidence import QuoteVerifier
from app.grading.quotation_marks import unify_marks
from app.grading.speakers import find_speakers, is_said, is_stated
from app.grading.word_forms import has_forms

_QUOTATION = re.compile(r"«((?:[^«»]++|«[^«»]*+»)*+)»")
_SENTENCE_ENDS = re.compile(r"[.!?…]{1,20}+[»)]{0,3}+(?=\s{1,3}+[«(\[А-ЯЁA-Z]|\s{0,3}+$)")
_ABBREVIATION = re.compile(r"(?<!\w)(?:ул|пр|пл|пер|г|д|кв|корп|стр|обл|им|т|р)$", re.IGNORECASE)
_LONGEST_ABBREVIATION = 5
_WORD = re.compile(r"\w+")
_HAS_DIGIT = re.compile(r"\d")
_NEAR = 200
"""Characters before and after a quotation in which its speaker is looked for."""
_MOST_LOOSE_WORDS = 2
"""An unverified quotation of so few words may be a name or a pronoun: «Авито», «вы»."""


@dataclass(frozen=True)
class CheckedText:
    """A text without invented quotations.

    ``is_cut``: whether sentences were removed. ``has_lone_mark``: a quotation had no beginning or
    no end.
    """

    text: str
    is_cut: bool
    has_lone_mark: bool

    @property
    def has_unverified(self) -> bool:
        """Return whether a person should look at the quotations of the model."""
        return self.is_cut or self.has_lone_mark


def check_quotations(
    text: str, transcript: QuoteVerifier, known_texts: Sequence[str] = ()
) -> CheckedText:
    """Return the masked text of the model with its quotations in «…», each in the chat.

    - A quotation stands in messages of the side that its sentence names, or in ``known_texts``
      (listing, facts) if the sentence names no author.
    - A sentence with an invented quotation is removed.
    - A quotation of one or two words without an author in the sentence only loses its marks.
    """
    unified, has_lone_mark = unify_marks(text)
    known = f" {' '.join(_fold(one) for one in known_texts)} "
    sentences = [
        _check_sentence(sentence, transcript, known) for sentence in _list_sentences(unified)
    ]
    kept = [sentence for sentence in sentences if sentence is not None]
    return CheckedText(" ".join(kept), len(kept) < len(sentences), has_lone_mark)


def _list_sentences(text: str) -> Iterator[str]:
    """Yield the sentences. The end of a sentence within a quotation does not count."""
    start = 0
    outline = _QUOTATION.sub(_outline, text)
    for end in _SENTENCE_ENDS.finditer(outline):
        last = outline[max(start, end.start() - _LONGEST_ABBREVIATION) : end.start()]
        if end[0] == "." and _ABBREVIATION.search(last):
            continue
        yield text[start : end.end()].strip()
        start = end.end()
    if rest := text[start:].strip():
        yield rest


def _outline(quotation: re.Match[str]) -> str:
    """Return a quotation whose words are hidden, except for the mark that ends them."""
    words = quotation[1]
    last = words[-1:] if words.endswith((".", "!", "?", "…")) else "_"
    return f"«{'_' * (len(words) - 1)}{last}»" if words else "«»"


def _check_sentence(sentence: str, transcript: QuoteVerifier, known: str) -> str | None:
    """Return the sentence, or None if a quotation in it is invented."""
    result, position = "", 0
    outline = _QUOTATION.sub(_outline, sentence)
    for quotation in _QUOTATION.finditer(sentence):
        start, end = quotation.span()
        before, after = outline[max(0, start - _NEAR) : start], outline[end : end + _NEAR]
        shown = f"«{_correct(quotation[1], before, after, transcript)}»"
        is_known = f" {_fold(quotation[1])} " in known and not is_said(quotation[1], before, after)
        if not is_known and not _is_verified(quotation[1], before, after, transcript):
            if not _is_loose(quotation[1], before, after):
                return None
            shown = quotation[1].rstrip(".!?…") if after else quotation[1]
        result += sentence[position:start] + shown
        position = end
    return result + sentence[position:]


def _fold(text: str) -> str:
    return " ".join(_WORD.findall(text.lower().replace("ё", "е")))


def _is_verified(words: str, before: str, after: str, transcript: QuoteVerifier) -> bool:
    sides = find_speakers(before, after)
    if transcript.contains(words, sides):
        is_statement = is_stated(before) and not after.startswith("?")
        return not is_statement or transcript.contains(words, sides, is_statement=True)
    is_short = len(_WORD.findall(words)) <= _MOST_LOOSE_WORDS
    return is_short and has_forms(words, transcript.list_texts(sides))


def _correct(words: str, before: str, after: str, transcript: QuoteVerifier) -> str:
    """Return a quotation in the words of the chat if it has nearly the same."""
    return transcript.correct(words, find_speakers(before, after))


def _is_loose(words: str, before: str, after: str) -> bool:
    """Return whether an unverified quotation is no more than words in marks."""
    count = len(_WORD.findall(words))
    is_short = 0 < count <= _MOST_LOOSE_WORDS and not _HAS_DIGIT.search(words)
    return is_short and not is_said(words, before, after)
