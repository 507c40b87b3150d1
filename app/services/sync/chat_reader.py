"""Reads the messages of one chat: all of them the first time, later what is new or may have
changed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from app.clients.avito.client import AvitoClient
from app.clients.avito.errors import AvitoPlanMissingError
from app.clients.avito.schema import AvitoMessage, MessagePage
from app.clock import Clock
from app.database.engine import Database
from app.domain.messages import SETTLED_AFTER
from app.repositories import messages
from app.repositories.chats import ChatToRead
from app.services.sync.pages import PAGE, pages
from app.services.sync.rows import message_rows

_PLAN_SENTENCE = (
    "Не оплачен тариф Авито с API мессенджера: вместо сообщений приходит заглушка. Оплатите его в"
    " кабинете Авито."
)


class ReadChat(NamedTuple):
    """A chat's messages as rows, ready to be written; ``complete``: back to the first."""

    chat: ChatToRead
    rows: list[dict[str, Any]]
    complete: bool


class ChatReader:
    """Reads chats of one account; ``full``: every message again."""

    def __init__(
        self, database: Database, client: AvitoClient, clock: Clock, user_id: int, *, full: bool
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._user_id = user_id
        self._full = full

    async def read(self, chat: ChatToRead) -> ReadChat:
        """The chat's messages, newest back to the first settled one that is known.

        Raises:
            UpstreamError: they are not to be had; AvitoPlanMissingError also where placeholders
              came in place of all texts.
        """
        found: dict[str, AvitoMessage] = {}
        complete, unreadable = False, 0
        async for page in pages(
            partial(self._fetch, chat), lambda page: [message.id for message in page.messages]
        ):
            for message in page.messages:
                found.setdefault(message.id, message)
            unreadable += page.unreadable
            complete = not page.has_more and unreadable == 0
            if page.has_more and await self._meets_known(chat, page.messages):
                complete = chat.history_complete and unreadable == 0
                break
        told = _without_placeholders(found)
        rows = message_rows(chat.id, told, from_avito=chat.chat_type == "a2u", now=self._clock())
        return ReadChat(chat, rows, complete and len(told) == len(found))

    async def can_read(self, avito_id: str) -> None:
        """Tries whether the messages of a chat are to be had; raises what ``read`` raises."""
        page = await self._client.list_messages(self._user_id, avito_id, limit=PAGE)
        _without_placeholders({message.id: message for message in page.messages})

    async def _fetch(self, chat: ChatToRead, offset: int) -> MessagePage:
        return await self._client.list_messages(
            self._user_id, chat.avito_id, limit=PAGE, offset=offset
        )

    async def _meets_known(self, chat: ChatToRead, page: Sequence[AvitoMessage]) -> bool:
        """Whether the page reaches messages that were stored and settled when the chat was last
        read: further back nothing changes.
        """
        if chat.read_at is None or self._full:
            return False
        settled = [
            message.id for message in page if message.created_at < chat.read_at - SETTLED_AFTER
        ]
        async with self._database.session() as session:
            return bool(settled) and bool(await messages.list_known(session, chat.id, settled))


def _without_placeholders(found: dict[str, AvitoMessage]) -> list[AvitoMessage]:
    """What was really written. Where no text is left but placeholders the plan is missing; a lone
    one may be somebody's joke.
    """
    told = [message for message in found.values() if not message.is_placeholder]
    if len(told) < len(found) and not any(message.text for message in told):
        raise AvitoPlanMissingError(_PLAN_SENTENCE)
    return told
