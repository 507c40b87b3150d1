"""The costly work on one chat's text: masking, the question for the model and the check of its
answer. Runs in a worker process.

Imports nothing but grading: a worker process loads this module and what it imports.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage
from app.domain.visible_text import keep_visible
from app.grading.grade_words import VerdictError
from app.grading.masking.masker import Masker, Masking
from app.grading.prompt import user_message
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict, build_verdict

_MOST_NAMES, _LONGEST_NAME = 20, 200  # chats copied by earlier versions have longer ones
_GREETING = "Добрый день, Анна! Перезвоните по номеру 8 900 000-00-00, улица Садовая, 5."


@dataclass(frozen=True)
class ChatWork:
    """The window to be graded and how it is shown to the model; ``nonce`` frames it."""

    window: Sequence[ChatMessage]
    names: Sequence[str]
    masking: Masking
    zone: ZoneInfo
    nonce: str

    def masker(self) -> Masker:
        """A masker of this chat. Equal chats get equal tokens, whichever process makes them."""
        names = [keep_visible(name[:_LONGEST_NAME]) for name in self.names[:_MOST_NAMES]]
        return Masker(names, [message.text for message in self.window], level=self.masking)


@dataclass(frozen=True)
class Judgement:
    """A verdict, or None where the answer cannot be used; ``complaint`` is what to ask of the model
    once more.
    """

    verdict: Verdict | None
    complaint: str | None


def write_question(work: ChatWork) -> str:
    """The user message for the model."""
    return user_message(work.window, work.masker(), work.zone, work.nonce)


def judge_answer(work: ChatWork, answer: str, rubric: Rubric) -> Judgement:
    """The verdict in the model's answer to that question."""
    try:
        verdict = build_verdict(answer, work.window, work.masker(), rubric, work.zone)
    except VerdictError as error:
        return Judgement(None, str(error))
    return Judgement(verdict, verdict.complaint)


def warm_up() -> None:
    """Load the dictionary and compile the patterns of masking: half a second that no chat's budget
    is to pay for.
    """
    Masker((), [_GREETING]).mask(_GREETING)
