"""Advisory lock that serializes bulk updates of chats."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

# An arbitrary number that all processes of the service share.
_MANY_CHATS = 5_318_008_202


async def lock_bulk_chat_updates(session: AsyncSession) -> None:
    """Wait for other bulk updates of chats and block them until the transaction ends.

    The list pass, the message pass and the claim of chats lock rows in different orders, so two of
    them at the same time could deadlock. SKIP LOCKED is not an alternative: it would miss due
    chats.
    """
    await session.execute(select(func.pg_advisory_xact_lock(_MANY_CHATS)))
