"""CPU-intensive work on one chat: masking, the question for the model, the verdict in its answer.

It runs in a worker process. The module imports only domain and grading, because a worker process
loads everything that it imports.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.domain.contact import Contact
from app.domain.messages import ChatMessage
from app.domain.visible_text import keep_visible
from app.grading.contacts import find_contact
from app.grading.masking.masker import Masker, Masking
from app.grading.prompt import ChatContext, user_message
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict
from app.grading.verdict_builder import build_verdict
from app.grading.verdict_error import VerdictError

_MOST_NAMES, _LONGEST_NAME = 20, 200
"""Chats copied by earlier versions may have longer names."""
_GREETING = "Добрый день, Анна! Перезвоните по номеру 8 900 000-00-00, улица Садовая, 5."


@dataclass(frozen=True)
class ChatWork:
    """The window to be graded and how it is shown to the model. ``nonce`` delimits it."""

    window: Sequence[ChatMessage]
    names: Sequence[str]
    masking: Masking
    context: ChatContext
    nonce: str

    def masker(self) -> Masker:
        """Return the masker of this chat. Equal chats get equal tokens in every process."""
        names = [keep_visible(name[:_LONGEST_NAME]) for name in self.names[:_MOST_NAMES]]
        return Masker(names, [message.text for message in self.window], level=self.masking)


@dataclass(frozen=True)
class Question:
    """The user message for the model, and what the verdict needs: the work and its masker, pickled.

    Masking takes as long as all other work on a question. The event loop does not read the bytes.
    """

    text: str
    state: bytes


def write_question(work: ChatWork) -> Question:
    """Return the question about a chat."""
    masker = work.masker()
    text = user_message(work.window, masker, work.context, work.nonce)
    return Question(text, pickle.dumps((work, masker)))


def read_verdict(state: bytes, answers: Sequence[str], rubric: bytes) -> Verdict | str:
    """Return the verdict in the model's answers, or the complaint about an unusable answer.

    ``state``: of the question. ``rubric``: pickled, because it is the same for every chat.
    """
    work, masker = pickle.loads(state)  # noqa: S301 - from our own process
    try:
        return build_verdict(answers, work.window, masker, _load_rubric(rubric), work.context)
    except VerdictError as error:
        return str(error)


@lru_cache(maxsize=2)
def _load_rubric(rubric: bytes) -> Rubric:
    loaded: Rubric = pickle.loads(rubric)  # noqa: S301 - from our own process
    return loaded


def read_contact(window: Sequence[ChatMessage]) -> Contact | None:
    """Return the contact or meeting of a window, as a report about it stores it."""
    return find_contact(window, Masker((), [message.text for message in window]))


def warm_up() -> None:
    """Load the dictionary and compile the patterns of masking, which takes half a second.

    Otherwise the first chat would spend its processor time on it.
    """
    Masker((), [_GREETING]).mask(_GREETING)
