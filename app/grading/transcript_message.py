"""A message as the model was shown it, with a mapping from its words to those of the chat."""

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from app.domain.messages import ChatMessage
from app.domain.visible_text import keep_visible
from app.grading.masking.masker import Masker

MAX_QUOTE_LENGTH = 120
_NEAR_ENOUGH = 85  # percent of the quote's letters found in order
_SHORTEST_NEAR = 12  # below this, a few equal letters prove nothing
_NEGATED = re.compile(
    r"(?<!\w)(?:(?:не|ни|нет|нету|нельзя|невозможно|без|никогда|никак|никто|никаких)"
    r"[ \"]{1,3}){1,8}(?:\w{1,24}[ \"]{1,3}){0,2}$"
)
"""Folded words that end with a negation of what follows: up to two words and no comma stand
between.
"""
_DECISIVE = re.compile(r"\d+|(?<!\w)(?:не|ни|нет|нету|нельзя|без|никогда)(?!\w)")
"""Folded words that change the meaning of words which are otherwise similar."""
_LOOK_BACK = 40
"""Characters before a quote in which its negation is looked for."""
_ASKS = re.compile(r'[ "]{0,3}\?')
"""What follows the last words of a question."""
_FOLDED = (
    dict.fromkeys("«»„“”‟\"'`’‘‚‹›″′", '"') | dict.fromkeys("‐‑‒–—―−", "-") | {"ё": "е", "…": "..."}
)


@dataclass(frozen=True)
class Quote:
    """Verbatim, unmasked words of a message.

    `repaired`: the model named another message or other words.
    """

    message_id: int
    text: str
    repaired: bool

    @property
    def place(self) -> tuple[int, str]:
        """Return the message and the words, without whether they were repaired."""
        return self.message_id, self.text


class TranscriptMessage:
    """A message as shown to the model, folded for comparison, with a mapping to the original."""

    def __init__(self, message: ChatMessage, masker: Masker) -> None:
        self.message = message
        self.original = keep_visible(message.text)
        folded: list[str] = []
        self._shown: list[str] = []  # for each folded character
        self._spans: list[tuple[int, int]] = []  # of each folded character in the original
        self._tokens: list[tuple[int, str]] = []  # where each begins in `folded`, and its original
        position, length = 0, 0
        for piece in masker.pieces(self.original):
            end = position + len(piece.original)
            if piece.is_token:
                self._tokens.append((length, piece.original))
            for offset, char in enumerate(piece.shown):
                added = _fold_char(char)
                if added == " " and folded and folded[-1].endswith(" "):
                    continue
                folded.append(added)
                self._shown += [char] + [""] * (len(added) - 1)
                self._spans += [
                    (position, end)
                    if piece.is_token
                    else (position + offset, position + offset + 1)
                ] * len(added)
                length += len(added)
            position = end
        self.folded = "".join(folded)

    def find(self, wanted: str) -> tuple[int, int] | None:
        """Return the span of the folded words, as whole words only."""
        start = self.folded.find(wanted)
        while start >= 0 and not _is_whole(self.folded, start, start + len(wanted)):
            start = self.folded.find(wanted, start + 1)
        return (start, start + len(wanted)) if start >= 0 else None

    def originals(self, span: tuple[int, int]) -> list[str]:
        """Return the originals of the tokens in these words, in order."""
        return [original for start, original in self._tokens if span[0] <= start < span[1]]

    def _find_near(self, wanted: str) -> tuple[int, int] | None:
        """Return the span of similar words, extended to whole words."""
        if len(wanted) < _SHORTEST_NEAR or len(self.folded) * 100 < len(wanted) * _NEAR_ENOUGH:
            return None
        if len(self.folded) <= len(wanted):
            return (
                (0, len(self.folded)) if fuzz.ratio(wanted, self.folded) >= _NEAR_ENOUGH else None
            )
        nearest = fuzz.partial_ratio_alignment(wanted, self.folded, score_cutoff=_NEAR_ENOUGH)
        if nearest is None:
            return None
        start, end = nearest.dest_start, nearest.dest_end
        while start and self.folded[start - 1].isalnum():
            start -= 1
        while end < len(self.folded) and self.folded[end].isalnum():
            end += 1
        return start, end

    def quote_near(self, wanted: str) -> Quote | None:
        """Return the quote of similar words."""
        span = self._find_near(wanted)
        return self.quote(span, repaired=True) if span else None

    def has(self, wanted: str, *, is_statement: bool) -> bool:
        """Return whether the words, or similar ones with equal numbers and negations, are here."""
        span = self.find(wanted) or self._find_near(wanted)
        if span is None:
            return False
        if _DECISIVE.findall(wanted) != _DECISIVE.findall(self.folded[slice(*span)]):
            return False
        return not (is_statement and _ASKS.match(self.folded, span[1]))

    def spell_near(self, wanted: str) -> str | None:
        """Return the words, as shown to the model, that are similar to these."""
        span = self._find_near(wanted)
        return "".join(self._shown[slice(*span)]).strip() if span else None

    def quote(self, span: tuple[int, int], *, repaired: bool) -> Quote:
        """Return the words of the original under a folded span.

        A negation before the span is included: «приезжайте» alone would reverse «не приезжайте». A
        long quote ends at the end of a word; only a single long word (a link) is cut.
        """
        negated = _NEGATED.search(self.folded, max(0, span[0] - _LOOK_BACK), span[0])
        start = negated.start() if negated else span[0]
        text = self.original[self._spans[start][0] : self._spans[span[1] - 1][1]].strip()
        whole_words = re.match(rf"(?s).{{1,{MAX_QUOTE_LENGTH}}}(?!\S)", text)
        return Quote(
            self.message.id,
            whole_words[0].rstrip() if whole_words else text[:MAX_QUOTE_LENGTH],
            repaired or negated is not None,
        )


def fold(text: str) -> str:
    return " ".join("".join(map(_fold_char, keep_visible(text))).split())


@lru_cache(maxsize=2_048)
def _fold_char(char: str) -> str:
    lower = char.lower()
    return " " if char.isspace() else _FOLDED.get(lower, lower)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Return whether no word goes on beyond these words of the text."""
    return not (
        (text[start].isalnum() and _is_of_word(text[max(0, start - 1) : start]))
        or (text[end - 1].isalnum() and _is_of_word(text[end : end + 1]))
    )


def _is_of_word(char: str) -> bool:
    return char.isalnum() or char == "_"
