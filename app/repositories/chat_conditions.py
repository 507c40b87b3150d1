"""SQL conditions of chats that several queries share."""

from sqlalchemy import ColumnElement, and_, false, func, select

from app.domain.messages import Side
from app.domain.outcomes import Outcome
from app.domain.settling import SettlingSpan
from app.models import Account, Chat
from app.repositories.sql_values import inline

COMPANY_IS_BUYER: ColumnElement[bool] = (
    select(Account.id)
    .where(Account.id == Chat.account_id, Account.avito_user_id != Chat.item_owner_id)
    .correlate(Chat)
    .exists()
)
"""The chat is about a listing of another account. False if the owner is not known."""

IS_LOADING: ColumnElement[bool] = (
    select(Account.id)
    .where(Account.id == Chat.account_id, Account.is_loading)
    .correlate(Chat)
    .exists()
)
"""The first sync of the account has not ended, so its bots may be unknown."""

HAS_FAILED: ColumnElement[bool] = and_(
    Chat.outcome == inline(Outcome.FAILED), Chat.outcome_message_id == Chat.last_person_message_id
)
"""Grading has failed and no person has written since. Null if the chat has no outcome."""

IS_LEFT_OVER: ColumnElement[bool] = Chat.outcome.in_(
    [inline(Outcome.FAILED), inline(Outcome.WAITING)]
)
"""A grading has stopped before the chat or has failed. Written as in the index of these chats."""

LAST_COUNTED_MESSAGE_ID: ColumnElement[int | None] = func.coalesce(
    Chat.last_person_message_id, Chat.lead_message_id
)
"""The message up to which the chat would be graded or skipped; None: there is none."""


def is_settling(span: SettlingSpan | None) -> ColumnElement[bool]:
    """Return whether a due chat is settling; never without a ``span``.

    If the company is the buyer, the last message is not that of a buyer who waits.
    """
    if span is None:
        return false()
    return and_(
        Chat.due_since.is_not(None),
        Chat.last_person_side == Side.CLIENT,
        Chat.last_person_at > span.after,
        Chat.last_person_at <= span.until,
        ~COMPANY_IS_BUYER,
    )
