"""The chats to read of one account, queued while the list pass marks further unread ones."""

import asyncio
from collections.abc import Iterable, Sequence

from app.database.engine import Database
from app.repositories import unread_chats
from app.repositories.unread_chats import UnreadChat
from app.services.runs import Progress

CHATS_PER_QUERY = 100
"""Number of unread chats per query."""


class ChatQueue:
    """Queue between the list pass, which marks chats, and the readers of their messages.

    Only a few chats are in memory at a time.
    """

    def __init__(
        self, database: Database, account_id: int, progress: Progress, *, readers: int
    ) -> None:
        self._database = database
        self._account_id = account_id
        self._progress = progress
        self._readers = readers
        self._chats: asyncio.Queue[UnreadChat | None] = asyncio.Queue(maxsize=readers)
        self._has_marked = asyncio.Event()
        self._is_marking = True
        self._recent: Sequence[int] = ()
        self._expected = self._done = 0
        self._in_flight: set[int] = set()
        self._skipped: set[int] = set()

    @property
    def in_flight(self) -> int:
        """Number of chats that are queued or read, and not written yet."""
        return len(self._in_flight)

    @property
    def skipped(self) -> int:
        """Number of chats that could not be read and stay unread."""
        return len(self._skipped)

    def add_marked(self, chats: int) -> None:
        """Continue with chats that the list pass has marked."""
        self._expected += chats
        self._progress.total = (self._progress.total or 0) + chats
        self._has_marked.set()

    def add_recent(self, chat_ids: Sequence[int]) -> None:
        """Add chats that are read again although they are not unread."""
        self._recent = chat_ids
        self.add_marked(len(chat_ids))

    def end_marking(self) -> None:
        """Note that the list pass has ended."""
        self._is_marking = False
        self._has_marked.set()

    async def get(self) -> UnreadChat | None:
        """Return the next chat to read; None: there will be no further one."""
        return await self._chats.get()

    def finish(self, chat_id: int, *, skipped: bool = False) -> None:
        """Remove a chat that is written, or ``skipped``: it stays unread until the next sync."""
        self._in_flight.discard(chat_id)
        if skipped:
            self._skipped.add(chat_id)
        self._done += 1
        self._progress.done += 1
        self._chats.task_done()

    async def fill(self) -> None:
        """Queue the unread chats until the list pass has ended and none is left.

        Chats that failed last time come last and delay no others.
        """
        async with self._database.session() as session:
            self.add_marked(await unread_chats.count_unread(session, self._account_id))
        while self._is_marking:
            self._has_marked.clear()
            await self._queue_unread(failed=False)
            await self._has_marked.wait()
        await self._queue_unread(failed=False)
        await self._queue_recent()
        await self._chats.join()
        await self._queue_unread(failed=False)  # those marked again while they were read
        await self._queue_unread(failed=True)
        for _ in range(self._readers):
            await self._chats.put(None)

    def correct_progress(self) -> None:
        """Set the expected number of chats, some of which were marked twice, to the real one."""
        self._progress.total = (self._progress.total or 0) + self._done - self._expected

    async def _queue_unread(self, *, failed: bool) -> None:
        """Queue all unread chats that are not queued already, by id."""
        last_id = 0
        while batch := await self._list_unread(last_id, failed=failed):
            await self._queue(batch)
            last_id = batch[-1].id

    async def _queue_recent(self) -> None:
        for start in range(0, len(self._recent), CHATS_PER_QUERY):
            chat_ids = self._recent[start : start + CHATS_PER_QUERY]
            async with self._database.session() as session:
                batch = await unread_chats.get_unread(session, chat_ids)
            await self._queue(batch)

    async def _queue(self, batch: Iterable[UnreadChat]) -> None:
        for chat in batch:
            if chat.id not in self._in_flight and chat.id not in self._skipped:
                self._in_flight.add(chat.id)
                await self._chats.put(chat)

    async def _list_unread(self, after_id: int, *, failed: bool) -> list[UnreadChat]:
        async with self._database.session() as session:
            return await unread_chats.list_unread(
                session, self._account_id, failed=failed, after_id=after_id, limit=CHATS_PER_QUERY
            )
