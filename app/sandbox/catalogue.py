"""The sandbox's dialogues: invented conversations of several trades, read from the JSON files in
`dialogues/`.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

DIALOGUES_FOLDER = Path(__file__).parent / "dialogues"

Side = Literal["client", "company", "system"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DialogueItem(_Strict):
    """The listing a dialogue is about. Its title may be empty: Avito has such listings."""

    id: int
    title: str
    price_string: str | None = None


class DialogueClient(_Strict):
    """The buyer, as far as Avito tells who that is."""

    id: int
    name: str | None = None


class DialogueMessage(_Strict):
    """One message; `gap` counts the minutes since the message before it."""

    side: Side
    gap: float = Field(default=0, ge=0)
    type: str
    text: str = ""


class Dialogue(_Strict):
    """One conversation, oldest message first. Its last message is `ended_minutes_ago` minutes old
    when the sandbox starts.
    """

    key: str
    about: str
    chat_type: Literal["u2i", "u2u", "a2u"] = "u2i"
    item: DialogueItem | None = None
    client: DialogueClient | None = None
    ended_minutes_ago: float = Field(gt=0)
    messages: list[DialogueMessage]


def load_dialogues(folder: Path = DIALOGUES_FOLDER) -> list[Dialogue]:
    """Read every dialogue of a folder, in the order of the files' names.

    Raises `pydantic.ValidationError` for a file that is not as described above and `ValueError` for
    a key that occurs twice.
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
