"""The message pass of a sync: reads the marked chats, several at a time, and writes what they hold in batches."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from app.clients.avito.client import AvitoClient
from app.clients.avito.errors import AvitoChatGoneError, AvitoCredentialsError, AvitoPlanMissingError
from app.clients.avito.schema import AvitoMessage
from app.clock import Clock
from app.database.engine import Database
from app.errors import UpstreamError
from app.repositories import chats, messages
from app.repositories.chats import ChatToRead
from app.services.avito_rows import chat_row, message_rows
from app.services.runs import Progress

log = structlog.get_logger(__name__)

PAGE = 100
LAST_OFFSET = 1000
SETTLED = timedelta(minutes=65)
"""Avito lets a message be deleted within the hour; older ones that are stored need no second look."""
FAILURES_IN_A_ROW = 5
"""So many chats that cannot be read one after the other are an account that cannot be read."""
BATCH = 50
"""Chats written in one transaction at most: a commit waits for the disk, and one for each chat would be what a sync waits for."""


@dataclass
class Tally:
    """What a sync has come to, over all its accounts."""

    synced_chats: int = 0
    new_chats: int = 0
    updated_chats: int = 0
    new_messages: int = 0
    incomplete_chats: int = 0
    unread: int = 0
    cut_short: list[str] = field(default_factory=list)
    """Accounts of which Avito lists more chats than it gives."""
    failures: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """The numbers of the answer."""
        names = ("synced_chats", "new_chats", "updated_chats", "new_messages", "incomplete_chats")
        return {name: getattr(self, name) for name in names}


class _ReadChat(NamedTuple):
    """A chat's messages as rows, ready to be written; ``complete``: back to the first."""

    chat: ChatToRead
    rows: list[dict[str, Any]]
    complete: bool


