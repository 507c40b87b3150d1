"""Grades of the local DeepSeek for conversations of the sandbox."""

from datetime import UTC, datetime
from typing import Any

from app.sandbox.catalogue import load_dialogues
from app.sandbox.deepseek_rules import grade
from tests.support.grading_protocol import (
    Rows,
    build_dialogue_rows,
    build_system_message,
    build_user_message,
)

_NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def grade_chat(chat: Rows, checks: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Return the answer of the local DeepSeek about a chat."""
    answer = grade(build_system_message(checks), build_user_message(chat))
    assert answer is not None
    return answer


def list_conversations() -> dict[str, Rows]:
    """Return every dialogue of the catalogue with messages of both sides."""
    matches = {dialogue.key: build_dialogue_rows(dialogue, _NOW) for dialogue in load_dialogues()}
    return {
        key: chat
        for key, chat in matches.items()
        if {row["r"] for row in chat} == {"buyer", "seller"}
    }
