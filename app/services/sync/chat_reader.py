"""Reading of one chat's messages: all on the first read, later new and changeable ones."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from app.clients.avito.client import AvitoClient
from app.clients.avito.errors import AvitoPlanMissingError
from app.clients.avito.schema import AvitoMessage, MessagePage
from app.clock import Clock
from app.database.engine import Database
from app.domain.messages import FINAL_AFTER
from app.repositories import messages
from app.repositories.unread_chats import UnreadChat
from app.services.sync.pages import PAGE, iterate_pages
from app.services.sync.rows import make_message_rows

_PLAN_SENTENCE = (
    "Не оплачен тариф Авито с API мессенджера: вместо сообщений приходит заглушка. Оплатите его в"
    " кабинете Авито."
)


class ReadChat(NamedTuple):
    """The messages of a chat as table rows; ``complete`` means back to the first message."""

    chat: UnreadChat
    rows: list[dict[str, Any]]
    complete: bool


class ChatReader:
    """Reads chats of one account; ``full`` reads every message again."""

    def __init__(
        self, database: Database, client: AvitoClient, clock: Clock, user_id: int, *, full: bool
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._user_id = user_id
        self._full = full

    async def read(self, chat: UnreadChat) -> ReadChat:
        """Return the chat's messages, from the newest back to the first known final one.

        Raises:
            UpstreamError: the messages cannot be read. AvitoPlanMissingError also if all texts are
                placeholders.
        """
        found: dict[str, AvitoMessage] = {}
        complete, unreadable = False, 0
        async for page in iterate_pages(
            partial(self._fetch, chat), lambda page: [message.id for message in page.messages]
        ):
            for message in page.messages:
                found.setdefault(message.id, message)
            unreadable += page.unreadable
            complete = not page.has_more and unreadable == 0
            if page.has_more and await self._reaches_final(chat, page.messages):
                complete = chat.history_complete and unreadable == 0
                break
        written = _drop_placeholders(found)
        rows = make_message_rows(
            chat.id, written, from_avito=chat.chat_type == "a2u", now=self._clock()
        )
        return ReadChat(chat, rows, complete and len(written) == len(found))

    async def check_readable(self, avito_id: str) -> None:
        """Check that a chat's messages can be read; raise the errors of ``read``."""
        page = await self._client.list_messages(self._user_id, avito_id, limit=PAGE)
        _drop_placeholders({message.id: message for message in page.messages})

    async def _fetch(self, chat: UnreadChat, offset: int) -> MessagePage:
        return await self._client.list_messages(
            self._user_id, chat.avito_id, limit=PAGE, offset=offset
        )

    async def _reaches_final(self, chat: UnreadChat, page: Sequence[AvitoMessage]) -> bool:
        """Whether the page reaches messages that were final when the chat was last read.

        Older messages cannot have changed.
        """
        if chat.read_at is None or self._full:
            return False
        final = [message.id for message in page if message.created_at < chat.read_at - FINAL_AFTER]
        async with self._database.session() as session:
            return bool(final) and bool(await messages.list_known(session, chat.id, final))


def _drop_placeholders(found: dict[str, AvitoMessage]) -> list[AvitoMessage]:
    """Return the messages without placeholders.

    If only placeholders contain text, the plan is missing. A single placeholder may be text that a
    person wrote.
    """
    written = [message for message in found.values() if not message.is_placeholder]
    if len(written) < len(found) and not any(message.text for message in written):
        raise AvitoPlanMissingError(_PLAN_SENTENCE)
    return written
