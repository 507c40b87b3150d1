"""Dialogues are read as documented and become chats in the past."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import build_chat
from app.sandbox.catalogue import load_dialogues

NOW = datetime(2026, 11, 22, 0, 5, tzinfo=UTC)
DIALOGUE: dict[str, Any] = {
    "key": "own-01",
    "about": "good: two messages",
    "chat_type": "u2i",
    "item": {"id": 1, "title": ""},
    "client": None,
    "ended_minutes_ago": 10,
    "messages": [
        {"side": "client", "gap": 5, "type": "text", "text": "Актуально?"},
        {"side": "company", "gap": 90, "type": "text", "text": "Да"},
    ],
}


def test_every_dialogue_becomes_a_chat_in_the_past() -> None:
    dialogues = load_dialogues()

    assert dialogues
    for dialogue in dialogues:
        written = [message.created for message in build_chat(dialogue, NOW).messages]
        assert written == sorted(written)
        assert written[-1] < NOW.timestamp()


def test_times_are_counted_back_from_now(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps([DIALOGUE]))

    chat = build_chat(load_dialogues(tmp_path)[0], NOW)

    assert [NOW.timestamp() - message.created for message in chat.messages] == [100 * 60, 10 * 60]
    assert (chat.item and chat.item.title, chat.client) == ("", None)


def test_ids_are_the_same_at_every_start_and_no_two_chats_share_one() -> None:
    first, second = (LocalAvito.from_catalogue(NOW, accounts=2) for _ in range(2))

    ids = [chat_id for account in first.accounts for chat_id in account.chats]
    assert ids == [chat_id for account in second.accounts for chat_id in account.chats]
    assert len(set(ids)) == len(load_dialogues())


@pytest.mark.parametrize(
    "wrong",
    [
        {"ended_minutes_ago": 0},
        {"mood": "fine"},
        {"messages": [{"side": "nobody", "type": "text"}]},
    ],
)
def test_invalid_dialogue_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    (tmp_path / "own.json").write_text(json.dumps([DIALOGUE | wrong]))

    with pytest.raises(ValidationError):
        load_dialogues(tmp_path)


def test_a_key_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps([DIALOGUE, DIALOGUE]))

    with pytest.raises(ValueError, match="own-01"):
        load_dialogues(tmp_path)
