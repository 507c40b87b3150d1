"""The local DeepSeek's view of a chat.

It parses the turns and their context from the user message and derives exchanges and quotes.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from app.sandbox.deepseek_lexicon import (
    FAREWELL,
    INVISIBLE,
    MORE_THAN_GREETING,
    QUESTION,
    SILENT,
    TO_THE_GRADER,
    WORD,
)

QUOTE_LENGTH = 90


@dataclass(frozen=True)
class Quote:
    """A verbatim excerpt of message `i`, at most 90 characters long."""

    i: int
    text: str


@dataclass(frozen=True)
class Turn:
    """A message.

    `kind`: that of a message without text, else None. `sentences` are verbatim parts of the text.
    They are empty without text, and end where the text begins to address the grader.
    """

    i: int
    role: str
    text: str
    at: datetime | None
    kind: str | None
    sentences: tuple[str, ...]

    @property
    def has_content(self) -> bool:
        """Whether the message has content; a missed call or a deleted message has none."""
        return bool(self.sentences) if self.kind is None else not SILENT.match(self.text)

    @property
    def sentence_text(self) -> str:
        return " ".join(self.sentences)


@dataclass(frozen=True)
class Exchange:
    """Consecutive messages of the buyer, then those of the seller.

    Either may be empty at the ends of the chat.
    """

    buyer: tuple[Turn, ...]
    seller: tuple[Turn, ...]

    @property
    def has_question(self) -> bool:
        return any(QUESTION.search(sentence) for turn in self.buyer for sentence in turn.sentences)

    @property
    def is_shown(self) -> bool:
        """Whether the seller answered by a picture, a voice message or the like."""
        return any(turn.kind for turn in self.seller)


@dataclass(frozen=True)
class GradedChat:
    """The turns of people that have content, oldest first.

    `earlier`: the number of messages before them that are not shown.
    """

    turns: tuple[Turn, ...]
    graded_at: datetime | None = None
    earlier: int = 0

    @cached_property
    def buyer(self) -> list[Turn]:
        return [turn for turn in self.turns if turn.role == "buyer"]

    @cached_property
    def seller(self) -> list[Turn]:
        return [turn for turn in self.turns if turn.role == "seller"]

    @cached_property
    def exchanges(self) -> list[Exchange]:
        found: list[Exchange] = []
        buyer: list[Turn] = []
        seller: list[Turn] = []
        for turn in self.turns:
            if turn.role == "buyer" and seller:
                found.append(Exchange(tuple(buyer), tuple(seller)))
                buyer, seller = [], []
            (buyer if turn.role == "buyer" else seller).append(turn)
        return [*found, Exchange(tuple(buyer), tuple(seller))] if buyer or seller else found

    @property
    def unanswered(self) -> Turn | None:
        """The buyer's last unanswered message, unless it is a farewell."""
        if not self.turns or self.turns[-1].role != "buyer":
            return None
        last = self.exchanges[-1]
        polite_end = not last.has_question and any(
            FAREWELL.search(turn.sentence_text) for turn in last.buyer
        )
        return None if polite_end else last.buyer[-1]


def find_quote(pattern: re.Pattern[str], turns: Iterable[Turn]) -> Quote | None:
    """Return a quote of the first sentence of these turns that matches the pattern."""
    for turn in turns:
        for sentence in turn.sentences:
            if match := pattern.search(sentence):
                return Quote(turn.i, clip_sentence(sentence, match.start()))
    return None


def find_statement(pattern: re.Pattern[str], turns: Iterable[Turn]) -> Quote | None:
    """Return a quote of the first sentence of these turns that matches and is no question."""
    return next(
        (
            Quote(turn.i, clip_sentence(sentence))
            for turn in turns
            for sentence in turn.sentences
            if pattern.search(sentence) and not QUESTION.search(sentence)
        ),
        None,
    )


def find_opening(turns: Iterable[Turn]) -> Quote | None:
    """Return a quote of the first sentence of these turns that is more than a greeting."""
    written = list(turns)
    return find_quote(MORE_THAN_GREETING, written) or find_quote(WORD, written)


def clip_sentence(sentence: str, start: int = 0) -> str:
    """Return at most 90 characters of a sentence, verbatim whole words from `start` on."""
    if len(sentence) <= QUOTE_LENGTH:
        return sentence
    begin = sentence.rfind(" ", 0, start + 1) + 1
    piece = sentence[begin : begin + QUOTE_LENGTH]
    return (
        piece.rsplit(" ", 1)[0] if begin + QUOTE_LENGTH < len(sentence) and " " in piece else piece
    )


def read_chat(user_message: str) -> GradedChat | None:
    """Find the chat's JSON array and its context in a user message; None if there is no chat."""
    lines = list(filter(None, map(_parse_line, user_message.split("\n"))))
    rows = next((line for line in lines if _is_chat(line)), None)
    if rows is None:
        return None
    context = next((line for line in lines if isinstance(line, dict) and "graded_at" in line), {})
    return GradedChat(
        tuple(turn for turn in map(_parse_turn, rows) if turn.has_content and turn.role != "bot"),
        _parse_time(context.get("graded_at")),
        int(context.get("earlier", 0)),
    )


def _parse_line(line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def _is_chat(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(row, dict) and "i" in row and "r" in row for row in value
    )


def _parse_turn(row: dict[str, Any]) -> Turn:
    text = str(row.get("t", ""))
    kind = row.get("k")
    sentences = () if kind else tuple(_split_sentences(text))
    return Turn(int(row["i"]), str(row["r"]), text, _parse_time(row.get("at")), kind, sentences)


def _split_sentences(text: str) -> Iterable[str]:
    """Yield the sentences of a message before the first one that addresses the grader.

    The rest of the message counts as part of that address.
    """
    for piece in re.split(r"(?<=[.!?…])\s+|\n+", text):
        sentence = piece.strip()
        if TO_THE_GRADER.search(INVISIBLE.sub("", sentence)):
            return
        if sentence:
            yield sentence


def _parse_time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        return None
