"""Small chats and answers that the tests of grading are made of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage, Side

MOSCOW = ZoneInfo("Europe/Moscow")
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

CHECKS = {
    "tonality": ("courteous", "no_rudeness", "attentive"),
    "professionalism": ("competent", "literate"),
    "clarity": ("direct_answers", "specifics", "readable"),
    "problem_solving": ("questions_answered", "solution_offered", "details_given"),
    "objection_handling": ("argued", "option_offered"),
    "closure": ("next_step", "agreement", "no_hanging"),
}
"""The checks that the model answers; code answers the others."""


def chat(*lines: tuple[str, str], minutes: int = 5) -> list[ChatMessage]:
    """Messages with ids 101, 102, …, `minutes` apart; a side is "client", "company" or "system";
    words in brackets are no text.
    """
    return [
        ChatMessage(
            101 + index,
            Side(side),
            START + timedelta(minutes=index * minutes),
            text,
            has_text=not text.startswith("["),
        )
        for index, (side, text) in enumerate(lines)
    ]


SOFA = chat(
    ("client", "Здравствуйте, диван в наличии?"),
    ("company", "Добрый день! В наличии, можно посмотреть сегодня до 20:00"),
    ("client", "Дороговато для б/у"),
    ("company", "Понимаю. Обивка новая, готов уступить 500 рублей"),
    ("client", "Хорошо, приеду в семь"),
    ("company", "Жду вас в семь, до встречи!"),
)


QUOTES = {
    "tonality": (2, "Добрый день!"),
    "professionalism": (4, "Обивка новая"),
    "clarity": (2, "В наличии"),
    "problem_solving": (2, "можно посмотреть сегодня до 20:00"),
    "objection_handling": (4, "готов уступить 500 рублей"),
    "closure": (6, "Жду вас в семь"),
}
"""Words of the seller of SOFA, different ones for each criterion."""


def criterion(
    name: str,
    checks: str = "",
    grade: str = "high",
    ev: Sequence[tuple[int, str]] | None = None,
) -> dict[str, Any]:
    """One criterion's part of an answer; by default all checks are met, with words of SOFA."""
    values = checks.split() or ["y"] * len(CHECKS[name])
    return {
        "ev": [
            {"i": number, "q": words} for number, words in ((QUOTES[name],) if ev is None else ev)
        ],
        "why": "Продавец ответил вежливо и по делу.",
        "checks": dict(zip(CHECKS[name], values, strict=True)),
        "grade": grade,
    }


def answer(changes: Mapping[str, Any] | None = None, **criteria: dict[str, Any]) -> dict[str, Any]:
    """A good answer about SOFA without an objection; `criteria` replace whole criteria, `changes`
    top-level keys.
    """
    silent = criterion("objection_handling", "na na", "none", ())
    graded = {name: criterion(name) for name in CHECKS} | {"objection_handling": silent} | criteria
    whole: dict[str, Any] = {
        "objections": [],
        "critical": [],
        "criteria": graded,
        "summary": "Покупатель спросил о диване, продавец ответил и назначил встречу.",
        "recommendations": [{"i": 4, "t": "Назвать цену с учётом уступки."}],
    }
    return whole | dict(changes or {})


OBJECTED = {"objections": [{"i": 3, "q": "Дороговато для б/у", "a": "y"}]}
