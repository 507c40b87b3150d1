"""SQL conditions of chats that several queries share."""

from sqlalchemy import ColumnElement, select

from app.models import Account, Chat

COMPANY_IS_BUYER: ColumnElement[bool] = (
    select(Account.id)
    .where(Account.id == Chat.account_id, Account.avito_user_id != Chat.item_owner_id)
    .correlate(Chat)
    .exists()
)
"""The chat is about a listing of another account. False if the owner is not known."""
