"""Dialogues of the sandbox: fictional conversations of several trades.

They are read from the JSON files in `dialogues/`.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

DIALOGUES_FOLDER = Path(__file__).parent / "dialogues"

Side = Literal["client", "company", "system"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DialogueItem(_Strict):
    """The listing of a dialogue. Its title may be empty, as in Avito."""

    id: int
    title: str
    price_string: str | None = None


class DialogueClient(_Strict):
    """The buyer, as far as Avito reports the person."""

    id: int
    name: str | None = None


class DialogueMessage(_Strict):
    """One message; `gap` is the number of minutes since the previous one."""

    side: Side
    gap: float = Field(default=0, ge=0)
    type: str
    text: str = ""


class Dialogue(_Strict):
    """One conversation, oldest message first.

    When the sandbox starts, its last message is `ended_minutes_ago` minutes old.
    """

    key: str
    about: str
    chat_type: Literal["u2i", "u2u", "a2u"] = "u2i"
    item: DialogueItem | None = None
    client: DialogueClient | None = None
    ended_minutes_ago: float = Field(gt=0)
    messages: list[DialogueMessage]


def load_dialogues(folder: Path = DIALOGUES_FOLDER) -> list[Dialogue]:
    """Read all dialogues of a folder, ordered by file name.

    Raises `pydantic.ValidationError` for a file of another format, and `ValueError` for a
    duplicated key.
    """
    several = TypeAdapter(list[Dialogue])
    dialogues = [
        dialogue
        for file in sorted(folder.glob("*.json"))
        for dialogue in several.validate_json(file.read_bytes())
    ]
    keys = [dialogue.key for dialogue in dialogues]
    if repeated := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"dialogue keys occur twice: {', '.join(repeated)}")
    return dialogues
