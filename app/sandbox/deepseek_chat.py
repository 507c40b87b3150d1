"""The local DeepSeek's view of a chat.

It parses the turns from the user message and derives exchanges, waiting times and quotes.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from app.sandbox.deepseek_lexicon import (
    FAREWELL,
    INVISIBLE,
    QUESTION,
    SILENT,
    TO_THE_GRADER,
    WORDLESS,
)

QUOTE_LENGTH = 90
OPENS, CLOSES = 9, 21  # a buyer who writes at night does not wait until the morning


@dataclass(frozen=True)
class Quote:
    """A verbatim excerpt of message `i`, at most 90 characters long."""

    i: int
    text: str


@dataclass(frozen=True)
class Turn:
    """A message.

    `sentences` are verbatim parts of its text. They are empty for media, and end where the text
    begins to address the grader.
    """

    i: int
    role: str
    text: str
    at: datetime | None
    sentences: tuple[str, ...]

    @property
    def has_content(self) -> bool:
        """Whether the message has content; a missed call or a deleted message has none."""
        return not SILENT.match(self.text) and bool(self.sentences or WORDLESS.match(self.text))

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
    def wait_minutes(self) -> float | None:
        """Minutes from the buyer's first message to the answer, without nights.

        None if there is no answer or no time.
        """
        if (
            not self.buyer
            or not self.seller
            or self.buyer[0].at is None
            or self.seller[0].at is None
        ):
            return None
        return working_minutes(self.buyer[0].at, self.seller[0].at)


@dataclass(frozen=True)
class GradedChat:
    """The turns of a chat that have content, oldest first."""

    turns: tuple[Turn, ...]

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


def find_opening(turns: Iterable[Turn]) -> Quote | None:
    """Return a quote of the first sentence of these turns."""
    return find_quote(re.compile(r"\w"), turns)


def clip_sentence(sentence: str, start: int = 0) -> str:
    """Return at most 90 characters of a sentence, verbatim whole words from `start` on."""
    if len(sentence) <= QUOTE_LENGTH:
        return sentence
    begin = sentence.rfind(" ", 0, start + 1) + 1
    piece = sentence[begin : begin + QUOTE_LENGTH]
    return (
        piece.rsplit(" ", 1)[0] if begin + QUOTE_LENGTH < len(sentence) and " " in piece else piece
    )


def working_minutes(start: datetime, end: datetime) -> float:
    """Return the minutes between two moments that are within 9:00–21:00."""
    minutes, day = 0.0, start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        opens, closes = day + timedelta(hours=OPENS), day + timedelta(hours=CLOSES)
        minutes += max(0.0, (min(end, closes) - max(start, opens)).total_seconds() / 60)
        day += timedelta(days=1)
    return minutes


def read_chat(user_message: str) -> GradedChat | None:
    """Find the line of a user message that is the chat's JSON array; None if there is none."""
    for line in user_message.split("\n"):
        try:
            rows = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(rows, list) and all(
            isinstance(row, dict) and "i" in row and "r" in row for row in rows
        ):
            return GradedChat(tuple(turn for turn in map(_parse_turn, rows) if turn.has_content))
    return None


def _parse_turn(row: dict[str, Any]) -> Turn:
    text = str(row.get("t", ""))
    return Turn(
        int(row["i"]),
        str(row["r"]),
        text,
        _parse_time(row.get("at")),
        () if WORDLESS.match(text) else tuple(_split_sentences(text)),
    )


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
