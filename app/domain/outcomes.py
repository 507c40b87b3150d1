"""Outcomes of the latest attempt to grade a chat."""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a chat. Every chat of a mail has exactly one of the four."""

    GRADED = "graded"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"


MAX_FAILURES = 4
"""Attempts to grade a chat that fails: the first one and three more. Then only ``force`` tries
again.
"""


class SkipReason(StrEnum):
    """Why a chat is skipped instead of being given a made-up grade."""

    NO_CLIENT_MESSAGE = "no_client_message"
    NO_COMPANY_ANSWER = "no_company_answer"
    NO_TEXT = "no_text"

    @property
    def label(self) -> str:
        """The reason in Russian."""
        return _LABELS[self]


_LABELS = {
    SkipReason.NO_CLIENT_MESSAGE: "нет сообщений клиента",
    SkipReason.NO_COMPANY_ANSWER: "нет ответа компании",
    SkipReason.NO_TEXT: "нет текста",
}
