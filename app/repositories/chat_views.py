"""SQL of the chats as REST shows them one by one."""

from typing import NamedTuple

from sqlalchemy import Text, cast, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Chat
from app.repositories.coverage import STATUS


class AccountChat(NamedTuple):
    """A chat, the account it is in, and what has become of it by the rule of the mails."""

    chat: Chat
    account: Account
    status: str | None


async def find_chats(
    session: AsyncSession, avito_id: str, *, account: str | None
) -> list[AccountChat]:
    """The chats with Avito's id, one an account; with ``account`` only those of the accounts of
    this name or Avito number.
    """
    status = literal_column(STATUS, Text)
    statement = (
        select(Chat, Account, status)
        .join(Account, Account.id == Chat.account_id)
        .where(Chat.avito_id == avito_id)
    )
    statement = statement.order_by(Account.id)
    if account is not None:
        statement = statement.where(
            or_(Account.name == account, cast(Account.avito_user_id, Text) == account)
        )
    return [AccountChat(*row) for row in await session.execute(statement)]
