"""Webhook hints: mark a chat with a new message, so that the next sync reads it over REST.

- A hint only marks a chat and starts no sync. The next sync, scheduled or requested, reads marked
  chats first.
- The secret in the webhook URL may leak. Then an attacker can name any chat. So an unknown chat is
  inserted only after Avito has confirmed it, and confirmations are limited per minute.
- No hint of a known chat is lost, however many other hints arrive.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import prometheus_client
import structlog

from app.clients.avito import AvitoChatGoneError, AvitoClient, AvitoHint
from app.database.engine import Database
from app.errors import UpstreamError
from app.repositories import accounts, chats
from app.services.pace import share_pace

log = structlog.get_logger(__name__)

MAX_UNKNOWN = 1000
"""Maximum number of unknown chats that wait for Avito's confirmation."""
CONFIRMED_A_MINUTE = 60
_WRITE_SECONDS = 10
_PAUSE_SECONDS = 1
_KEYS_AT_ONCE = 10_000

DROPPED = prometheus_client.Counter(
    "avito_quality_webhook_hints_dropped",
    "Hints of webhooks that led to nothing, by reason.",
    ["reason"],
    registry=None,
)
for _reason in ("queue_full", "unknown_account", "unknown_chat", "unconfirmed"):
    DROPPED.labels(_reason)  # with 0: for Prometheus a counter that appears with 1 has not grown
"""Reasons: ``queue_full``, ``unknown_account``, ``unknown_chat``, ``unconfirmed``.

``unknown_chat``: Avito has no such chat. ``unconfirmed``: Avito's request failed.
"""

ChatKey = tuple[int, str]
"""Avito's IDs of the account and the chat."""


class HintQueue:
    """Queue of hints that are to be written to the database.

    It is in memory, so a webhook request does not wait for Postgres. A dropped hint is not lost for
    good: Avito's list also shows the chat's new activity, and the next sync finds it there.
    """

    def __init__(self, database: Database, clients: Mapping[str, AvitoClient]) -> None:
        """``clients`` are keyed by the client ID of their account."""
        self._database = database
        self._clients = clients
        self._pace = share_pace(database, "confirmations of hints", CONFIRMED_A_MINUTE)
        self._known: set[int] = set()  # hashes of keys: a few megabytes for 100,000 chats
        self._last_id = 0
        self._to_mark: Counter[ChatKey] = Counter()
        self._to_confirm: Counter[AvitoHint] = Counter()
        self._marking, self._confirming = asyncio.Event(), asyncio.Event()

    def offer(self, hint: AvitoHint) -> None:
        """Queue a hint without waiting and without errors; hints of one chat are merged."""
        key = (hint.user_id, hint.chat_id)
        if hash(key) in self._known:
            self._to_mark[key] += 1
            self._marking.set()
        elif hint in self._to_confirm or len(self._to_confirm) < MAX_UNKNOWN:
            self._to_confirm[hint] += 1
            self._confirming.set()
        else:
            DROPPED.labels("queue_full").inc()

    async def write_forever(self) -> None:
        """Write hints as they arrive, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mark_forever())
            group.create_task(self._confirm_forever())

    async def _mark_forever(self) -> None:
        """Mark the known chats.

        Each chat has its own transaction. With one locked row at a time it cannot deadlock with the
        sync's writes.
        """
        while True:
            await self._marking.wait()
            self._marking.clear()
            for key in list(self._to_mark):
                await self._mark(key)

    async def _mark(self, key: ChatKey) -> None:
        times = self._to_mark.pop(key)
        try:
            async with asyncio.timeout(_WRITE_SECONDS), self._database.transaction() as session:
                known = await chats.mark_hinted(session, *key, times=times)
        except Exception as error:
            log.warning("webhook.hint_delayed", reason=type(error).__name__)
            self._to_mark[key] += times
            await asyncio.sleep(_PAUSE_SECONDS)
            self._marking.set()
        else:
            if not known:  # deleted in the meantime
                self._known.discard(hash(key))

    async def _confirm_forever(self) -> None:
        while True:
            try:
                await self._load_known_keys()
                while self._to_confirm:
                    await self._confirm(next(iter(self._to_confirm)))
                    await self._load_known_keys()
                self._confirming.clear()
            except Exception as error:
                log.warning("webhook.hints_delayed", reason=type(error).__name__)
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                await self._confirming.wait()

    async def _load_known_keys(self) -> None:
        """Load the keys of chats added since the last call; their hints need no confirmation."""
        async with asyncio.timeout(_WRITE_SECONDS):
            while True:
                async with self._database.session() as session:
                    found = await chats.list_keys(
                        session, after_id=self._last_id, limit=_KEYS_AT_ONCE
                    )
                self._known.update(hash((user_id, chat_id)) for _, user_id, chat_id in found)
                if not found:
                    break
                self._last_id = found[-1][0]
        for hint in list(self._to_confirm):
            key = (hint.user_id, hint.chat_id)
            if hash(key) in self._known:
                self._to_mark[key] += self._to_confirm.pop(hint)
                self._marking.set()

    async def _confirm(self, hint: AvitoHint) -> None:
        """Insert a chat if Avito has it; after a database failure the hint stays in the queue."""
        times = self._to_confirm.pop(hint)
        try:
            await self._add_confirmed(hint, times)
        except BaseException:
            self._to_confirm[hint] += times
            raise

    async def _add_confirmed(self, hint: AvitoHint, times: int) -> None:
        async with self._database.session() as session:
            owner = next(
                (
                    account
                    for account in await accounts.list_accounts(session)
                    if account.avito_user_id == hint.user_id
                ),
                None,
            )
        client = self._clients.get(owner.client_id) if owner else None
        if client is None:
            DROPPED.labels("unknown_account").inc(times)
            return
        async with self._pace:
            reason = await _find_drop_reason(client, hint)
        if reason:
            DROPPED.labels(reason).inc(times)
            return
        async with asyncio.timeout(_WRITE_SECONDS), self._database.transaction() as session:
            await chats.add_hint(
                session,
                avito_user_id=hint.user_id,
                avito_id=hint.chat_id,
                chat_type=hint.chat_type,
                times=times,
            )


async def _find_drop_reason(client: AvitoClient, hint: AvitoHint) -> str | None:
    with suppress(UpstreamError):
        try:
            await client.get_chat(hint.user_id, hint.chat_id)
        except AvitoChatGoneError:
            return "unknown_chat"
        return None
    return "unconfirmed"
