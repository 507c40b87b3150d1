"""The message pass of a sync: reads the marked chats, several at a time, and writes what they hold
in batches.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from app.clients.avito.client import AvitoClient
from app.clients.avito.errors import AvitoChatGoneError, AvitoCredentialsError
from app.clock import Clock
from app.database.engine import Database
from app.errors import UpstreamError
from app.models import Account
from app.repositories import chats, messages
from app.repositories.chats import ChatToRead
from app.services.plural import plural
from app.services.runs import Progress
from app.services.sync.chat_reader import ChatReader, ReadChat
from app.services.sync.rows import chat_row

log = structlog.get_logger(__name__)

FAILURES_IN_A_ROW = 5
"""After so many chats that cannot be read one after the other it is asked whether any can be read
at all.
"""
AT_ONCE = 100
"""Due chats that are looked up at a time."""
BATCH, BATCH_ROWS = 50, 2_000
"""Chats and messages written in one transaction: a commit waits for the disk, and one for each chat
would be what a sync waits for.
"""


@dataclass
class Tally:
    """What a sync has come to, over all its accounts."""

    synced_chats: int = 0
    new_chats: int = 0
    updated_chats: int = 0
    new_messages: int = 0
    incomplete_chats: int = 0
    unread: list[str] = field(default_factory=list)
    """Of each account that has such: how many of its chats could not be read, and why."""
    nameless: bool = False
    """Whether Avito listed chats without an id, which nobody can read."""
    cut_short: list[str] = field(default_factory=list)
    """Accounts of which Avito lists more chats than it gives."""
    failures: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """The numbers of the answer."""
        names = ("synced_chats", "new_chats", "updated_chats", "new_messages", "incomplete_chats")
        return {name: getattr(self, name) for name in names}


class MessagePass:
    """Copies the marked chats of one account. Readers wait for Avito, one writer for the disk, and
    neither for the other.
    """

    def __init__(
        self,
        database: Database,
        client: AvitoClient,
        clock: Clock,
        progress: Progress,
        tally: Tally,
        account: Account,
        *,
        readers: int,
        full: bool,
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._progress = progress
        self._tally = tally
        self._account = account
        self._readers = readers
        self._reader = ChatReader(database, client, clock, account.avito_user_id, full=full)
        self._failures_in_a_row = 0
        self._last_read: str | None = None
        self._skipped: set[int] = set()
        self._error: UpstreamError | None = None

    @property
    def unread(self) -> str:
        """How many chats could not be read and why the last of them could not, in Russian; empty
        where all could.
        """
        if self._error is None:
            return ""
        count = plural(
            len(self._skipped),
            "чат не прочитан и остался в очереди",
            "чата не прочитаны и остались в очереди",
            "чатов не прочитаны и остались в очереди",
        )
        return f"{count}. Причина: {self._error.message}"

    async def read_due(self) -> None:
        """Reads every marked chat and clears its mark with the messages it wrote; few chats are in
        memory at once.

        Raises:
            UpstreamError: the account cannot be read; what was written stays.
        """
        async with self._database.session() as session:
            due = await chats.count_to_read(session, self._account.id) - len(self._skipped)
        if due <= 0:
            return
        self._progress.total = (self._progress.total or 0) + due
        to_read: asyncio.Queue[ChatToRead | None] = asyncio.Queue(maxsize=self._readers)
        to_write: asyncio.Queue[ReadChat | None] = asyncio.Queue(maxsize=2 * self._readers)
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write_all(to_write))
                readers = [
                    group.create_task(self._read_all(to_read, to_write))
                    for _ in range(self._readers)
                ]
                await self._feed(to_read)
                await asyncio.gather(*readers)
                await to_write.put(None)
                await writer
        except ExceptionGroup as failures:
            raise _the_failure(failures) from None
        if self._error and self._failures_in_a_row:
            await self._blame_account_or_chats(self._error)

    async def _feed(self, to_read: asyncio.Queue[ChatToRead | None]) -> None:
        """Hands out the due chats; those that could not be read the last time come last, so that
        they stand in nobody's way.
        """
        for failed in (False, True):
            batch = await self._due_after(0, failed=failed)
            while batch:
                for chat in batch:
                    if chat.id not in self._skipped:
                        await to_read.put(chat)
                batch = await self._due_after(batch[-1].id, failed=failed)
        for _ in range(self._readers):
            await to_read.put(None)

    async def _due_after(self, after_id: int, *, failed: bool) -> list[ChatToRead]:
        async with self._database.session() as session:
            return await chats.list_to_read(
                session, self._account.id, failed=failed, after_id=after_id, limit=AT_ONCE
            )

    async def _read_all(
        self, to_read: asyncio.Queue[ChatToRead | None], to_write: asyncio.Queue[ReadChat | None]
    ) -> None:
        while (chat := await to_read.get()) is not None:
            try:
                read = await self._reader.read(
                    await self._met(chat) if chat.is_only_hinted else chat
                )
            except AvitoCredentialsError:
                raise  # the next chat would fare no better
            except UpstreamError as error:
                await self._skip(chat, error)
            else:
                self._failures_in_a_row = 0
                self._last_read = chat.avito_id
                await to_write.put(read)

    async def _skip(self, chat: ChatToRead, error: UpstreamError) -> None:
        """One chat that cannot be read costs only itself."""
        gone = isinstance(error, AvitoChatGoneError)
        log.warning("sync.chat_unread", chat=chat.id, error=type(error).__name__)
        async with self._database.transaction() as session:
            await chats.mark_unreadable(session, chat, message=error.message, gone=gone)
        self._progress.done += 1
        if gone:
            self._failures_in_a_row = 0
            return
        self._skipped.add(chat.id)
        self._error = error
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            await self._blame_account_or_chats(error)

    async def _blame_account_or_chats(self, error: UpstreamError) -> None:
        """Goes on if a chat that could be read before still can, so that the fault is the failing
        chats' own.

        Raises:
            UpstreamError: none can be read, the fault is the account's or Avito's.
        """
        readable = self._last_read  # which may not be written yet
        if readable is None:
            async with self._database.session() as session:
                readable = await chats.get_readable(session, self._account.id)
        if readable is None:
            raise error
        with contextlib.suppress(AvitoChatGoneError):  # an answer as good as any
            await self._reader.can_read(readable)
        self._failures_in_a_row = 0

    async def _met(self, chat: ChatToRead) -> ChatToRead:
        """A chat that a webhook has named before any list: what the list would have said of it is
        asked for.
        """
        listed = await self._client.get_chat(self._account.avito_user_id, chat.avito_id)
        async with self._database.transaction() as session:
            row = {**chat_row(listed), "avito_id": chat.avito_id}
            await chats.upsert_listed(session, chat.account_id, [row], reread=False)
            met = await chats.take_up_again(session, chat)
        self._tally.new_chats += 1
        return met

    async def _write_all(self, to_write: asyncio.Queue[ReadChat | None]) -> None:
        """Writes what has been read as it comes: alone where Avito is slow, in batches where the
        disk is.
        """
        last = False
        while not last:
            batch, rows = list[ReadChat](), 0
            while not batch or (len(batch) < BATCH and rows < BATCH_ROWS and not to_write.empty()):
                read = await to_write.get()
                if last := read is None:
                    break
                batch.append(read)
                rows += len(read.rows)
            if batch:
                await self._write(batch)

    async def _write(self, batch: Sequence[ReadChat]) -> None:
        by_id = {read.chat.id: read for read in batch}
        async with self._database.transaction() as session:
            await chats.lock_chats(session, list(by_id))
            new = await messages.upsert_messages(
                session, [row for read in batch for row in read.rows]
            )
            await chats.mark_read(
                session, [(read.chat, read.complete) for read in batch], now=self._clock()
            )
        self._tally.new_messages += sum(new.values())
        self._tally.updated_chats += sum(not by_id[chat_id].chat.is_new for chat_id in new)
        self._progress.done += len(batch)
        self._progress.figures = self._tally.figures()


def _the_failure(group: ExceptionGroup[Exception]) -> Exception:
    """What a group of readers failed of: Avito's first failure, or the group itself where something
    else went wrong too.
    """
    upstream, others = group.split(UpstreamError)
    error: Exception | None = group if others else upstream
    while isinstance(error, ExceptionGroup) and not others:
        error = error.exceptions[0]
    return error or group
