"""Verify the model's quotes against the messages that it was shown; repair or drop false ones."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from app.domain.messages import ChatMessage, Side
from app.domain.visible_text import keep_visible
from app.grading.masking.masker import Masker

MAX_QUOTE_LENGTH = 120
_NEAR_ENOUGH = 85  # percent of the quote's letters found in order
_SHORTEST_NEAR = 12  # below this, a few equal letters prove nothing
_LONGEST_READ = 2 * MAX_QUOTE_LENGTH
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
"""Characters before a quote in which its negation, or its sentence's beginning, is looked for."""
_ASKS = re.compile(r'[ "]{0,3}\?')
"""What follows the last words of a question."""
_SENTENCE_BEGINS = re.compile(r"(?:^|\n|[!?…]|\.\W)\W{0,20}$")
_SENTENCE_ENDS = re.compile(r"\W{0,20}?(?:$|\n|[.!?…](?!\w))")
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*|[.!?…]+")
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


def in_sentence(words: str, text: str) -> str:
    """Return a quote from the message `text` for people, with «…» where it cuts a sentence."""
    original = keep_visible(text)
    head, tail = _word_edges(words)
    found = re.search(head + re.escape(words) + tail, original)
    if found is None:
        return words
    before = (
        ""
        if _SENTENCE_BEGINS.search(original, max(0, found.start() - _LOOK_BACK), found.start())
        else "…"
    )
    after = "" if words[-1] in ".!?…" or _SENTENCE_ENDS.match(original, found.end()) else "…"
    return f"{before}{words}{after}"


def list_sentences(text: str, words: str) -> list[str]:
    """Return the sentences of the message `text` that contain a part of these words."""
    original = keep_visible(text)
    start = original.find(words)
    if start < 0:
        return []
    end = start + len(words)
    return [
        sentence[0].strip()
        for sentence in _SENTENCE.finditer(original)
        if sentence.start() < end and start < sentence.end()
    ]


def _word_edges(words: str) -> tuple[str, str]:
    """Return patterns for both ends that match whole words only: «дорого» is not in «недорого»."""
    return (r"(?<!\w)" if words[0].isalnum() else ""), (r"(?!\w)" if words[-1].isalnum() else "")


def _is_whole(text: str, start: int, end: int) -> bool:
    """Return whether no word goes on beyond these words of the text."""
    return not (
        (text[start].isalnum() and _is_of_word(text[max(0, start - 1) : start]))
        or (text[end - 1].isalnum() and _is_of_word(text[end : end + 1]))
    )


def _is_of_word(char: str) -> bool:
    return char.isalnum() or char == "_"


class _Shown:
    """A message as shown to the model, folded for comparison, with a mapping to the original."""

    def __init__(self, message: ChatMessage, masker: Masker) -> None:
        self.message = message
        self.original = keep_visible(message.text)
        folded: list[str] = []
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


class QuoteVerifier:
    """Verifier of quotes from one graded window."""

    def __init__(self, window: Sequence[ChatMessage], masker: Masker) -> None:
        """`masker`: that of the user message, so that the tokens are the model's."""
        self._shown = [_Shown(message, masker) for message in window]

    def verify(self, number: int, words: str, sides: Collection[Side]) -> Quote | None:
        """Return the quote as it stands in message `number` (from 1) if one of `sides` wrote it.

        Case, ё, blanks, quotation marks and dashes make no difference. A quote that stands
        elsewhere is repaired. Repairs, in this order:

        - The words stand in another message of these sides; the nearest is taken.
        - Only the longest part before or after an ellipsis stands in a message.
        - The message `number` has similar words.

        Return None if no repair is possible.
        """
        wanted = _fold(words[:_LONGEST_READ]).strip(' ".')
        if not any(char.isalnum() or ord(char) > 0x2000 for char in wanted):
            return None
        nearest = self._nearest(number, sides)
        longest_part = max(wanted.split("..."), key=len).strip(' ".,')
        for part in filter(None, (wanted, longest_part)):
            for place, shown in nearest:
                if span := shown.find(part):
                    return shown.quote(span, repaired=place != number or part != wanted)
        if nearest and nearest[0][0] == number:
            return nearest[0][1].quote_near(wanted)
        return None

    def contains(
        self,
        words: str,
        sides: Collection[Side] = frozenset(Side),
        *,
        is_statement: bool = False,
    ) -> bool:
        """Return whether messages of these sides have these or similar words.

        Every part between ellipses must stand in a message. ``is_statement``: words that end a
        question do not count.
        """
        stripped = (part.strip(' ".,;:') for part in _fold(words[:_LONGEST_READ]).split("..."))
        parts = [part for part in stripped if any(map(str.isalnum, part))]
        shown = [entry for entry in self._shown if entry.message.side in sides]
        return bool(parts) and all(
            any(entry.has(part, is_statement=is_statement) for entry in shown) for part in parts
        )

    def list_texts(self, sides: Collection[Side]) -> list[str]:
        """Return the visible texts of these sides."""
        return [shown.original for shown in self._shown if shown.message.side in sides]

    def quote_message(self, message_id: int) -> list[Quote]:
        """Return the beginning of a message of the window as a quote; nothing if it is blank."""
        shown = next(shown for shown in self._shown if shown.message.id == message_id)
        return [shown.quote((0, len(shown.folded)), repaired=False)] if shown.folded.strip() else []

    def list_turns(self) -> list[tuple[Side, str]]:
        """Return the side and the visible text of each message, in order."""
        return [(shown.message.side, shown.original) for shown in self._shown]

    def get_message(self, message_id: int) -> ChatMessage:
        """Return a message of the window."""
        return next(shown.message for shown in self._shown if shown.message.id == message_id)

    def text_of(self, message_id: int) -> str:
        """Return the visible text of a message of the window."""
        return next(shown.original for shown in self._shown if shown.message.id == message_id)

    def _nearest(self, number: int, sides: Collection[Side]) -> list[tuple[int, _Shown]]:
        return [entry for entry in self._by_distance(number) if entry[1].message.side in sides]

    def _by_distance(self, number: int) -> list[tuple[int, _Shown]]:
        """Return the messages with their numbers, those next to ``number`` first."""
        return sorted(enumerate(self._shown, start=1), key=lambda entry: abs(entry[0] - number))

    def originals(self, words: str, near: int) -> list[str] | None:
        """Return the originals of the tokens in these words, in order.

        They come from the message nearest to `near` (from 1) that contains the words as shown, on
        either side. Return None if there is no such message.
        """
        wanted = _fold(words).strip(' ".,;:')
        if not any(map(str.isalnum, wanted)):
            return None
        for _, shown in self._by_distance(near):
            if span := shown.find(wanted):
                return shown.originals(span)
        return None


@lru_cache(maxsize=2_048)
def _fold_char(char: str) -> str:
    lower = char.lower()
    return " " if char.isspace() else _FOLDED.get(lower, lower)


def _fold(text: str) -> str:
    return " ".join("".join(map(_fold_char, keep_visible(text))).split())
