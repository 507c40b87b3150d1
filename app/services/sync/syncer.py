"""Sync: copy the changed chats of the Avito accounts into Postgres.

For each account a list pass marks the chats that have changed, page by page; each page is
committed. A message pass then reads the marked chats and clears each mark in the transaction that
writes the messages; meanwhile a few pages of the account's listings are read, if they are due. Then
the authors of stored messages are decided again where new messages give a reason. A sync can
therefore be killed at any point, and the next one continues. A sync never marks a message as read
at Avito.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.clients.avito.client import AvitoClient
from app.clock import Clock
from app.database.engine import Database
from app.errors import UpstreamError
from app.models import Account
from app.repositories import accounts, unread_chats
from app.russian_text import choose_form, plural
from app.services.problems import Problem, ProblemCode, describe_problems
from app.services.runs import Progress, StepResult
from app.services.sync.authors import AuthorRules, decide_stored_messages
from app.services.sync.chat_queue import ChatQueue
from app.services.sync.full_pass import FullPass
from app.services.sync.list_pass import WATERMARK_GRACE, ListPass
from app.services.sync.listings import ListingReader
from app.services.sync.message_pass import MessagePass, Tally

log = structlog.get_logger(__name__)

NAME_EVERY = timedelta(days=1)
RECENT_AT_ONCE = 100
"""Chats of one sync that are read again because a message may have been deleted.

