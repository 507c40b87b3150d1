"""Hints of webhooks: that somebody wrote in a chat is marked for the next sync, which reads the chat over REST.

A hint only marks. It starts no sync: the one of the interval, or of whoever asks, reads what is marked before anything else.
"""

import asyncio

import structlog

from app.clients.avito import AvitoHint
from app.database.engine import Database
from app.repositories import chats

log = structlog.get_logger(__name__)

MOST_WAITING = 1000
_WRITE_SECONDS = 10


class HintQueue:
    """Hints on their way to the database. They wait in memory, so that whoever brings one does not wait for Postgres.

    What cannot be kept is dropped: the chat's new activity stands in Avito's list as well, where the next sync finds it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: asyncio.Queue[AvitoHint] = asyncio.Queue(MOST_WAITING)

    def offer(self, hint: AvitoHint) -> None:
        """Takes a hint, if there is room for it; never waits and never fails."""
        try:
            self._waiting.put_nowait(hint)
        except asyncio.QueueFull:
            log.warning("webhook.hint_dropped", reason="the queue is full")

    async def write_forever(self) -> None:
        """Writes the hints as they come, until it is cancelled.

        Each has a transaction of its own: with one row locked at a time it never stands in a ring with a sync's writers.
        """
        while True:
            hint = await self._waiting.get()
            try:
                async with asyncio.timeout(_WRITE_SECONDS):
                    await self._write(hint)
            except Exception as error:
                log.warning("webhook.hint_dropped", reason=type(error).__name__)

    async def _write(self, hint: AvitoHint) -> None:
        async with self._database.transaction() as session:
            known = await chats.add_hint(session, avito_user_id=hint.user_id, avito_id=hint.chat_id, chat_type=hint.chat_type)
        if not known:
            log.warning("webhook.hint_dropped", reason="no such account", avito_user_id=hint.user_id)
