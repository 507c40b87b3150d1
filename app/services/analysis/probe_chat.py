"""The invented chat that a probe asks the model about."""

from datetime import UTC, datetime

from app.domain.messages import ChatMessage, Side

PROBE_CHAT = (
    ChatMessage(
        1,
        Side.CLIENT,
        datetime(2026, 1, 1, 9, tzinfo=UTC),
        "Здравствуйте, ещё продаётся?",
        has_text=True,
    ),
    ChatMessage(
        2,
        Side.COMPANY,
        datetime(2026, 1, 1, 9, 5, tzinfo=UTC),
        "Добрый день! Да, приезжайте.",
        has_text=True,
    ),
)
