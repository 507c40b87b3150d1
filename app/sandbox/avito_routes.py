"""Routes of the local Avito.

They cover access, account, listings, chats, messages, voice files and webhook subscriptions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_urlsafe
from time import monotonic
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from app.sandbox.avito_payloads import (
    TOKEN_EXPIRED,
    build_chat_body,
    build_listing_body,
    build_message_body,
    build_self_body,
)
from app.sandbox.avito_state import AvitoAccount, AvitoChat
from app.sandbox.avito_switches import AvitoSwitches, error_body

Row = TypeVar("Row")
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=1000)]

BACKEND_KEY = "sandbox.avito"
ITEMS = "/core/v1/items"
LISTING_REQUESTS_PER_MINUTE = 25
MESSENGER = "/messenger/v2/accounts/{user_id}/chats"


class AvitoRefusedError(Exception):
    """The request gets this status and body as an error response."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


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


@dataclass
class AvitoBackend:
    """State behind the routes; a change is visible in the next response.

    Several tokens of one account are valid at the same time.
    """

    accounts: list[AvitoAccount]
    switches: AvitoSwitches
    listing_requests: dict[int, list[float]] = field(default_factory=dict)
    """Times of the requests for listings in the last minute, by account; monotonic seconds."""
    tokens: dict[str, tuple[AvitoAccount, float]] = field(default_factory=dict)
    """Account of each access token, and its expiry in Unix seconds."""

    def issue_token(self, account: AvitoAccount) -> dict[str, Any]:
        """Issue an access token and return the response body."""
        token, seconds = token_urlsafe(16), self.switches.token_seconds
        self.tokens[token] = (account, datetime.now(UTC).timestamp() + seconds)
        return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}

    def require_account(self, authorization: str | None) -> AvitoAccount:
        """Return the account of a bearer token.

        Raises AvitoRefusedError: 401 without a token. For an unknown or expired one it has the
        status of the switch `expired_status`.
        """
        scheme, _, token = (authorization or "").partition(" ")
        account, ends = self.tokens.get(token, (None, 0.0))
        if scheme.lower() != "bearer":
            raise AvitoRefusedError(401, TOKEN_EXPIRED)
        if account is None or ends <= datetime.now(UTC).timestamp():
            raise AvitoRefusedError(self.switches.expired_status, TOKEN_EXPIRED)
        return account

    def admit_listing_request(self, account: AvitoAccount) -> None:
        """Count a request for listings.

        Raises AvitoRefusedError: 429 for more than 25 in a minute, Avito's documented limit.
        """
        now = monotonic()
        recent = [at for at in self.listing_requests.get(account.user_id, []) if at > now - 60]
        if len(recent) >= LISTING_REQUESTS_PER_MINUTE:
            raise AvitoRefusedError(429, {"code": "429", "message": "Too many requests"})
        self.listing_requests[account.user_id] = [*recent, now]


def build_avito_app(backend: AvitoBackend) -> ASGIApp:
    """Build the ASGI app of this backend.

    The routes are built once for all backends, because FastAPI needs as much time for it as for a
    hundred responses.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope[BACKEND_KEY] = backend
        await paths(scope, receive, send)

    return answer


async def _get_backend(request: Request) -> AvitoBackend:
    backend: AvitoBackend = request.scope[BACKEND_KEY]
    return backend


Backend = Annotated[AvitoBackend, Depends(_get_backend)]


async def _get_switches(backend: Backend) -> AvitoSwitches:
    return backend.switches


Switches = Annotated[AvitoSwitches, Depends(_get_switches)]


async def _get_key_owner(request: Request, backend: Backend) -> AvitoAccount:
    return backend.require_account(request.headers.get("authorization"))


KeyOwner = Annotated[AvitoAccount, Depends(_get_key_owner)]


async def _require_messenger_owner(user_id: int, account: KeyOwner) -> AvitoAccount:
    if user_id != account.user_id:
        raise AvitoRefusedError(403, error_body(403, "Forbidden"))
    return account


MessengerOwner = Annotated[AvitoAccount, Depends(_require_messenger_owner)]

paths = FastAPI(openapi_url=None)


@paths.exception_handler(AvitoRefusedError)
async def refuse(request: Request, refusal: AvitoRefusedError) -> JSONResponse:
    return JSONResponse(refusal.body, refusal.status)


@paths.exception_handler(RequestValidationError)
async def refuse_values(request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer a limit above 100 or an offset above 1000 with a 400 that names the field."""
    fields = {str(fault["loc"][-1]): fault["msg"] for fault in error.errors()}
    if request.url.path == ITEMS:  # its document has an error format of its own
        return JSONResponse(
            {"code": "400", "message": f"Validation error: {', '.join(fields)}"}, 400
        )
    return JSONResponse(error_body(400, "Validation error", fields=fields), 400)


