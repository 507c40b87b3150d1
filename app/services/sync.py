"""Copies the chats of the Avito accounts into Postgres: what changed, and nothing twice.

For each account a list pass marks the chats that Avito shows to have changed, page by page, each page committed; then a message
pass reads the marked chats and clears each mark with the messages it wrote. So a sync can be killed anywhere and the next one goes
on from there. It never marks anything as read at Avito.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from app.clients.avito.client import AvitoClient
from app.clients.avito.errors import AvitoChatGoneError, AvitoCredentialsError, AvitoPlanMissingError
from app.clients.avito.schema import AvitoChat, AvitoMessage, AvitoSelf
from app.clock import Clock
from app.database.engine import Database
from app.errors import UpstreamError
from app.models import Account
from app.repositories import accounts, chats, messages
from app.repositories.chats import ChatToRead
from app.services.avito_rows import chat_row, message_rows
from app.services.plural import plural
from app.services.runs import Progress, StepResult

log = structlog.get_logger(__name__)

CHAT_TYPES = ("u2i", "u2u", "a2u")
PAGE = 100
LAST_OFFSET = 1000
LIST_STEP = 90
"""Pages of the list overlap by ten: a chat that leaves the list moves the ones behind it up, over the edge of a page."""
WATERMARK_GRACE = timedelta(hours=1)
FULL_LIST_EVERY = timedelta(days=1)
SETTLED = timedelta(minutes=65)
"""Avito lets a message be deleted within the hour; older ones that are stored need no second look."""
_NEVER = datetime.min.replace(tzinfo=UTC)
FAILURES_IN_A_ROW = 5
"""So many chats that cannot be read one after the other are an account that cannot be read."""


@dataclass(frozen=True)
class AvitoSource:
    """One account of the settings: what people call it (None: as Avito does), its keys' id, and the client that reads it."""

    name: str | None
    client_id: str
    client: AvitoClient
    readers: int
    """Chats read at a time."""


@dataclass
class _Tally:
    synced_chats: int = 0
    new_chats: int = 0
    updated_chats: int = 0
    new_messages: int = 0
    incomplete_chats: int = 0
    unread: int = 0
    truncated: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        names = ("synced_chats", "new_chats", "updated_chats", "new_messages", "incomplete_chats")
        return {name: getattr(self, name) for name in names}


async def sync_chats(
    database: Database, sources: Sequence[AvitoSource], clock: Clock, progress: Progress, *, full: bool = False
) -> StepResult:
    """Brings every account up to date; ``full`` reads every chat again instead of those that changed.

    An account that fails does not stop the others: the result names it and is not ``ok``.
    """
    tally = _Tally()
    syncs = [_AccountSync(database, source, clock, progress, tally, full=full) for source in sources]
    async with asyncio.TaskGroup() as group:
        for account in syncs:
            group.create_task(account.run())
    return StepResult(ok=not tally.failures, message=_summary(tally), figures=tally.figures())