class MessagePass:
    """Copies the marked chats of one account. Readers wait for Avito, one writer for the disk, and neither for the other."""

    def __init__(
        self,
        database: Database,
        client: AvitoClient,
        clock: Clock,
        progress: Progress,
        tally: Tally,
        user_id: int,
        *,
        readers: int,
        full: bool,
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._progress = progress
        self._tally = tally
        self._user_id = user_id
        self._readers = readers
        self._full = full
        self._failures_in_a_row = 0

    async def read_due(self, account_id: int) -> None:
        """Reads every marked chat and clears its mark with the messages it wrote; few chats are in memory at once.

        Raises:
            UpstreamError: the account cannot be read; what was written stays.
        """
        async with self._database.session() as session:
            due = await chats.count_to_read(session, account_id)
        if not due:
            return
        self._progress.total = (self._progress.total or 0) + due
        to_read: asyncio.Queue[ChatToRead | None] = asyncio.Queue(maxsize=self._readers)
        to_write: asyncio.Queue[_ReadChat | None] = asyncio.Queue(maxsize=BATCH)
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write_all(to_write))
                readers = [group.create_task(self._read_all(to_read, to_write)) for _ in range(self._readers)]
                await self._feed(to_read, account_id)
                await asyncio.gather(*readers)
                await to_write.put(None)
                await writer
        except ExceptionGroup as failures:
            raise _the_failure(failures) from None

    async def _feed(self, to_read: asyncio.Queue[ChatToRead | None], account_id: int) -> None:
        after_id = 0
        while True:
            async with self._database.session() as session:
                batch = await chats.list_to_read(session, account_id, after_id=after_id, limit=PAGE)
            if not batch:
                break
            for chat in batch:
                await to_read.put(chat)
            after_id = batch[-1].id
        for _ in range(self._readers):
            await to_read.put(None)

    async def _read_all(self, to_read: asyncio.Queue[ChatToRead | None], to_write: asyncio.Queue[_ReadChat | None]) -> None:
        while (chat := await to_read.get()) is not None:
            try:
                read = await self._read(await self._met(chat) if chat.is_only_hinted else chat)
            except (AvitoPlanMissingError, AvitoCredentialsError):
                raise  # the next chat would fare no better
            except UpstreamError as error:
                await self._skip(chat, error)
            else:
                self._failures_in_a_row = 0
                await to_write.put(read)

    async def _skip(self, chat: ChatToRead, error: UpstreamError) -> None:
        """One chat that cannot be read costs only itself; many in a row are the account's failure."""
        gone = isinstance(error, AvitoChatGoneError)
        log.warning("sync.chat_unread", chat=chat.id, error=type(error).__name__)
        async with self._database.transaction() as session:
            await chats.mark_unreadable(session, chat, message=error.message, gone=gone)
        self._progress.done += 1
        if not gone:
            self._tally.unread += 1
            self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise error

    async def _met(self, chat: ChatToRead) -> ChatToRead:
        """A chat that a webhook has named before any list: what the list would have said of it is asked for."""
        listed = await self._client.get_chat(self._user_id, chat.avito_id)
        async with self._database.transaction() as session:
            row = {**chat_row(listed), "avito_id": chat.avito_id}
            await chats.upsert_listed(session, chat.account_id, [row], reread=False)
            met = await chats.take_up_again(session, chat)
        self._tally.new_chats += 1
        return met

    async def _read(self, chat: ChatToRead) -> _ReadChat:
        """What is new in one chat: all of its pages the first time, later back to the first settled message known."""
        found: dict[str, AvitoMessage] = {}
        complete, unreadable = False, 0
        settled_before = self._clock() - SETTLED
        offset = 0
        while True:
            page = await self._client.list_messages(self._user_id, chat.avito_id, limit=PAGE, offset=offset)
            for message in page.messages:
                found.setdefault(message.id, message)
            unreadable += page.unreadable
            if not page.has_more:
                complete = unreadable == 0
                break
            if offset >= LAST_OFFSET:
                break
            if not (chat.is_new or self._full) and await self._meets_known(chat, page.messages, settled_before):
                complete = chat.history_complete
                break
            offset = min(offset + (len(page.messages) + page.unreadable or PAGE), LAST_OFFSET)
        if any(message.is_placeholder for message in found.values()):
            raise AvitoPlanMissingError(_PLAN_SENTENCE)
        rows = message_rows(chat.id, found.values(), from_avito=chat.chat_type == "a2u", now=self._clock())
        return _ReadChat(chat, rows, complete)

    async def _meets_known(self, chat: ChatToRead, page: Sequence[AvitoMessage], settled_before: datetime) -> bool:
        settled = [message.id for message in page if message.created_at < settled_before]
        async with self._database.session() as session:
            return bool(settled) and bool(await messages.list_known(session, chat.id, settled))

    async def _write_all(self, to_write: asyncio.Queue[_ReadChat | None]) -> None:
        """Writes what has been read as it comes: alone where Avito is slow, in batches where the disk is."""
        last = False
        while not last:
            batch = [await to_write.get()]
            while len(batch) < BATCH and not to_write.empty():
                batch.append(to_write.get_nowait())
            last = batch[-1] is None
            read = [one for one in batch if one is not None]
            if read:
                await self._write(read)

    async def _write(self, batch: Sequence[_ReadChat]) -> None:
        by_id = {read.chat.id: read for read in batch}
        async with self._database.transaction() as session:
            await chats.lock_chats(session, list(by_id))
            new = await messages.upsert_messages(session, [row for read in batch for row in read.rows])
            await chats.mark_read(session, [(read.chat, read.complete) for read in batch], now=self._clock())
        self._tally.new_messages += sum(new.values())
        self._tally.updated_chats += sum(not by_id[chat_id].chat.is_new for chat_id in new)
        self._progress.done += len(batch)
        self._progress.figures = self._tally.figures()


_PLAN_SENTENCE = "Не оплачен тариф Авито с API мессенджера: вместо сообщений приходит заглушка. Оплатите его в кабинете Авито."


def _the_failure(group: ExceptionGroup[Exception]) -> Exception:
    """What a group of readers failed of: Avito's first failure, or the group itself where something else went wrong too."""
    upstream, others = group.split(UpstreamError)
    error: Exception | None = group if others else upstream
    while isinstance(error, ExceptionGroup) and not others:
        error = error.exceptions[0]
    return error or group
