"""Client of Avito's API.

It reads the chats, messages and listings of one account and manages its webhook subscriptions. It
writes nothing else and never marks a chat as read.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
import structlog

from app.clients.attempts import count_attempt
from app.clients.avito.errors import AvitoChatGoneError, AvitoRequestError, AvitoUnavailableError
from app.clients.avito.http import send
from app.clients.avito.parsing import (
    parse_chat,
    parse_integer,
    parse_item,
    parse_message,
    parse_name,
    parse_text,
)
from app.clients.avito.responses import AvitoResponse
from app.clients.avito.schema import AvitoChat, AvitoSelf, ChatPage, ItemPage, MessagePage
from app.clients.avito.token import AccessToken, AvitoCredentials
from app.clients.limiter import AdaptiveLimiter, MakePace, make_own_pace
from app.clients.retry import RetryPolicy
from app.clock import Clock

T = TypeVar("T")

_ITEMS_PER_MINUTE = 25  # the only limit documented by Avito
_ITEM_STATUSES = "active,old,removed,blocked,rejected"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AvitoClient:
    """Reads one Avito account.

    Transient failures are retried. Every method raises the errors of ``errors.py``. Lists contain
    at most 1,100 elements (``limit`` up to 100, ``offset`` up to 1000), newest first.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        credentials: AvitoCredentials,
        *,
        max_concurrency: int,
        requests_per_minute: int,
        retry: RetryPolicy,
        clock: Clock,
        make_pace: MakePace = make_own_pace,
    ) -> None:
        self._http = http
        self._base_url, self._headers = str(http.base_url).rstrip("/"), dict(http.headers)
        self._retry = retry
        self._clock = clock
        self._secret = credentials.client_secret
        self._token = AccessToken(http, credentials, clock)
        self._limiter = AdaptiveLimiter(max_concurrency)
        self._pace = make_pace(f"avito {credentials.client_id}", requests_per_minute)
        self._item_pace = make_pace(f"avito items {credentials.client_id}", _ITEMS_PER_MINUTE)
        self._forbidden_token = ""  # a renewed token that still got a 403

    async def get_self(self) -> AvitoSelf:
        """Return the account of the keys."""
        body = await self._get("/core/v1/accounts/self")
        account_id = parse_integer(body.get("id")) if isinstance(body, dict) else None
        if account_id is None:
            raise _build_format_error("номера аккаунта")
        return AvitoSelf(id=account_id, name=parse_name(body.get("name")))

    async def list_chats(
        self,
        user_id: int,
        *,
        limit: int = 100,
        offset: int = 0,
        chat_types: Sequence[str] = ("u2i", "u2u"),
        unread_only: bool = False,
        item_ids: Sequence[int] = (),
    ) -> ChatPage:
        """Return a page of the account's chats, newest activity first.

        ``a2u`` chats are Avito's own notices.
        """
        params = {
            "limit": str(limit),
            "offset": str(offset),
            "chat_types": ",".join(chat_types),
            "unread_only": "true" if unread_only else "",
            "item_ids": ",".join(map(str, item_ids)),
        }
        body = await self._get(
            f"/messenger/v2/accounts/{user_id}/chats",
            {name: value for name, value in params.items() if value},
        )
        raw = _get_list(body, "chats")
        chats = _parse_elements(
            raw,
            partial(parse_chat, own_id=user_id, asked_types=chat_types),
            "avito.chats.unreadable",
            user_id=user_id,
        )
        return ChatPage(chats, _has_more(body, len(raw) >= limit), len(raw) - len(chats))

    async def get_chat(self, user_id: int, chat_id: str) -> AvitoChat:
        """Return one chat. Raises AvitoChatGoneError if Avito has no such chat."""
        chat = parse_chat(await self._get_chat_resource(user_id, chat_id), own_id=user_id)
        if chat is None:
            raise _build_format_error("чата")
        return chat

    async def list_messages(
        self, user_id: int, chat_id: str, *, limit: int = 100, offset: int = 0
    ) -> MessagePage:
        """Return a page of a chat's messages, newest first.

        Raises AvitoChatGoneError if Avito has no such chat.
        """
        body = await self._get_chat_resource(
            user_id, chat_id, {"limit": str(limit), "offset": str(offset)}
        )
        raw = _get_list(body, "messages")
        messages = _parse_elements(
            raw,
            partial(parse_message, own_id=user_id),
            "avito.messages.unreadable",
            chat_id=chat_id,
        )
        return MessagePage(messages, _has_more(body, len(raw) >= limit), len(raw) - len(messages))

    async def list_items(self, page: int, per_page: int = 99) -> ItemPage:
        """Return a page (from 1) of the account's listings in every status.

        ``per_page`` is below 100. The key of an employee gets no listings.
        """
        params = {"page": str(page), "per_page": str(per_page), "status": _ITEM_STATUSES}
        async with self._item_pace:
            body = await self._get("/core/v1/items", params)
        raw = _get_list(body, "resources")
        items = _parse_elements(raw, parse_item, "avito.items.unreadable", page=page)
        return ItemPage(items, _has_more(body, len(raw) >= per_page))

    async def subscribe_webhook(self, url: str) -> None:
        """Subscribe an address to the account's messages; idempotent."""
        await self._change_webhook("/messenger/v3/webhook", url)

    async def unsubscribe_webhook(self, url: str) -> None:
        """Unsubscribe an address from the account's messages."""
        await self._change_webhook("/messenger/v1/webhook/unsubscribe", url)

    async def list_webhooks(self) -> tuple[str, ...]:
        """Return all addresses that receive the account's messages, including other programs'."""
        body = await self._call("POST", "/messenger/v1/subscriptions")
        if isinstance(body, dict):
            body = body.get("subscriptions") or []
        if not isinstance(body, list):
            raise _build_format_error("списка подписок")
        urls = (parse_text(entry.get("url")) for entry in body if isinstance(entry, dict))
        return tuple(url for url in urls if url)

    async def _change_webhook(self, path: str, url: str) -> None:
        # Avito may repeat the address in an error, and part of it is a secret.
        body = await self._call("POST", path, content={"url": url}, secrets=(urlsplit(url).path,))
        if isinstance(body, dict) and body.get("ok") is False:
            raise _build_format_error("подтверждения")

    async def _get_chat_resource(
        self, user_id: int, chat_id: str, params: Mapping[str, str] | None = None
    ) -> Any:
        """Request a chat (without ``params``) or a page of its messages."""
        version, tail = ("v2", "") if params is None else ("v3", "/messages/")
        # Ids contain `~`, which Python's quote does not escape.
        chat = quote(chat_id, safe="").replace("~", "%7E")
        path = f"/messenger/{version}/accounts/{user_id}/chats/{chat}{tail}"
        try:
            return await self._get(path, params)
        except AvitoRequestError as error:
            if error.status != 404:
                raise
            raise AvitoChatGoneError(
                f"Авито больше не знает чат {chat_id}: сохранённая переписка остаётся как есть."
            ) from None

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return await self._call("GET", path, params=params or {})

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
    ) -> Any:
        """Send a request with retries. All calls of this client are idempotent."""
        # httpx's own builder parses the address three times, which costs more than the response.
        url = httpx.URL(f"{self._base_url}{path}{'?' if params else ''}{urlencode(params or {})}")
        request = partial(httpx.Request, method, url, json=content, cookies=self._http.cookies)
        return await self._retry.run(partial(self._attempt, request, secrets))

    async def _attempt(self, request: Callable[..., httpx.Request], secrets: Sequence[str]) -> Any:
        async with self._limiter.slot(), count_attempt("avito"):
            token = await self._token.current()
            answer = await self._send(request, token)
            if answer.rejects_token or (answer.is_forbidden and token != self._forbidden_token):
                token = await self._token.renew(token)
                answer = await self._send(request, token)
                if answer.is_forbidden:
                    self._forbidden_token = token
            return answer.content(self._clock(), token, self._secret, *secrets)

    async def _send(self, request: Callable[..., httpx.Request], token: str) -> AvitoResponse:
        async with self._pace:
            headers = {**self._headers, "Authorization": f"Bearer {token}"}
            response = await send(self._http, request(headers=headers))
        return AvitoResponse.read(response)


def _get_list(body: object, name: str) -> list[Any]:
    """Return the list in a response: the body itself or its field ``name``.

    If the body has ``meta``, a missing field means an empty list.
    """
    if isinstance(body, dict):
        body = body.get(name, [] if "meta" in body else None)
    if not isinstance(body, list):
        raise _build_format_error(f"списка «{name}»")
    return body


def _has_more(body: object, page_is_full: bool) -> bool:
    meta = body.get("meta") if isinstance(body, dict) else None
    has_more = meta.get("has_more") if isinstance(meta, dict) else None
    return has_more if isinstance(has_more, bool) else page_is_full


def _parse_elements(
    raw: Sequence[object], parse: Callable[[object], T | None], event: str, **fields: object
) -> tuple[T, ...]:
    """Parse the elements; skip the unreadable ones and log their number."""
    parsed = tuple(element for element in map(parse, raw) if element is not None)
    if len(parsed) < len(raw):
        log.warning(event, count=len(raw) - len(parsed), **fields)
    return parsed


def _build_format_error(missing: str) -> AvitoUnavailableError:
    return AvitoUnavailableError(
        f"Авито прислал ответ без {missing}: повторим позже; если повторяется, обновите программу."
    )
