"""Local Avito: accounts of several sellers whose chats can be changed while it runs."""

import asyncio
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from starlette.types import ASGIApp

from app.sandbox.avito_backend import AvitoBackend
from app.sandbox.avito_payloads import build_webhook_body
from app.sandbox.avito_routes import build_avito_app
from app.sandbox.avito_state import (
    AvitoAccount,
    AvitoChat,
    AvitoListing,
    AvitoMessage,
    SandboxBuyer,
    build_chat,
    build_chat_id,
    build_synthetic_chat,
    hash_id,
    numbered_account,
)
from app.sandbox.avito_switches import AvitoSwitches
from app.sandbox.catalogue import Side, load_dialogues
from app.sandbox.faults import FaultMiddleware, ReceivedRequest, Traffic

WEBHOOK_TIMEOUT_SECONDS = 2  # Avito's timeout of a webhook


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class WebhookDelivery:
    """A subscriber's response; `status` is None if none arrived within two seconds."""

    url: str
    status: int | None


class LocalAvito:
    """A local Avito.

    `app` is served over HTTP. The accounts and `switches` may be changed at any time.
    """

    def __init__(
        self, accounts: list[AvitoAccount] | None = None, *, clock: Callable[[], datetime] = _now
    ) -> None:
        self.accounts = accounts or [numbered_account(1)]
        self.switches = AvitoSwitches()
        self.traffic = Traffic()
        self._clock = clock
        self._numbers = count(1)
        self._backend = AvitoBackend(self.accounts, self.switches)
        self.app: ASGIApp = FaultMiddleware(
            build_avito_app(self._backend), self.switches, self.traffic
        )

    @classmethod
    def from_catalogue(cls, now: datetime, *, accounts: int = 1) -> Self:
        """Create an Avito with all dialogues of the catalogue, dealt out over the accounts."""
        avito = cls([numbered_account(number + 1) for number in range(accounts)])
        for number, dialogue in enumerate(load_dialogues()):
            avito.accounts[number % accounts].put(build_chat(dialogue, now))
        return avito

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Received requests, oldest first."""
        return self.traffic.requests

    def expire_tokens(self) -> None:
        """Expire all tokens issued so far."""
        self._backend.tokens.clear()

    def chat(self, chat_id: str, account: AvitoAccount | None = None) -> AvitoChat:
        """Return a chat of the given account, else of the first account that has it.

        One id may occur in two accounts. Raises KeyError.
        """
        return self._find_account(chat_id, account).chats[chat_id]

    def add_chat(
        self,
        *,
        chat_type: str = "u2i",
        item: AvitoListing | None = None,
        client: SandboxBuyer | None = None,
        chat_id: str | None = None,
        at: datetime | None = None,
        account: AvitoAccount | None = None,
    ) -> AvitoChat:
        """Create a chat without messages, by default in the first account."""
        name = chat_id or build_chat_id(chat_type, f"added-{next(self._numbers)}")
        chat = AvitoChat(name, chat_type, self._to_seconds(at), item, client)
        return (account or self.accounts[0]).put(chat)

    def add_message(
        self,
        chat_id: str,
        side: Side,
        *,
        text: str = "",
        type: str = "text",  # noqa: A002 - Avito's name
        at: datetime | None = None,
        content: dict[str, Any] | None = None,
        quote: AvitoMessage | None = None,
        account: AvitoAccount | None = None,
    ) -> AvitoMessage:
        """Add a message at `at` (default: now).

        `content` is the raw content of an unknown type.
        """
        identity = hash_id("added", chat_id, next(self._numbers))
        message = AvitoMessage(
            identity, side, type, self._to_seconds(at), text, content=content, quote=quote
        )
        self.chat(chat_id, account).add(message)
        return message

    def delete_message(
        self, chat_id: str, message_id: str, account: AvitoAccount | None = None
    ) -> AvitoMessage:
        """Delete a message as its author can in Avito.

        It stays in place, empty, as type `deleted`.
        """
        message = self.chat(chat_id, account).message(message_id)
        message.type, message.text, message.content = "deleted", "", None
        return message

    def remove_message(
        self, chat_id: str, message_id: str, account: AvitoAccount | None = None
    ) -> None:
        """Remove a message without a trace."""
        chat = self.chat(chat_id, account)
        chat.messages.remove(chat.message(message_id))

    def remove_chat(self, chat_id: str, account: AvitoAccount | None = None) -> None:
        """Remove a chat without a trace; its listing stays."""
        del self._find_account(chat_id, account).chats[chat_id]

    def add_synthetic_chats(
        self, chats: int, messages: int, account: AvitoAccount | None = None
    ) -> list[AvitoChat]:
        """Add chats to an account for load tests.

        The newest chat ended a minute ago, each further one a minute earlier.
        """
        owner, now = account or self.accounts[0], self._clock()
        numbers = [next(self._numbers) for _ in range(chats)]
        return [
            owner.put(build_synthetic_chat(number, messages, now - timedelta(minutes=place + 1)))
            for place, number in enumerate(numbers)
        ]

    def webhook(
        self, chat_id: str, message_id: str, account: AvitoAccount | None = None
    ) -> dict[str, Any]:
        """Build the webhook body of a message.

        A test can post it itself: twice, late or in another order.
        """
        owner = self._find_account(chat_id, account)
        chat = owner.chats[chat_id]
        return build_webhook_body(owner, chat, chat.message(message_id), self._clock())

    async def notify(
        self, chat_id: str, message_id: str, account: AvitoAccount | None = None
    ) -> list[WebhookDelivery]:
        """Post a message to each subscriber of the account once.

        Avito also posts the account's own messages.
        """
        envelope = self.webhook(chat_id, message_id, account)
        urls = list(self._find_account(chat_id, account).webhooks)
        return list(
            await asyncio.gather(*(asyncio.to_thread(_post_webhook, url, envelope) for url in urls))
        )

    def _find_account(self, chat_id: str, account: AvitoAccount | None) -> AvitoAccount:
        for owner in [account] if account else self.accounts:
            if chat_id in owner.chats:
                return owner
        raise KeyError(chat_id)

    def _to_seconds(self, at: datetime | None) -> int:
        return int((at or self._clock()).timestamp())


def _post_webhook(url: str, envelope: dict[str, Any]) -> WebhookDelivery:
    target = urlsplit(url)
    path = urlunsplit(("", "", target.path or "/", target.query, ""))
    connection = http.client.HTTPConnection(target.netloc, timeout=WEBHOOK_TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST",
            path,
            json.dumps(envelope, ensure_ascii=False).encode(),
            {"Content-Type": "application/json"},
        )
        return WebhookDelivery(url, connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return WebhookDelivery(url, None)
    finally:
        connection.close()
