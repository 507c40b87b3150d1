"""Posts webhooks like Avito. Avito does not wait for their effect; the tests do."""

import asyncio
from typing import Any

import httpx

from app.sandbox.avito_state import AvitoChat
from tests.support.stage import Stage, make_app, until

SECRET = "webhook-secret-0451"
RECEIVER: dict[str, Any] = {
    "avito_webhook_secret": SECRET,
    "public_url": "https://quality.example.ru",
}
OK = (200, {"ok": True})


async def post_webhook(
    stage: Stage, content: Any, *, secret: str = SECRET, method: str = "POST"
) -> httpx.Response:
    """Post JSON, or bytes unchanged, to the receiver, without an API key."""
    transport = httpx.ASGITransport(make_app(stage.service), raise_app_exceptions=False)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http,
        asyncio.timeout(60),
    ):
        body = {"content": content} if isinstance(content, bytes) else {"json": content}
        return await http.request(method, f"/webhooks/avito/{secret}", **body)


async def post_webhooks(stage: Stage, chat: AvitoChat, *places: int) -> None:
    """Post the webhooks of these messages of a chat and wait for their hints.

    Without ``places`` the last message's webhook is posted.
    """
    before = await count_hints(stage, chat)
    envelopes = [stage.avito.webhook(chat.id, chat.messages[place].id) for place in places or (-1,)]
    for envelope in envelopes:
        answer = await post_webhook(stage, envelope)
        assert (answer.status_code, answer.json()) == OK

    async def are_written() -> bool:
        return await count_hints(stage, chat) == before + len(envelopes)

    await until(are_written)


async def count_hints(stage: Stage, chat: AvitoChat) -> int:
    rows = await stage.rows("SELECT hints FROM chats WHERE avito_id = :id", id=chat.id)
    return int(rows[0]["hints"]) if rows else 0