They are those whose messages can still be deleted later. Each chat is read again when none can, and
a deletion of the newest message is seen in the list, so this only finds a deletion earlier.
"""


@dataclass(frozen=True)
class AvitoSource:
    """One account of the settings: name (None: Avito's name), client ID and client."""

    name: str | None
    client_id: str
    client: AvitoClient
    readers: int
    """Number of chats read in parallel."""


async def sync_chats(
    database: Database,
    sources: Sequence[AvitoSource],
    clock: Clock,
    progress: Progress,
    authors: AuthorRules,
    *,
    full: bool = False,
) -> StepResult:
    """Sync every account; ``full`` reads every chat again, not only changed ones.

    A failure of one account does not stop the others: the result names it and is not ``ok``.
    """
    tally = Tally()
    syncs = [
        _AccountSync(database, source, clock, progress, tally, authors, full=full)
        for source in sources
    ]
    async with asyncio.TaskGroup() as group:
        for account in syncs:
            group.create_task(account.run())
    await decide_stored_messages(database, authors)
    async with database.transaction() as session:
        await accounts.mark_loaded(session)
    problems = (*tally.unread, *tally.failures)
    figures = {**tally.figures(), "problems": describe_problems(problems)}
    return StepResult(not tally.failures, _make_summary(tally), figures, problems=problems)


class _AccountSync:
    """The sync of one account."""

    def __init__(
        self,
        database: Database,
        source: AvitoSource,
        clock: Clock,
        progress: Progress,
        tally: Tally,
        authors: AuthorRules,
        *,
        full: bool,
    ) -> None:
        self._database = database
        self._source = source
        self._client = source.client
        self._clock = clock
        self._progress = progress
        self._tally = tally
        self._authors = authors
        self._full = full
        self._name = source.name or source.client_id

    async def run(self) -> None:
        """Sync the account; a failure is logged and added to the tally."""
        try:
            account = await self._open()
            messages = MessagePass(
                self._database,
                self._client,
                self._clock,
                self._progress,
                self._tally,
                account,
                self._authors,
                readers=self._source.readers,
                full=self._full,
            )
            await self._copy(account, messages)
        except UpstreamError as error:
            log.warning(
                "sync.account_failed", client_id=self._source.client_id, error=type(error).__name__
            )
            self._tally.failures.append(
                Problem(code=ProblemCode.ACCOUNT_FAILED, account=self._name, detail=error.message)
            )
        else:
            async with self._database.transaction() as session:
                await accounts.mark_account_synced(session, account.id, self._clock())
                coverage = await accounts.get_coverage(session, account.id)
            self._tally.synced_chats += coverage.up_to_date
            self._tally.incomplete_chats += coverage.incomplete
            if problem := messages.find_problem(self._name):
                self._tally.unread.append(problem)
            if coverage.lists_cut_short:
                self._tally.cut_short.append(account.name)
            self._progress.figures = self._tally.figures()

    def _make_listing_reader(self, account: Account) -> ListingReader:
        return ListingReader(self._database, self._client, self._clock, account.id)

    async def _copy(self, account: Account, messages: MessagePass) -> None:
        """List chats and read messages at the same time.

        If no message can be read, the changes are marked anyway, for a sync that can read them. If
        the list fails, the chats marked before are read.
        """
        reading = asyncio.create_task(messages.read_marked())
        try:
            try:
                await self._list(account, messages.queue)
            finally:
                messages.queue.end_marking()
            async with self._reading_listings(account):
                await reading
        except UpstreamError:
            await asyncio.wait({reading})
            raise
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    @asynccontextmanager
    async def _reading_listings(self, account: Account) -> AsyncIterator[None]:
        """Read the due pages of listings meanwhile, because their requests are spread in time."""
        reading = asyncio.create_task(self._make_listing_reader(account).read_due())
        try:
            yield
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _open(self) -> Account:
        """Return the account of the keys.

        Avito is asked for a new account, and once a day because the name may change.
        """
        async with self._database.session() as session:
            known = await accounts.get_account(session, self._source.client_id)
        if known is not None:
            self._name = known.name
            if not self._full and not _is_stale(known.self_read_at, self._clock()):
                return known
        me = await self._client.get_self()
        self._name = self._source.name or me.name or str(me.id)
        async with self._database.transaction() as session:
            return await accounts.upsert_account(
                session,
                avito_user_id=me.id,
                client_id=self._source.client_id,
                name=self._name,
                now=self._clock(),
            )

    async def _list(self, account: Account, queue: ChatQueue) -> None:
        """Mark chats changed since the watermark, and those that the full pass finds.

        Chats whose messages may still be deleted are queued without a mark.

        The first time, if ``full``, or after more changes than one list returns, all lists are read
        at once.
        """
        now = self._clock()
        listing = ListPass(
            self._database,
            self._client,
            self._tally,
            self._make_listing_reader(account),
            queue,
            account_id=account.id,
            user_id=account.avito_user_id,
            reread=self._full,
        )
        full_pass = FullPass(self._database, self._clock, listing, account)
        watermark = None if self._full else _find_watermark(account, now)
        if watermark is not None and await listing.scan_since(watermark):
            await full_pass.read_due()
        else:
            await full_pass.read_at_once()
        async with self._database.transaction() as session:
            recent = await unread_chats.list_recent(
                session, account.id, since=now, now=self._clock(), limit=RECENT_AT_ONCE
            )
            if listing.newest:
                # With a watermark in the future, changes until then would be missed.
                await accounts.mark_listed(session, account.id, up_to=min(listing.newest, now))
        queue.add_recent(recent)


def _find_watermark(account: Account, now: datetime) -> datetime | None:
    """Return the watermark; None: all lists must be read.

    It is in the future if the clock was ahead; then changes until it would be missed.
    """
    known = account.listed_up_to if account.fully_listed_at else None
    return known if known and known - WATERMARK_GRACE <= now else None


def _is_stale(read_at: datetime | None, now: datetime) -> bool:
    """Whether a time is a day ago, or in the future because the clock was ahead."""
    return read_at is None or not timedelta(0) <= now - read_at < NAME_EVERY


def _make_summary(tally: Tally) -> str:
    synced = tally.synced_chats
    done = choose_form(synced, "Синхронизирован", "Синхронизировано", "Синхронизировано")
    parts = [
        f"{done} {plural(synced, 'чат', 'чата', 'чатов')}, новых сообщений: {tally.new_messages}."
    ]
    if tally.incomplete_chats:
        parts.append(
            "Авито отдал историю не целиком (его предел — 1100 сообщений):"
            f" {plural(tally.incomplete_chats, 'чат', 'чата', 'чатов')}."
        )
    if tally.cut_short:
        parts.append(
            f"Чатов больше, чем отдаёт Авито (1100 на объявление): {', '.join(tally.cut_short)};"
            " старые не видны."
        )
    parts += describe_problems(tally.unread)
    if tally.has_chats_without_id:
        parts.append(
            "Авито прислал чаты без номера, их не скопировать; если повторяется, обновите"
            " программу."
        )
    return " ".join([*parts, *describe_problems(tally.failures)])
