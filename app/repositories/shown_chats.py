"""SQL of the chats as REST shows them one by one."""

from typing import NamedTuple

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Chat


class AccountChat(NamedTuple):
    """A chat and the account it is in."""

    chat: Chat
    account: Account


async def find_chats(session: AsyncSession, avito_id: str, *, account: str | None) -> list[AccountChat]:
    """The chats with Avito's id, one an account; with ``account`` only those of the accounts of this name or Avito number."""
    statement = select(Chat, Account).join(Account, Account.id == Chat.account_id).where(Chat.avito_id == avito_id).order_by(Account.id)
    if account is not None:
        statement = statement.where(or_(Account.name == account, cast(Account.avito_user_id, Text) == account))
    return [AccountChat(*row) for row in await session.execute(statement)]
