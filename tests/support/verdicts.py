"""Verdicts on small chats, without a model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.domain.messages import ChatMessage
from app.domain.timeliness import GRADING_HOURS
from app.grading.masking.masker import Masker
from app.grading.prompt import ChatContext
from app.grading.rubric import Rubric, load_rubric
from app.grading.verdict import Verdict
from app.grading.verdict_builder import build_verdict
from tests.support.chats import MOSCOW, SOFA, START

RUBRIC = load_rubric(None)


def make_context(earlier: int = 0) -> ChatContext:
    """Return the context of a chat that is graded a day after it began."""
    return ChatContext(MOSCOW, GRADING_HOURS, START + timedelta(days=1), earlier)


@dataclass(frozen=True)
class Graded:
    """A chat that is graded with any answers. By default it is the chat about the sofa."""

    messages: Sequence[ChatMessage] = tuple(SOFA)
    masker: Masker = field(default_factory=lambda: Masker([]))
    rubric: Rubric = RUBRIC
    context: ChatContext = field(default_factory=make_context)

    def read(self, *answers: dict[str, Any] | str) -> Verdict:
        """Return the verdict in one or two answers: objects, or texts of the model."""
        texts = [
            answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
            for answer in answers
        ]
        return build_verdict(texts, self.messages, self.masker, self.rubric, self.context)
