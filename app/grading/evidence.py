"""Verify the model's quotes against the messages that it was shown; repair or drop false ones."""

import re
from collections.abc import Collection, Sequence

from app.domain.messages import ChatMessage, Side
from app.domain.visible_text import keep_visible
from app.grading.masking.masker import Masker
from app.grading.transcript_message import MAX_QUOTE_LENGTH, Quote, TranscriptMessage, fold

__all__ = ["MAX_QUOTE_LENGTH", "Quote", "QuoteVerifier", "in_sentence", "list_sentences"]

_LONGEST_READ = 2 * MAX_QUOTE_LENGTH
_OUTER = ' ".,;:'
"""Characters around words that make no difference."""
_ELLIPSIS = re.compile(r"(…|\.{3})")
_LOOK_BACK = 40
"""Characters before a quote in which the beginning of its sentence is looked for."""
_SENTENCE_BEGINS = re.compile(r"(?:^|\n|[!?…]|\.\W)\W{0,20}$")
_SENTENCE_ENDS = re.compile(r"\W{0,20}?(?:$|\n|[.!?…](?!\w))")
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*|[.!?…]+")


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


class QuoteVerifier:
    """Verifier of quotes from one graded window."""

    def __init__(self, window: Sequence[ChatMessage], masker: Masker) -> None:
        """`masker`: that of the user message, so that the tokens are the model's."""
        self._shown = [TranscriptMessage(message, masker) for message in window]

    def verify(self, number: int, words: str, sides: Collection[Side]) -> Quote | None:
        """Return the quote as it stands in message `number` (from 1) if one of `sides` wrote it.

        Case, ё, blanks, quotation marks and dashes make no difference. A quote that stands
        elsewhere is repaired. Repairs, in this order:

        - The words stand in another message of these sides; the nearest is taken.
        - Only the longest part before or after an ellipsis stands in a message.
        - The message `number` has similar words.

        Return None if no repair is possible.
        """
        wanted = fold(words[:_LONGEST_READ]).strip(' ".')
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
        stripped = (part.strip(_OUTER) for part in fold(words[:_LONGEST_READ]).split("..."))
        parts = [part for part in stripped if any(map(str.isalnum, part))]
        shown = [entry for entry in self._shown if entry.message.side in sides]
        return bool(parts) and all(
            any(entry.has(part, is_statement=is_statement) for entry in shown) for part in parts
        )

    def correct(self, words: str, sides: Collection[Side] = frozenset(Side)) -> str:
        """Return words that `contains` has found, with similar words as these sides wrote them."""
        shown = [entry for entry in self._shown if entry.message.side in sides]
        return "".join(_correct_part(part, shown) for part in _ELLIPSIS.split(words))

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

    def _nearest(self, number: int, sides: Collection[Side]) -> list[tuple[int, TranscriptMessage]]:
        return [entry for entry in self._by_distance(number) if entry[1].message.side in sides]

    def _by_distance(self, number: int) -> list[tuple[int, TranscriptMessage]]:
        """Return the messages with their numbers, those next to ``number`` first."""
        return sorted(enumerate(self._shown, start=1), key=lambda entry: abs(entry[0] - number))

    def originals(self, words: str, near: int) -> list[str] | None:
        """Return the originals of the tokens in these words, in order.

        They come from the message nearest to `near` (from 1) that contains the words as shown, on
        either side. Return None if there is no such message.
        """
        wanted = fold(words).strip(' ".,;:')
        if not any(map(str.isalnum, wanted)):
            return None
        for _, shown in self._by_distance(near):
            if span := shown.find(wanted):
                return shown.originals(span)
        return None


def _correct_part(part: str, shown: Collection[TranscriptMessage]) -> str:
    """Return a part of a quotation; if no message has it, the similar words of one."""
    core = part.strip(_OUTER)
    wanted = fold(core).strip(_OUTER)
    if not any(map(str.isalnum, wanted)) or any(entry.find(wanted) for entry in shown):
        return part
    similar = (entry.spell_near(wanted) for entry in shown if entry.has(wanted, is_statement=False))
    found = next(filter(None, similar), None)
    return part if found is None else part.replace(core, found)
