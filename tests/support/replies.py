"""Chats with replies of bots and people, second by second, in the local Avito."""

from datetime import datetime, timedelta

from app.sandbox.avito_state import AvitoChat, AvitoListing, SandboxBuyer
from tests.support.stage import Stage

BOT_TEXT = (
    "Здравствуйте, {name}! Спасибо за ваше сообщение. Менеджер ответит вам в ближайшее время."
)
PERSON_ANSWER = "Да, диван в наличии, 12 000 рублей. Можно посмотреть сегодня до 20."
NAMES = ("Анна", "Олег", "Мария", "Пётр", "Ольга", "Игорь", "Елена", "Павел", "Нина", "Юрий")

Turn = tuple[str, str, float]
"""The side, the text, and the seconds since the message before."""


def add_timed_chat(
    stage: Stage, *turns: Turn, name: str = "Анна", hours_ago: float = 10
) -> AvitoChat:
    """Add a chat that begins ``hours_ago``. A text may contain the buyer's ``{name}``."""
    number = len(stage.avito.accounts[0].chats) + 1
    at: datetime = stage.clock() - timedelta(hours=hours_ago)
    chat = stage.avito.add_chat(
        item=AvitoListing(8_000_000_000 + number, f"Диван {number}", "12 000 ₽"),
        client=SandboxBuyer(6_000_000_000 + number, name),
        at=at,
    )
    for side, text, seconds in turns:
        at += timedelta(seconds=seconds)
        stage.avito.add_message(
            chat.id,
            "client" if side == "client" else "company",
            text=text.format(name=name),
            at=at,
        )
    return chat


def add_copies(
    stage: Stage, text: str, seconds: list[float], *, hours_ago: float = 30
) -> list[AvitoChat]:
    """Add a chat for each of the times after which the company answers with the text."""
    return [
        add_timed_chat(
            stage,
            ("client", f"Здравствуйте! Вопрос {place}: диван ещё продаётся?", 0),
            ("company", text, wait),
            name=NAMES[place % len(NAMES)],
            hours_ago=hours_ago + place,
        )
        for place, wait in enumerate(seconds)
    ]
