"""SQL conditions of messages: their authors, and which begin and end a buyer's wait."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlalchemy.dialects.postgresql.base import PGDialect

from app.domain.author_kinds import AuthorKind
from app.domain.messages import Side
from app.domain.placeholders import (
    CALL_TYPES,
    COMPLETED_CALL,
    MISSED_CALL,
    NEVER_READ,
    Placeholder,
)
from app.models import Message

MessageColumns = type[Message]
"""The table or an alias of it."""
_NO_WORDS = (*CALL_TYPES, NEVER_READ)


def read_call_status(message: MessageColumns = Message) -> ColumnElement[Any]:
    """Return the status of a call, as ``app.domain.placeholders.read_call_status`` does."""
    statuses = (message.content[(name, "status")].astext for name in CALL_TYPES)
    return case((message.type.in_(CALL_TYPES), func.lower(func.coalesce(*statuses))))


def is_bot(message: MessageColumns = Message) -> ColumnElement[bool]:
    """Return whether a bot of the company sent the message."""
    return and_(message.side == Side.COMPANY, message.author_kind == AuthorKind.BOT)


def _is_no_bot(message: MessageColumns) -> ColumnElement[bool]:
    """Return whether no bot sent the message. Only messages of the company have a kind."""
    return message.author_kind.is_distinct_from(AuthorKind.BOT)


def is_by_person(message: MessageColumns = Message) -> ColumnElement[bool]:
    """Return the rule of ``ChatMessage.is_by_person``."""
    return and_(message.side.in_((Side.CLIENT, Side.COMPANY)), _is_no_bot(message))


def begins_wait(message: MessageColumns = Message) -> ColumnElement[bool]:
    """Return the rule of ``ChatMessage.begins_wait``."""
    is_missed = read_call_status(message) == MISSED_CALL
    return and_(message.side == Side.CLIENT, or_(message.type.not_in(_NO_WORDS), is_missed))


def ends_wait(message: MessageColumns = Message) -> ColumnElement[bool]:
    """Return the rule of ``ChatMessage.ends_wait``."""
    is_completed = and_(message.side != Side.SYSTEM, read_call_status(message).in_(COMPLETED_CALL))
    is_answer = and_(
        message.type.not_in(_NO_WORDS), message.side == Side.COMPANY, _is_no_bot(message)
    )
    return or_(is_answer, is_completed)


def is_lead(message: MessageColumns = Message) -> ColumnElement[bool]:
    """Return whether the message is Avito's notice of a lead without a message."""
    pattern = Placeholder.NOTHING_WRITTEN.pattern
    return and_(message.side == Side.SYSTEM, message.text.regexp_match(pattern, flags="i"))


def is_assistant(message: MessageColumns = Message) -> ColumnElement[bool]:
    """Return whether the message is Avito's notice that its assistant has answered."""
    pattern = Placeholder.ASSISTANT_ANSWERED.pattern
    return and_(message.side == Side.SYSTEM, message.text.regexp_match(pattern, flags="i"))


def render(condition: ColumnElement[bool]) -> str:
    """Return a condition as SQL for a raw statement, in which the table is ``messages``."""
    options = {"literal_binds": True}
    dialect = PGDialect()  # type: ignore[no-untyped-call]
    return str(condition.compile(dialect=dialect, compile_kwargs=options))
