"""SQL of single chats for REST."""

from typing import NamedTuple

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Chat
from app.repositories.coverage import STATUS


class AccountChat(NamedTuple):
    """A chat, its account, and its status as mails count it."""

    chat: Chat
    account: Account
    status: str | None


async def find_chats(
    session: AsyncSession, avito_id: str, *, account: str | None
) -> list[AccountChat]:
    """Return the chats with this Avito id, at most one in each account.

    ``account``: only chats of accounts with this name or Avito number.
    """
    statement = (
        select(Chat, Account, STATUS)
        .join(Account, Account.id == Chat.account_id)
        .where(Chat.avito_id == avito_id)
        .order_by(Account.id)
    )
    if account is not None:
        statement = statement.where(
            or_(Account.name == account, cast(Account.avito_user_id, Text) == account)
        )
    return [AccountChat(*row) for row in await session.execute(statement)]
