"""Hints of webhooks: that somebody wrote in a chat is marked for the next sync, which reads the
chat over REST.

A hint only marks. It starts no sync: the one of the interval, or of whoever asks, reads what is
marked before anything else.

The secret in the receiver's address may leak, and then anybody names any chat. So a chat that is
not known here becomes a row only after Avito has confirmed it, and few are asked for in a minute.
No hint of a known chat is lost, however many others come.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import prometheus_client
import structlog

from app.clients.avito import AvitoChatGoneError, AvitoClient, AvitoHint
from app.clients.limiter import limit_per_minute
from app.database.engine import Database
from app.errors import UpstreamError
from app.repositories import accounts, chats

log = structlog.get_logger(__name__)

MOST_UNKNOWN = 1000
"""Chats not known here that wait for Avito's word."""
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
"""Reasons: ``queue_full``, ``unknown_account``, ``unknown_chat`` (Avito does not know it),
``unconfirmed`` (Avito did not say).
"""

ChatKey = tuple[int, str]
"""Avito's ids of the account and of the chat."""


class HintQueue:
    """Hints on their way to the database. They wait in memory, so that whoever brings one does not
    wait for Postgres.

    What is dropped is not lost for good: the chat's new activity stands in Avito's list as well,
    where the next sync finds it.
    """

    def __init__(self, database: Database, clients: Mapping[str, AvitoClient]) -> None:
        """``clients`` by the id of their account's keys."""
        self._database = database
        self._clients = clients
        self._pace = limit_per_minute(CONFIRMED_A_MINUTE)
        self._known: set[int] = set()  # hashes of keys: some megabytes for a hundred thousand chats
        self._last_id = 0
        self._to_mark: Counter[ChatKey] = Counter()
        self._to_confirm: Counter[AvitoHint] = Counter()
        self._marking, self._confirming = asyncio.Event(), asyncio.Event()

    def offer(self, hint: AvitoHint) -> None:
        """Takes a hint; never waits and never fails. Several of one chat wait as one."""
        key = (hint.user_id, hint.chat_id)
        if hash(key) in self._known:
            self._to_mark[key] += 1
            self._marking.set()
        elif hint in self._to_confirm or len(self._to_confirm) < MOST_UNKNOWN:
            self._to_confirm[hint] += 1
            self._confirming.set()
        else:
            DROPPED.labels("queue_full").inc()

    async def write_forever(self) -> None:
        """Writes the hints as they come, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mark_forever())
            group.create_task(self._confirm_forever())

    async def _mark_forever(self) -> None:
        """Marks the known chats.

        Each has a transaction of its own: with one row locked at a time it never stands in a ring
        with a sync's writers.
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
            if not known:  # erased meanwhile
                self._known.discard(hash(key))

    async def _confirm_forever(self) -> None:
        while True:
            try:
                await self._learn_known()
                while self._to_confirm:
                    await self._confirm(next(iter(self._to_confirm)))
                    await self._learn_known()
                self._confirming.clear()
            except Exception as error:
                log.warning("webhook.hints_delayed", reason=type(error).__name__)
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                await self._confirming.wait()

    async def _learn_known(self) -> None:
        """Learns which chats have been added since the last time; hints of them wait no longer."""
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
        """Adds a chat if Avito has it; a failure of the database leaves the hint where it was."""
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
                    one
                    for one in await accounts.list_accounts(session)
                    if one.avito_user_id == hint.user_id
                ),
                None,
            )
        client = self._clients.get(owner.client_id) if owner else None
        if client is None:
            DROPPED.labels("unknown_account").inc(times)
            return
        async with self._pace:
            reason = await _why_unconfirmed(client, hint)
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


async def _why_unconfirmed(client: AvitoClient, hint: AvitoHint) -> str | None:
    with suppress(UpstreamError):
        try:
            await client.get_chat(hint.user_id, hint.chat_id)
        except AvitoChatGoneError:
            return "unknown_chat"
        return None
    return "unconfirmed"
