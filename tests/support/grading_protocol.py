"""Grading requests in the service's format.

The system message has one example answer; the chat is between two nonce lines.
"""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.avito_state import build_chat
from app.sandbox.catalogue import Dialogue

CHECKS = {
    "tonality": ["courteous", "no_rudeness", "attentive"],
    "professionalism": ["timely", "competent", "literate"],
    "clarity": ["direct_answers", "specifics", "readable"],
    "problem_solving": ["need_identified", "solution_offered", "questions_closed"],
    "objection_handling": ["acknowledged", "argued", "option_offered"],
    "closure": ["next_step", "agreement", "no_hanging"],
}
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
    criteria = {
        name: {"checks": dict.fromkeys(ids, "y"), "ev": [], "grade": "high"}
        for name, ids in (checks or CHECKS).items()
    }
    example = {
        "objection": {"present": True, "i": 5, "q": "дорого"},
        "criteria": criteria,
        "summary": "…",
        "recommendations": [],
    }
    return (
        'Оцени чат. Поле "objection" обязательно. Верни JSON,'
        f" например:\n{json.dumps(example, ensure_ascii=False, indent=1)}"
    )


def build_user_message(rows: Rows, nonce: str = "=== 7c1f ===") -> str:
    return f"{nonce}\n{json.dumps(rows, ensure_ascii=False)}\n{nonce}"


def build_rows(*turns: tuple[str, str, str]) -> Rows:
    """Build rows from (role, text, time of day)."""
    return [
        {"i": i, "r": role, "t": text, "at": f"2026-11-22 {at}"}
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
