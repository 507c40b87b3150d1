"""Dialogues with the grades of an expert, and the correct answers to the checks of the rubric.

``dialogues.json``: a dialogue has messages [time, side, text] and for each criterion the expert's
grade, a list of grades that are equally fair, or null (not gradable). ``dialogue_answers.json``:
model answers by number, written by a language model that had only the system message and the
messages, not the expert's grades. The expert is another one, who did not see the rubric. One answer
(31, closure) was corrected when the rubric's text was made to name missed calls.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.domain.criteria import Criterion
from app.domain.episode import WINDOW_LIMIT
from app.domain.grades import Grade
from app.domain.messages import ChatMessage, Side
from app.domain.working_hours import WorkingHours
from app.grading.masking.masker import Masker
from app.grading.prompt import ChatContext
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict
from app.grading.verdict_builder import build_verdict
from tests.support.chats import MOSCOW

HOURS_TEXT = "Пн-Пт 09:00-18:00"
HOURS = WorkingHours.parse(HOURS_TEXT)
_FOLDER = Path(__file__).parent
_MONDAY = datetime(2026, 11, 16, tzinfo=MOSCOW)
_GRADED_AT = datetime(2026, 11, 25, 15, 0, tzinfo=MOSCOW)
"""A Wednesday within the opening hours, after all messages of the two weeks."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SIDES = {"buyer": Side.CLIENT, "seller": Side.COMPANY}
_PLACEHOLDERS = {
    "[voice]": ("voice", "[голосовое сообщение]"),
    "[image]": ("image", "[фото]"),
    "[missed call]": ("call", "[пропущенный звонок]"),
}


@dataclass(frozen=True)
class Dialogue:
    """A dialogue with fair grades by criterion; an empty set: not gradable."""

    number: int
    title: str
    messages: tuple[ChatMessage, ...]
    fair: Mapping[Criterion, frozenset[Grade]]

    @property
    def window(self) -> tuple[ChatMessage, ...]:
        return self.messages[-WINDOW_LIMIT:]

    @property
    def context(self) -> ChatContext:
        return ChatContext(MOSCOW, HOURS, _GRADED_AT, len(self.messages) - len(self.window))


def load_dialogues() -> list[Dialogue]:
    content = json.loads((_FOLDER / "dialogues.json").read_text(encoding="utf-8"))
    return [_make_dialogue(entry) for entry in content["dialogues"]]


def load_answers() -> dict[int, dict[str, Any]]:
    content = json.loads((_FOLDER / "dialogue_answers.json").read_text(encoding="utf-8"))
    return {int(number): answer for number, answer in content.items()}


def grade_dialogue(dialogue: Dialogue, answer: dict[str, Any], rubric: Rubric) -> Verdict:
    window, first = dialogue.window, len(dialogue.messages) - len(dialogue.window)
    masker = Masker([], [message.text for message in window])
    text = json.dumps(_shift_numbers(answer, first), ensure_ascii=False)
    return build_verdict([text], window, masker, rubric, dialogue.context)


def _shift_numbers(value: Any, by: int) -> Any:
    """Convert the numbers of the whole dialogue to those of its window."""
    if isinstance(value, dict):
        return {
            key: int(entry) - by if key == "i" else _shift_numbers(entry, by)
            for key, entry in value.items()
        }
    return [_shift_numbers(entry, by) for entry in value] if isinstance(value, list) else value


def _make_dialogue(entry: dict[str, Any]) -> Dialogue:
    messages = tuple(
        _make_message(number, *message) for number, message in enumerate(entry["messages"], 1)
    )
    fair = {Criterion(name): _list_fair(grades) for name, grades in entry["expert"].items()}
    return Dialogue(entry["n"], entry["title"], messages, fair)


def _make_message(number: int, time: str, side: str, text: str) -> ChatMessage:
    kind, shown = _PLACEHOLDERS.get(text, ("text", text))
    return ChatMessage(
        number,
        _SIDES[side],
        _parse_time(time),
        shown,
        has_text=kind == "text",
        type=kind,
        call_status="missed" if kind == "call" else None,
    )


def _parse_time(text: str) -> datetime:
    if text.startswith("-"):
        return _GRADED_AT - timedelta(minutes=int(text[1:-1]))
    day, clock = text.split()
    week = 1 if day.endswith("2") else 0
    hours, minutes = map(int, clock.split(":"))
    return _MONDAY + timedelta(7 * week + _DAYS.index(day[:3]), hours=hours, minutes=minutes)


def _list_fair(grades: Any) -> frozenset[Grade]:
    listed = grades if isinstance(grades, list) else [grades] if grades else []
    return frozenset(map(Grade, listed))
