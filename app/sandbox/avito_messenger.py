"""Messenger of the local Avito: chats, messages and voice files."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.sandbox.avito_backend import (
    AvitoRefusedError,
    MessengerOwner,
    Switches,
    call_after_page,
)
from app.sandbox.avito_payloads import build_chat_body, build_message_body
from app.sandbox.avito_state import AvitoAccount, AvitoChat
from app.sandbox.avito_switches import AvitoSwitches, error_body

Row = TypeVar("Row")
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=1000)]

CHATS = "/messenger/v2/accounts/{user_id}/chats"
router = APIRouter()


class ChatsQuery(BaseModel):
    """Query of a list of chats; lists are joined by commas."""

    limit: int = Field(default=100, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=1000)
    unread_only: bool = False
    item_ids: str = Field(default="", pattern=r"^(\d+(,\d+)*)?$")
    chat_types: str = Field(default="u2i", pattern=r"^(u2i|u2u|a2u)(,(u2i|u2u|a2u))*$")

    def filter(self, chats: Iterable[AvitoChat]) -> list[AvitoChat]:
        """Return the chats that the query asks for."""
        items = {int(number) for number in self.item_ids.split(",") if number}
        types = self.chat_types.split(",")
        return [
            chat
            for chat in chats
            if chat.chat_type in types
            and (not items or (chat.item is not None and chat.item.id in items))
            and (not self.unread_only or chat.unread)
        ]


@router.get(CHATS)
async def chats(
    request: Request,
    switches: Switches,
    account: MessengerOwner,
    query: Annotated[ChatsQuery, Query()],
) -> JSONResponse:
    """List chats, newest activity first, by default only chats about listings."""
    found = query.filter(account.chats.values())
    found.sort(key=lambda chat: (-chat.updated, chat.id))
    shown, has_more = _cut_page(found, _cap_limit(query.limit, switches), query.offset)
    body: dict[str, Any] = {"chats": [build_chat_body(account, chat, switches) for chat in shown]}
    answer = JSONResponse(_add_meta(body, has_more, switches))
    call_after_page(switches, request, query.offset)
    return answer


@router.get(CHATS + "/{chat_id}")
async def one_chat(chat_id: str, switches: Switches, account: MessengerOwner) -> JSONResponse:
    return JSONResponse(build_chat_body(account, _require_chat(account, chat_id), switches))


@router.get("/messenger/v3/accounts/{user_id}/chats/{chat_id}/messages")
@router.get("/messenger/v3/accounts/{user_id}/chats/{chat_id}/messages/")
async def messages(
    request: Request,
    chat_id: str,
    switches: Switches,
    account: MessengerOwner,
    limit: Limit = 100,
    offset: Offset = 0,
) -> JSONResponse:
    """List messages, newest first; within a second, the last written first.

    Messages stay unread.
    """
    chat = _require_chat(account, chat_id)
    if account.employee:
        raise AvitoRefusedError(403, error_body(403, "Forbidden"))
    if switches.plan_missing:
        unpaid = error_body(402, "Payment required")
        raise AvitoRefusedError(
            402, unpaid if switches.plan_missing == "nested" else unpaid["error"]
        )
    shown, has_more = _cut_page(chat.messages[::-1], _cap_limit(limit, switches), offset)
    bodies = [build_message_body(account, chat, message, switches) for message in shown]
    as_array = switches.messages_as == "array"
    answer = JSONResponse(
        bodies if as_array else _add_meta({"messages": bodies}, has_more, switches)
    )
    call_after_page(switches, request, offset)
    return answer


@router.post("/messenger/v1/accounts/{user_id}/chats/{chat_id}/read")
async def read(chat_id: str, account: MessengerOwner) -> JSONResponse:
    """Mark everything in the chat as read. A read-only service must never call it."""
    for message in _require_chat(account, chat_id).messages:
        if message.side == "client" and message.read is None:
            message.read = int(datetime.now(UTC).timestamp())
    return JSONResponse({"ok": True})


@router.get("/messenger/v1/accounts/{user_id}/getVoiceFiles")
async def voice_files(
    account: MessengerOwner, voice_ids: Annotated[list[str], Query()]
) -> JSONResponse:
    wanted = [voice_id for value in voice_ids for voice_id in value.split(",")]
    return JSONResponse(
        {"voices_urls": {voice_id: f"https://avito.ru/voice/{voice_id}.mp4" for voice_id in wanted}}
    )


def _require_chat(account: AvitoAccount, chat_id: str) -> AvitoChat:
    if chat_id not in account.chats:
        raise AvitoRefusedError(404, error_body(404, "Not found"))
    return account.chats[chat_id]


def _cut_page(rows: list[Row], limit: int, offset: int) -> tuple[list[Row], bool]:
    return rows[offset : offset + limit], len(rows) > offset + limit


def _add_meta(body: dict[str, Any], has_more: bool, switches: AvitoSwitches) -> dict[str, Any]:
    return body | {"meta": {"has_more": has_more}} if switches.has_more else body


def _cap_limit(limit: int, switches: AvitoSwitches) -> int:
    return limit if switches.page_cap is None else min(limit, switches.page_cap)
