"""What Avito puts in the place of a person's words: placeholder texts and calls.

The one table for sync, grading, waits and display. To add a text, add a member to ``Placeholder``
and, if it hides a message of a person, to ``HIDDEN_AS``.
"""

import re
from enum import StrEnum

from app.domain.visible_text import keep_visible

SYSTEM_PREFIX = "[Системное сообщение]"
"""Avito begins its own notices with it."""


class Placeholder(StrEnum):
    """A text that Avito sends as if a person had written it. The value is the text.

    It arrives with and without ``SYSTEM_PREFIX`` and a final dot.
    """

    PLAN_MISSING = "Перейдите на подписку с API мессенджера, чтобы получить доступ к чатам"
    """In place of every text while the plan is not paid. Such a message is not stored."""
    DELETED = "Сообщение удалено"
    """In place of a deleted text. The stored text stays."""
    UNSUPPORTED = "Сообщение не поддерживается. Пожалуйста, перейдите в Авито мессенджер"
    """In place of a message that only Avito's own messenger shows."""
    ASSISTANT_ANSWERED = "Ассистент Авито ответил на вопрос клиента"
    """A notice: neither a question nor an answer. The buyer still waits for a person."""
    NOTHING_WRITTEN = "Пользователь создал чат, но пока ничего не написал"
    """A notice: a lead without a message."""

    @property
    def pattern(self) -> str:
        """A regular expression of Python and Postgres for the text, with any spaces.

        It ignores case.
        """
        prefix, words = (
            r"\s+".join(re.escape(word) for word in text.split())
            for text in (SYSTEM_PREFIX, self.value)
        )
        return rf"^\s*({prefix})?\s*{words}\s*\.?\s*$"


HIDDEN_AS = {
    Placeholder.PLAN_MISSING: "text",
    Placeholder.DELETED: "deleted",
    Placeholder.UNSUPPORTED: "unsupported",
}
"""The placeholders that hide a message of a person, with the type of that message."""
NEVER_READ = HIDDEN_AS[Placeholder.DELETED]
"""The type of a message that was deleted before a sync read its words."""
NOTICES = frozenset({Placeholder.ASSISTANT_ANSWERED, Placeholder.NOTHING_WRITTEN})
"""The placeholders that Avito writes itself: their side is ``system``."""

_ANY = re.compile(
    "|".join(f"(?P<{placeholder.name}>{placeholder.pattern})" for placeholder in Placeholder),
    re.IGNORECASE,
)
_LONGEST = 200
"""In characters. A longer text contains more than a placeholder."""


def find_placeholder(text: object) -> Placeholder | None:
    """Return the placeholder that the whole text is; None for words of a person.

    A placeholder inside a longer message is a quotation: words of a person.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    found = _ANY.match(keep_visible(text))
    return Placeholder[found.lastgroup] if found and found.lastgroup else None


CALL_TYPES = ("call", "appCall")
"""Avito's types of calls. An ``appCall`` usually has no status."""
MISSED_CALL = "missed"
"""The status of a call that was not answered. Avito documents no other status."""
COMPLETED_CALL = ("completed", "answered", "accepted", "success", "successful", "finished")
"""The statuses of a call that was answered. They are undocumented: common names are accepted."""


def read_call_status(message_type: str, content: object) -> str | None:
    """Return the status of a call in Avito's content; None if it has none or is not a call."""
    if message_type not in CALL_TYPES or not isinstance(content, dict):
        return None
    for name in CALL_TYPES:
        call = content.get(name)
        if isinstance(call, dict) and call.get("status") is not None:
            return str(call["status"]).lower()
    return None
