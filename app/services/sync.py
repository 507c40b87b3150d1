"""Copies the chats of the Avito accounts into Postgres: what changed, and nothing twice.

For each account a list pass marks the chats that Avito shows to have changed, page by page, each page committed; then a message
pass reads the marked chats and clears each mark with the messages it wrote. So a sync can be killed anywhere and the next one goes
on from there. It never marks anything as read at Avito.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from app.clients.avito.client import AvitoClient
from app.clients.avito.schema import AvitoChat, AvitoSelf
from app.clock import Clock
from app.database.engine import Database
from app.errors import UpstreamError
from app.models import Account
from app.repositories import accounts, chats
from app.services.avito_rows import chat_row
from app.services.plural import plural
from app.services.runs import Progress, StepResult
from app.services.sync_messages import MessagePass, Tally

log = structlog.get_logger(__name__)

CHAT_TYPES = ("u2i", "u2u", "a2u")
PAGE = 100
LAST_OFFSET = 1000
LIST_STEP = 90
"""Pages of the list overlap by ten: a chat that leaves the list moves the ones behind it up, over the edge of a page."""
WATERMARK_GRACE = timedelta(hours=1)
FULL_LIST_EVERY = timedelta(days=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class AvitoSource:
    """One account of the settings: what people call it (None: as Avito does), its keys' id, and the client that reads it."""

    name: str | None
    client_id: str
    client: AvitoClient
    readers: int
    """Chats read at a time."""


async def sync_chats(
    database: Database, sources: Sequence[AvitoSource], clock: Clock, progress: Progress, *, full: bool = False
) -> StepResult:
    """Brings every account up to date; ``full`` reads every chat again instead of those that changed.

    An account that fails does not stop the others: the result names it and is not ``ok``.
    """
    tally = Tally()
    syncs = [_AccountSync(database, source, clock, progress, tally, full=full) for source in sources]
    async with asyncio.TaskGroup() as group:
        for account in syncs:
            group.create_task(account.run())
    return StepResult(ok=not tally.failures, message=_summary(tally), figures=tally.figures())


class _AccountSync:
    """The sync of one account: its client, its row, and what it has come to so far."""

    def __init__(self, database: Database, source: AvitoSource, clock: Clock, progress: Progress, tally: Tally, *, full: bool) -> None:
        self._database = database
        self._source = source
        self._client = source.client
        self._clock = clock
        self._progress = progress
        self._tally = tally
        self._full = full

    async def run(self) -> None:
        """Reads the account; a failure of the account is kept with it and told in the tally."""
        try:
            me = await self._client.get_self()
            account = await self._open(me)
            messages = MessagePass(
                self._database, self._client, self._clock, self._progress, self._tally, me.id, readers=self._source.readers, full=self._full
            )
            await messages.read_due(account.id)  # what an earlier sync did not come to
            await self._list(account)
            await messages.read_due(account.id)
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
            page = await self._client.list_chats(account.avito_user_id, limit=PAGE, offset=offset, chat_types=CHAT_TYPES)
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


def _summary(tally: Tally) -> str:
    parts = [f"Синхронизировано {plural(tally.synced_chats, 'чат', 'чата', 'чатов')}, новых сообщений: {tally.new_messages}."]
    if tally.incomplete_chats:
        parts.append(f"История не целиком (предел Авито — 1100 сообщений): {plural(tally.incomplete_chats, 'чат', 'чата', 'чатов')}.")
    if tally.truncated:
        parts.append(f"Список чатов длиннее, чем отдаёт Авито (1100): {', '.join(tally.truncated)}; старые чаты не видны.")
    if tally.unread:
        parts.append(f"Не прочитано: {plural(tally.unread, 'чат', 'чата', 'чатов')}, они остались в очереди.")
    parts.extend(f"Ошибка. {failure}" for failure in tally.failures)
    return " ".join(parts)
