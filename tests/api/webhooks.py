"""What Avito does to the receiver of webhooks: it posts, and nobody waits for what comes of it but
a test.
"""

import asyncio
from typing import Any

import httpx

from app.sandbox.avito_state import AvitoChat
from tests.stage import Stage, make_app, until

SECRET = "webhook-secret-0451"
RECEIVER: dict[str, Any] = {
    "avito_webhook_secret": SECRET,
    "public_url": "https://quality.example.ru",
}
OK = (200, {"ok": True})


async def post(
    stage: Stage, content: Any, *, secret: str = SECRET, method: str = "POST"
) -> httpx.Response:
    """What Avito posts: JSON, or bytes as they are, without a key of ours."""
    transport = httpx.ASGITransport(make_app(stage.service), raise_app_exceptions=False)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http,
        asyncio.timeout(60),
    ):
        body = {"content": content} if isinstance(content, bytes) else {"json": content}
        return await http.request(method, f"/webhooks/avito/{secret}", **body)


async def tell(stage: Stage, chat: AvitoChat, *places: int) -> None:
    """Posts the webhooks of these messages of a chat, of the last one if none is named, and waits
    until they are written.
    """
    before = await hints(stage, chat)
    envelopes = [stage.avito.webhook(chat.id, chat.messages[place].id) for place in places or (-1,)]
    for envelope in envelopes:
        answer = await post(stage, envelope)
        assert (answer.status_code, answer.json()) == OK

    async def written() -> bool:
        return await hints(stage, chat) == before + len(envelopes)

    await until(written)


async def hints(stage: Stage, chat: AvitoChat) -> int:
    rows = await stage.rows("SELECT hints FROM chats WHERE avito_id = :id", id=chat.id)
    return int(rows[0]["hints"]) if rows else 0
