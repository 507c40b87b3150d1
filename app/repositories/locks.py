"""Whose turn it is to write many chats at once."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Any number will do; all our processes must agree on it.
_MANY_CHATS = 5_318_008_202


async def lock_bulk_chat_updates(session: AsyncSession) -> None:
    """Lets one transaction at a time write several chats, until it ends.

    The list pass, the message pass and the claiming of chats each lock rows in an order of their
    own; two at a time could wait for each other in a ring. To skip locked rows instead would be to
    overlook chats that are due.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MANY_CHATS})
