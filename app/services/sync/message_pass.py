"""The message pass of a sync: read the marked chats in parallel and write them in batches."""

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
from app.repositories import accounts, chat_facts, chats, messages, unread_chats
from app.repositories.unread_chats import UnreadChat
from app.services.problems import Problem, ProblemCode
from app.services.runs import Progress
from app.services.sync.authors import AuthorRules, decide_new_messages
from app.services.sync.chat_queue import ChatQueue
from app.services.sync.chat_reader import ChatReader, ReadChat
from app.services.sync.rows import make_chat_row

log = structlog.get_logger(__name__)

FAILURES_IN_A_ROW = 5
"""After this many consecutive failures, check whether any chat of the account can be read."""
BATCH, BATCH_ROWS, BATCH_SECONDS = 100, 2_000, 0.2
"""Limits of one transaction: chats, messages, and the wait for further chats in flight.

A commit waits for the disk, and the statements of a transaction cost as much for a hundred chats as
for one.
"""


@dataclass
class Tally:
    """Figures of a sync over all accounts."""

    synced_chats: int = 0
    new_chats: int = 0
    updated_chats: int = 0
    new_messages: int = 0
    incomplete_chats: int = 0
    unread: list[Problem] = field(default_factory=list)
    """One problem per account with unread chats: their number and the cause."""
    has_chats_without_id: bool = False
    """Whether Avito listed chats without an ID, which cannot be read."""
    cut_short: list[str] = field(default_factory=list)
    """Accounts with more chats than Avito returns."""
    failures: list[Problem] = field(default_factory=list)
    """Accounts that could not be read."""

    def figures(self) -> dict[str, Any]:
        """Return the figures of the response."""
        names = ("synced_chats", "new_chats", "updated_chats", "new_messages", "incomplete_chats")
        return {name: getattr(self, name) for name in names}


class MessagePass:
    """Copies the marked chats of one account.

    Readers wait for Avito and one writer waits for the disk, in parallel.
    """

    def __init__(
        self,
        database: Database,
        client: AvitoClient,
        clock: Clock,
        progress: Progress,
        tally: Tally,
        account: Account,
        authors: AuthorRules,
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
        self._authors = authors
        self._readers = readers
        self._reader = ChatReader(database, client, clock, account.avito_user_id, full=full)
        self.queue = ChatQueue(database, account.id, progress, readers=readers)
        self._failures_in_a_row = 0
        self._last_read: str | None = None
        self._error: UpstreamError | None = None

    def find_problem(self, account: str) -> Problem | None:
        """Return the account's unread chats as a problem with the last cause; None: all read."""
        if self._error is None:
            return None
        return Problem(
            code=ProblemCode.CHATS_UNREAD,
            account=account,
            chats=self.queue.skipped,
            detail=self._error.message,
        )

    async def read_marked(self) -> None:
        """Read the marked and recent chats; write messages and clear the mark in one transaction.

        Raises:
            UpstreamError: the account cannot be read; written chats are kept.
        """
        to_write: asyncio.Queue[ReadChat | None] = asyncio.Queue(maxsize=2 * self._readers)
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write_all(to_write))
                readers = [
                    group.create_task(self._read_all(to_write)) for _ in range(self._readers)
                ]
                await self.queue.fill()
                await asyncio.gather(*readers)
                await to_write.put(None)
                await writer
        except ExceptionGroup as failures:
            raise _find_failure(failures) from None
        self.queue.correct_progress()
        if self._error and self._failures_in_a_row:
            await self._check_account(self._error)

    async def _read_all(self, to_write: asyncio.Queue[ReadChat | None]) -> None:
        while (chat := await self.queue.get()) is not None:
            try:
                read = await self._reader.read(
                    await self._fetch_hinted(chat) if chat.is_only_hinted else chat
                )
            except AvitoCredentialsError:
                raise  # the next chat would fail too
            except UpstreamError as error:
                await self._skip(chat, error)
            else:
                self._failures_in_a_row = 0
                self._last_read = chat.avito_id
                await to_write.put(read)

    async def _skip(self, chat: UnreadChat, error: UpstreamError) -> None:
        """Mark a chat as unreadable and continue with the others."""
        gone = isinstance(error, AvitoChatGoneError)
        log.warning("sync.chat_unread", chat=chat.id, error=type(error).__name__)
        async with self._database.transaction() as session:
            await unread_chats.mark_unreadable(session, chat, message=error.message, gone=gone)
        self.queue.finish(chat.id, skipped=not gone)
        if gone:
            self._failures_in_a_row = 0
            return
        self._error = error
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            await self._check_account(error)

    async def _check_account(self, error: UpstreamError) -> None:
        """Check whether a chat that was readable before still is.

        If so, only the failed chats are at fault, and the pass continues.

        Raises:
            UpstreamError: no chat can be read; the account or Avito is at fault.
        """
        readable = self._last_read  # may not be written yet
        if readable is None:
            async with self._database.session() as session:
                readable = await unread_chats.get_readable_chat_id(session, self._account.id)
        if readable is None:
            raise error
        with contextlib.suppress(AvitoChatGoneError):  # also proves that Avito responds
            await self._reader.check_readable(readable)
        self._failures_in_a_row = 0

    async def _fetch_hinted(self, chat: UnreadChat) -> UnreadChat:
        """Fetch and store the list data of a chat that is known only from a webhook."""
        listed = await self._client.get_chat(self._account.avito_user_id, chat.avito_id)
        async with self._database.transaction() as session:
            row = {**make_chat_row(listed), "avito_id": chat.avito_id}
            count = await chats.upsert_listed(session, chat.account_id, [row], reread=False)
            updated = await unread_chats.reload_unread(session, chat)
        self._tally.new_chats += count.new
        return updated

    async def _write_all(self, to_write: asyncio.Queue[ReadChat | None]) -> None:
        """Write chats in batches, the last ones in flight at once."""
        while first := await to_write.get():
            batch, is_last = [first], False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BATCH_SECONDS):
                    while not is_last and self._has_room(batch):
                        read = await to_write.get()
                        if is_last := read is None:
                            break
                        batch.append(read)
            await self._write(batch)
            if is_last:
                break

    def _has_room(self, batch: Sequence[ReadChat]) -> bool:
        """Whether further chats are in flight and the transaction may have them."""
        rows = sum(len(read.rows) for read in batch)
        return len(batch) < min(BATCH, self.queue.in_flight) and rows < BATCH_ROWS

    async def _write(self, batch: Sequence[ReadChat]) -> None:
        by_id = {read.chat.id: read for read in batch}
        async with self._database.transaction() as session:
            await chat_facts.lock_chats(session, list(by_id))
            new, undecided = await messages.upsert_messages(
                session, [row for read in batch for row in read.rows]
            )
            await decide_new_messages(session, self._authors, undecided)
            await accounts.add_chats_read(session, self._account.id, list(by_id))
            await unread_chats.mark_read(
                session, [(read.chat, read.complete) for read in batch], now=self._clock()
            )
        self._tally.new_messages += sum(new.values())
        self._tally.updated_chats += sum(not by_id[chat_id].chat.is_new for chat_id in new)
        for chat_id in by_id:
            self.queue.finish(chat_id)
        self._progress.figures = self._tally.figures()


def _find_failure(group: ExceptionGroup[Exception]) -> Exception:
    """Return Avito's first error of the group, or the group if it contains any other error."""
    upstream, others = group.split(UpstreamError)
    error: Exception | None = group if others else upstream
    while isinstance(error, ExceptionGroup) and not others:
        error = error.exceptions[0]
    return error or group
