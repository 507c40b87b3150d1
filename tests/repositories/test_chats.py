"""Upserts of chats from Avito's list."""

from datetime import UTC, datetime

from app.database.engine import Database
from app.repositories import accounts, chats

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LISTED = {"avito_id": "u2i-1", "avito_updated_at": NOW, "listed_message_id": "m-1"}


async def test_chat_that_a_webhook_has_named_is_new_once(database: Database) -> None:
    """The list pass and the message pass may both fetch it."""
    async with database.transaction() as session:
        account = await accounts.upsert_account(
            session, avito_user_id=1, client_id="id", name="Лавка", now=NOW
        )
        await chats.add_hint(session, avito_user_id=1, avito_id="u2i-1", chat_type="u2i", times=1)
        counts = [
            await chats.upsert_listed(session, account.id, [LISTED], reread=reread)
            for reread in (False, False, True)
        ]
    assert [(count.new, count.unread) for count in counts] == [(1, 1), (0, 0), (0, 1)]
