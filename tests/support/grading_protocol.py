"""Grading requests in the service's format.

The system message ends with the shape of the answer; the chat is between two nonce lines, and its
context follows.
"""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.avito_state import build_chat
from app.sandbox.catalogue import Dialogue

CHECKS = {
    "tonality": ["courteous", "no_rudeness", "attentive"],
    "professionalism": ["competent", "literate"],
    "clarity": ["direct_answers", "specifics", "readable"],
    "problem_solving": ["questions_answered", "solution_offered", "details_given"],
    "objection_handling": ["argued", "option_offered"],
    "closure": ["next_step", "agreement", "no_hanging"],
}
"""The checks that the model is asked about."""
PLACEHOLDERS = {
    "image": "[фото]",
    "voice": "[голосовое сообщение]",
    "video": "[видео]",
    "file": "[файл]",
    "call": "[пропущенный звонок]",
    "deleted": "[сообщение удалено]",
}
Rows = list[dict[str, Any]]


def build_system_message(checks: dict[str, list[str]] | None = None) -> str:
    quote = {"i": "<номер>", "q": "<слова>"}
    criteria = {
        name: {
            "ev": [quote],
            "why": "<предложение>",
            "checks": dict.fromkeys(ids, "<y|n|na>"),
            "grade": "<high|medium|low>",
        }
        for name, ids in (checks or CHECKS).items()
    }
    shape = {
        "objections": [{**quote, "a": "<y|n>"}],
        "critical": [{"fault": "<insult>", **quote}],
        "criteria": criteria,
        "summary": "<текст>",
        "recommendations": [{"i": "<номер>", "t": "<текст>"}],
    }
    return (
        'Оцени чат. Поле "objections" обязательно. Верни JSON такой формы:\n'
        f"{json.dumps(shape, ensure_ascii=False)}"
    )


def build_user_message(
    rows: Rows,
    nonce: str = "=== 7c1f ===",
    *,
    graded_at: str = "2026-11-22 18:00",
    earlier: int = 0,
) -> str:
    context = {"graded_at": graded_at, "working_hours": "Пн-Вс 09:00-21:00", "earlier": earlier}
    chat, surroundings = (json.dumps(part, ensure_ascii=False) for part in (rows, context))
    return f"{nonce}\n{chat}\n{nonce}\n{surroundings}"


def build_rows(*turns: tuple[str, str, str]) -> Rows:
    """Build rows from (role, text, time of day); a description in brackets is no text."""
    kinds = {description: kind for kind, description in PLACEHOLDERS.items()}
    return [
        {"i": i, "r": role, "t": text, "at": f"2026-11-22 {at}"}
        | ({"k": kinds[text]} if text in kinds else {})
        for i, (role, text, at) in enumerate(turns, 1)
    ]


def build_dialogue_rows(dialogue: Dialogue, now: datetime) -> Rows:
    """Build the rows of a catalogue dialogue as the service does; Moscow time."""
    found: Rows = []
    for message in build_chat(dialogue, now).messages:
        if message.side == "system":
            continue
        texts = {
            "text": message.text,
            "link": f"[ссылка: {message.text}]",
            "location": f"[геолокация: {message.text}]",
        }
        text = (
            texts.get(message.type)
            or PLACEHOLDERS.get(message.type)
            or f"[неизвестный тип: {message.type}]"
        )
        at = datetime.fromtimestamp(message.created, ZoneInfo("Europe/Moscow"))
        found.append(
            {
                "i": len(found) + 1,
                "r": "buyer" if message.side == "client" else "seller",
                "t": text,
                "at": f"{at:%Y-%m-%d %H:%M}",
            }
            | ({} if message.type == "text" else {"k": message.type})
        )
    return found


GOOD = build_rows(
    ("buyer", "Здравствуйте! Рио ещё продаётся? Дорого только, 1 350 000", "12:00"),
    (
        "seller",
        (
            "Здравствуйте, Марина! Да, в продаже. Понимаю, сумма большая, зато комплект зимней"
            " резины входит и гарантия 6 месяцев."
        ),
        "12:04",
    ),
    ("buyer", "Можно завтра посмотреть в 18:30?", "12:06"),
    (
        "seller",
        (
            "Можно, записал вас на завтра 18:30. Уступлю 10 000 при осмотре. Адрес: Садовая, 5."
            " Прогреть заранее?"
        ),
        "12:08",
    ),
    ("buyer", "Договорились, буду", "12:09"),
)
RUDE = build_rows(
    ("buyer", "Здравствуйте, дорого. За 650 отдадите? Пороги целые?", "12:00"),
    ("seller", "ты читать умеешь", "15:00"),
    ("buyer", "Я просто спросил. Пороги целые или нет?", "15:01"),
    ("seller", "не трать мое время", "15:02"),
    ("buyer", "Так есть торг?", "15:03"),
)
