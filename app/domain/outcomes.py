"""Outcomes of the latest attempt to grade a chat."""

from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of a chat. Every chat of a mail has exactly one of the four."""

    GRADED = "graded"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"


MAX_FAILURES = 4
"""Attempts to grade a chat that fails: the first one and three retries by later runs. After them
only a run with ``force`` tries again.
"""


class SkipReason(StrEnum):
    """Reason why a chat is skipped: it holds nothing that can be graded."""

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
