"""What the model tells of a chat, in words for people: masking taken back as far as it may be,
times in place of message numbers.
"""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage
from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.message_times import replace_numbers_with_times
from app.grading.web_addresses import replace_addresses

# «…» with quotations inside it, “…” and "…"; an inch is no quotation mark.
_QUOTATION = re.compile(r"""«(?:[^«»]++|«[^«»]*+»)*+»|[“„][^“”„]*+[“”]|(?<![\w"])"[^"]*+"(?!\w)""")
_LEFT_OUT = re.compile(r"(…|\.{3})")


class Retelling:
    """The texts of one answer about one window."""

    def __init__(
        self,
        window: Sequence[ChatMessage],
        masker: Masker,
        transcript: QuoteVerifier,
        zone: ZoneInfo,
    ) -> None:
        """`zone`: whose clock the times are by."""
        self._masker = masker
        self._transcript = transcript
        self._moments = [message.sent_at.astimezone(zone) for message in window]

    def in_words(self, text: str, near: int = 1) -> str:
        """A summary or a piece of advice, which is about message `near` (from 1).

        What is quoted from the chat keeps its names as they stand there, and its numbers.
        """
        hidden = self._masker.hide(text)
        told, position = "", 0
        for quotation in _QUOTATION.finditer(hidden):
            told += self._told(hidden[position : quotation.start()]) + self._quoted(
                quotation[0], near
            )
            position = quotation.end()
        return told + self._told(hidden[position:])

    def _told(self, hidden: str) -> str:
        return replace_addresses(
            replace_numbers_with_times(self._masker.to_words(hidden), self._moments), "ссылка"
        )

    def _quoted(self, quotation: str, near: int) -> str:
        parts = _LEFT_OUT.split(quotation[1:-1])
        return (
            quotation[0]
            + "".join(replace_addresses(self._spoken(part, near), "[ссылка]") for part in parts)
            + quotation[-1]
        )

    def _spoken(self, part: str, near: int) -> str:
        said = replace_numbers_with_times(self._masker.to_speech(part), self._moments)
        if said == part:
            return part
        originals = self._transcript.originals(part, near)
        return said if originals is None else self._masker.to_speech(part, originals)