class _AccountSync:
    """The sync of one account: its client, its row, and what it has come to so far."""

    def __init__(self, database: Database, source: AvitoSource, clock: Clock, progress: Progress, tally: _Tally, *, full: bool) -> None:
        self._database = database
        self._source = source
        self._client = source.client
        self._clock = clock
        self._progress = progress
        self._tally = tally
        self._full = full
        self._failures_in_a_row = 0

    async def run(self) -> None:
        """Reads the account; a failure of the account is kept with it and told in the tally."""
        try:
            self._me = await self._client.get_self()
            account = await self._open(self._me)
            await self._read_due(account)  # what an earlier sync did not come to
            await self._list(account)
            await self._read_due(account)
        except UpstreamError as error:
            name = self._source.name or self._source.client_id
            log.warning("sync.account_failed", client_id=self._source.client_id, error=type(error).__name__)
            self._tally.failures.append(f"{name}: {error.message}")
            async with self._database.transaction() as session:
                await accounts.mark_account_failed(session, self._source.client_id, error.message)
        else:
            async with self._database.transaction() as session:
                await accounts.mark_account_synced(session, account.id, self._clock())
                synced, incomplete = await accounts.count_chats(session, account.id)
            self._tally.synced_chats += synced
            self._tally.incomplete_chats += incomplete
            self._progress.figures = self._tally.figures()

    async def _open(self, me: AvitoSelf) -> Account:
        name = self._source.name or me.name or str(me.id)
        async with self._database.transaction() as session:
            return await accounts.upsert_account(session, avito_user_id=me.id, client_id=self._source.client_id, name=name)

    async def _list(self, account: Account) -> None:
        """Marks what changed since the watermark; once a day, or when asked to, all of the list is looked at."""
        now = self._clock()
        full_due = account.fully_listed_at is None or now - account.fully_listed_at >= FULL_LIST_EVERY
        whole = self._full or full_due or account.listed_up_to is None
        stop_before = _NEVER if whole or account.listed_up_to is None else account.listed_up_to - WATERMARK_GRACE
        newest, has_more, past_it = account.listed_up_to, True, False
        for offset in (*range(0, LAST_OFFSET, LIST_STEP), LAST_OFFSET):
            page = await self._client.list_chats(self._me.id, limit=PAGE, offset=offset, chat_types=CHAT_TYPES)
            await self._write_listed(account.id, page.chats)
            times = [chat.updated_at for chat in page.chats if chat.updated_at]
            newest = max([*times, newest] if newest else times, default=None)
            has_more = page.has_more
            # A page with a chat that shows no time proves nothing. And the order of the list is seen, not promised: one page more
            # than needed is read before stopping early.
            proves = len(times) == len(page.chats) > 0
            if not has_more or (past_it and proves and max(times) < stop_before):
                break
            past_it = past_it or (proves and min(times) < stop_before)
        truncated = has_more if whole else None
        if truncated:
            self._tally.truncated.append(account.name)
        async with self._database.transaction() as session:
            full_at = now if whole else None
            await accounts.mark_listed(session, account.id, up_to=newest, full_at=full_at, truncated=truncated)
            await chats.mark_recent_due(session, account.id)

    async def _write_listed(self, account_id: int, listed: Sequence[AvitoChat]) -> None:
        rows = {chat.id: chat_row(chat) for chat in listed}
        async with self._database.transaction() as session:
            count = await chats.upsert_listed(session, account_id, rows.values(), reread=self._full)
        self._tally.new_chats += count.new

    async def _read_due(self, account: Account) -> None:
        """Reads the marked chats, several at a time; few of them are in memory at once."""
        queue: asyncio.Queue[ChatToRead | None] = asyncio.Queue(maxsize=self._source.readers)
        async with self._database.session() as session:
            due = await chats.count_to_read(session, account.id)
        self._progress.total = (self._progress.total or 0) + due
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._source.readers):
                    group.create_task(self._reader(queue))
                await self._feed(queue, account.id)
        except ExceptionGroup as group_of_errors:
            raise _the_failure(group_of_errors) from None

    async def _feed(self, queue: asyncio.Queue[ChatToRead | None], account_id: int) -> None:
        after_id = 0
        while True:
            async with self._database.session() as session:
                batch = await chats.list_to_read(session, account_id, after_id=after_id, limit=PAGE)
            if not batch:
                break
            for chat in batch:
                await queue.put(chat)
            after_id = batch[-1].id
        for _ in range(self._source.readers):
            await queue.put(None)

    async def _reader(self, queue: asyncio.Queue[ChatToRead | None]) -> None:
        while (chat := await queue.get()) is not None:
            try:
                await self._read(chat)
            except (AvitoPlanMissingError, AvitoCredentialsError):
                raise  # the next chat would fare no better
            except UpstreamError as error:
                await self._skip(chat, error)
            else:
                self._failures_in_a_row = 0
            self._progress.done += 1
            self._progress.figures = self._tally.figures()

    async def _skip(self, chat: ChatToRead, error: UpstreamError) -> None:
        """One chat that cannot be read costs only itself; many in a row are the account's failure."""
        gone = isinstance(error, AvitoChatGoneError)
        log.warning("sync.chat_unread", chat=chat.id, error=type(error).__name__)
        async with self._database.transaction() as session:
            await chats.mark_unreadable(session, chat, message=error.message, gone=gone)
        if not gone:
            self._tally.unread += 1
            self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise error

    async def _read(self, chat: ChatToRead) -> None:
        """Copies what is new in one chat: all of its pages the first time, later back to the first settled message known."""
        found: dict[str, AvitoMessage] = {}
        complete, unreadable = False, 0
        settled_before = self._clock() - SETTLED
        for offset in range(0, LAST_OFFSET + 1, PAGE):
            page = await self._client.list_messages(self._me.id, chat.avito_id, limit=PAGE, offset=offset)
            for message in page.messages:
                found.setdefault(message.id, message)
            unreadable += page.unreadable
            if not page.has_more:
                complete = unreadable == 0
                break
            if not (chat.is_new or self._full) and await self._meets_known(chat, page.messages, settled_before):
                complete = chat.history_complete
                break
        if any(message.is_placeholder for message in found.values()):
            raise AvitoPlanMissingError(_PLAN_SENTENCE)
        rows = message_rows(found.values(), from_avito=chat.chat_type == "a2u", now=self._clock())
        async with self._database.transaction() as session:
            await chats.lock_chat(session, chat.id)
            new = await messages.upsert_messages(session, chat.id, rows)
            await chats.mark_read(session, chat, now=self._clock(), complete=complete)
        self._tally.new_messages += new
        self._tally.updated_chats += bool(new) and not chat.is_new

    async def _meets_known(self, chat: ChatToRead, page: Sequence[AvitoMessage], settled_before: datetime) -> bool:
        settled = [message.id for message in page if message.created_at < settled_before]
        async with self._database.session() as session:
            return bool(settled) and bool(await messages.list_known(session, chat.id, settled))


_PLAN_SENTENCE = "Не оплачен тариф Авито с API мессенджера: вместо сообщений приходит заглушка. Оплатите его в кабинете Авито."


def _summary(tally: _Tally) -> str:
    parts = [f"Синхронизировано {plural(tally.synced_chats, 'чат', 'чата', 'чатов')}, новых сообщений: {tally.new_messages}."]
    if tally.incomplete_chats:
        parts.append(f"История не целиком (предел Авито — 1100 сообщений): {plural(tally.incomplete_chats, 'чат', 'чата', 'чатов')}.")
    if tally.truncated:
        parts.append(f"Список чатов длиннее, чем отдаёт Авито (1100): {', '.join(tally.truncated)}; старые чаты не видны.")
    if tally.unread:
        parts.append(f"Не прочитано: {plural(tally.unread, 'чат', 'чата', 'чатов')}, они остались в очереди.")
    parts.extend(f"Ошибка. {failure}" for failure in tally.failures)
    return " ".join(parts)


def _the_failure(group: ExceptionGroup[Exception]) -> Exception:
    """What a group of readers failed of: Avito's first failure, or the group itself where something else went wrong too."""
    upstream, others = group.split(UpstreamError)
    error: Exception | None = group if others else upstream
    while isinstance(error, ExceptionGroup) and not others:
        error = error.exceptions[0]
    return error or group