@paths.post("/token")
async def token(request: Request, backend: Backend) -> JSONResponse:
    """Issue a token. Bad credentials get 200 with an `error` and no `access_token`."""
    form = {
        name: values[-1]
        for name, values in parse_qs((await request.body()).decode(errors="replace")).items()
    }
    if form.get("grant_type") != "client_credentials":
        return JSONResponse(
            {"error": "unsupported_grant_type", "error_description": "Unsupported grant type"}
        )
    for account in backend.accounts:
        if (account.client_id, account.client_secret) == (
            form.get("client_id"),
            form.get("client_secret"),
        ):
            return JSONResponse(backend.issue_token(account))
    return JSONResponse(
        {"error": "invalid_client", "error_description": "Client authentication failed"}
    )


@paths.get("/core/v1/accounts/self")
async def account_self(account: KeyOwner) -> JSONResponse:
    return JSONResponse(build_self_body(account))


@paths.get(ITEMS)
async def items(
    request: Request,
    backend: Backend,
    switches: Switches,
    account: KeyOwner,
    per_page: Annotated[int, Query(gt=0, lt=100)] = 25,
    page: Annotated[int, Query(gt=0)] = 1,
    status: str = "active",
) -> JSONResponse:
    """List the listings of an account; an employee's key gets none."""
    backend.admit_listing_request(account)
    wanted = set(status.split(","))
    found = (
        []
        if account.employee
        else [listing for listing in account.listings.values() if listing.status in wanted]
    )
    shown = [
        build_listing_body(listing)
        for listing in sorted(found, key=lambda listing: listing.id)[(page - 1) * per_page :][
            :per_page
        ]
    ]
    answer = JSONResponse({"meta": {"page": page, "per_page": per_page}, "resources": shown})
    _call_after_page(switches, request, page)
    return answer


@paths.get(MESSENGER)
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
    _call_after_page(switches, request, query.offset)
    return answer


@paths.get(MESSENGER + "/{chat_id}")
async def one_chat(chat_id: str, switches: Switches, account: MessengerOwner) -> JSONResponse:
    return JSONResponse(build_chat_body(account, _require_chat(account, chat_id), switches))


@paths.get("/messenger/v3/accounts/{user_id}/chats/{chat_id}/messages")
@paths.get("/messenger/v3/accounts/{user_id}/chats/{chat_id}/messages/")
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
    _call_after_page(switches, request, offset)
    return answer


@paths.post("/messenger/v1/accounts/{user_id}/chats/{chat_id}/read")
async def read(chat_id: str, account: MessengerOwner) -> JSONResponse:
    """Mark everything in the chat as read. A read-only service must never call it."""
    for message in _require_chat(account, chat_id).messages:
        if message.side == "client" and message.read is None:
            message.read = int(datetime.now(UTC).timestamp())
    return JSONResponse({"ok": True})


@paths.get("/messenger/v1/accounts/{user_id}/getVoiceFiles")
async def voice_files(
    account: MessengerOwner, voice_ids: Annotated[list[str], Query()]
) -> JSONResponse:
    wanted = [voice_id for value in voice_ids for voice_id in value.split(",")]
    return JSONResponse(
        {"voices_urls": {voice_id: f"https://avito.ru/voice/{voice_id}.mp4" for voice_id in wanted}}
    )


@paths.post("/messenger/v3/webhook")
async def subscribe(request: Request, account: KeyOwner) -> JSONResponse:
    """Subscribe an address. An account may have several; the same address is stored once."""
    url = await _read_url(request)
    if url not in account.webhooks:
        account.webhooks.append(url)
    return JSONResponse({"ok": True})


@paths.post("/messenger/v1/subscriptions")
async def subscriptions(account: KeyOwner) -> JSONResponse:
    return JSONResponse(
        {"subscriptions": [{"url": url, "version": "3"} for url in account.webhooks]}
    )


@paths.post("/messenger/v1/webhook/unsubscribe")
async def unsubscribe(request: Request, account: KeyOwner) -> JSONResponse:
    url = await _read_url(request)
    account.webhooks[:] = [known for known in account.webhooks if known != url]
    return JSONResponse({"ok": True})


async def _read_url(request: Request) -> str:
    try:
        url = (await request.json())["url"]
    except (ValueError, KeyError, TypeError):
        url = None
    if not isinstance(url, str) or not url:
        raise AvitoRefusedError(
            400, error_body(400, "Validation error", fields={"url": "url is required"})
        )
    return url


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


def _call_after_page(switches: AvitoSwitches, request: Request, offset: int) -> None:
    if switches.after_page:
        switches.after_page(request.url.path, offset)
