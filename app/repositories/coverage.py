"""SQL of the chats that a mail counts: by outcome, ungraded ones, and those of waiting buyers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    RowMapping,
    Select,
    and_,
    any_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domain.outcomes import Outcome, OutcomeCode
from app.domain.placeholders import CALL_TYPES
from app.domain.settling import SettlingSpan
from app.domain.substitutes import Substitute
from app.models import Account, Chat, Message, Report
from app.repositories.chat_conditions import COMPANY_IS_BUYER, HAS_FAILED, IS_LEFT_OVER, is_settling
from app.repositories.message_conditions import (
    begins_wait,
    ends_wait,
    is_assistant,
    is_bot,
    is_by_person,
)
from app.repositories.sql_values import bigint_array, inline

Row = RowMapping

CURRENT_OUTCOME = case(
    (Chat.due_since.is_(None), Chat.outcome),
    (HAS_FAILED, inline(Outcome.FAILED)),
    else_=inline(Outcome.WAITING),
)
"""The outcome of a chat as mails count it.

A chat with messages that no grading has seen waits, whatever its last outcome was.
"""


def get_cause(settling: SettlingSpan | None) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return code and detail of why a chat has no grade; None if they belong to an older outcome.

    ``settling``: the span of the present moment. A chat that has settled since its last outcome
    waits for its next grading like any other.
    """
    settles = and_(CURRENT_OUTCOME == Outcome.WAITING, is_settling(settling))
    is_current = and_(
        Chat.outcome == CURRENT_OUTCOME, Chat.outcome_code.is_distinct_from(OutcomeCode.SETTLING)
    )
    code = case((settles, inline(OutcomeCode.SETTLING)), (is_current, Chat.outcome_code))
    detail = case((and_(is_current, settles.is_not(true())), Chat.outcome_detail))
    return code, detail


def _select_counted(span: Mapping[str, Any]) -> Select[Any]:
    """Select every chat that counts in a mail, with its current outcome.

    A message after ``after_message_id`` was copied after the mail before. It counts even if it was
    written before ``start``, but not if it was written before ``late_since``: an import of an old
    account is not news. Without ``after_message_id`` only messages from ``start`` on count. No
    message after ``last_message_id`` counts: it belongs to the next mail. A chat that has become
    due after ``end`` was not left over then. The notice of a lead counts like a message while
    nobody has written.
    """
    is_new = Message.sent_at >= span["start"]
    if span["after_message_id"] is not None:
        is_late = and_(Message.id > span["after_message_id"], Message.sent_at >= span["late_since"])
        is_new = or_(is_new, is_late)
    written = exists().where(
        Message.chat_id == Chat.id,
        or_(is_by_person(), Message.id == Chat.lead_message_id),
        Message.sent_at < span["end"],
        Message.id <= span["last_message_id"],
        is_new,
    )
    left_over = and_(Chat.due_since < span["end"], IS_LEFT_OVER)
    is_lead = and_(Chat.lead_message_id.is_not(None), Chat.last_message_at >= span["late_since"])
    is_recent = or_(Chat.last_person_at >= span["late_since"], is_lead)
    return select(Chat, CURRENT_OUTCOME.label("current_outcome")).where(
        or_(and_(is_recent, written), left_over)
    )


async def list_coverage(
    session: AsyncSession, digest_ids: Sequence[int], span: Mapping[str, Any]
) -> list[Row]:
    """Return the number of chats by current outcome and code.

    The chats are those in which a person wrote from ``start`` to ``end``, and those left failed or
    waiting.

    Rows (current_outcome, code, chats, chats_reported, reports). ``chats_reported``: those of the
    chats of which these mails carry a report. ``reports``: the number of these reports. ``span``:
    ``start``, ``end``, ``after_message_id``, ``last_message_id`` and ``late_since``.
    """
    counted = _select_counted(span).subquery("counted")
    carried = (
        select(Report.chat_id, func.count().label("reports"))
        .where(Report.digest_id == any_(bigint_array(digest_ids)))
        .group_by(Report.chat_id)
        .subquery("carried")
    )
    is_skipped = counted.c.current_outcome == inline(Outcome.SKIPPED)
    code = case((is_skipped, counted.c.outcome_code)).label("code")
    chats = func.count().label("chats")
    statement = (
        select(
            counted.c.current_outcome,
            code,
            chats,
            func.count(carried.c.reports).label("chats_reported"),
            cast(func.coalesce(func.sum(carried.c.reports), 0), BigInteger).label("reports"),
        )
        .select_from(counted)
        .join(carried, carried.c.chat_id == counted.c.id, isouter=True)
        .group_by(counted.c.current_outcome, code)
        .order_by(counted.c.current_outcome, chats.desc(), code)
    )
    return list((await session.execute(statement)).mappings())


async def list_ungraded(
    session: AsyncSession, span: Mapping[str, Any], settling: SettlingSpan | None
) -> list[Row]:
    """Return those of the chats that have no grade.

    Rows (account, avito_id, item_title, client_name, current_outcome, code, detail). ``code`` and
    ``detail``: see ``get_cause``.
    """
    code, detail = get_cause(settling)
    counted = (
        _select_counted(span)
        .add_columns(code.label("code"), detail.label("detail"))
        .subquery("counted")
    )
    statement = (
        select(
            Account.name.label("account"),
            counted.c.avito_id,
            counted.c.item_title,
            counted.c.client_name,
            counted.c.current_outcome,
            counted.c.code,
            counted.c.detail,
        )
        .join(Account, Account.id == counted.c.account_id)
        .where(counted.c.current_outcome != Outcome.GRADED)
        .order_by(
            counted.c.current_outcome, func.coalesce(counted.c.detail, counted.c.code), counted.c.id
        )
    )
    return list((await session.execute(statement)).mappings())


def _select_unanswered(until: datetime) -> FromClause:
    """Select the first and last times of a buyer's messages that are unanswered at ``until``.

    ``missed_call``: whether one of them is a missed call.
    """
    asked, answer = aliased(Message, name="asked"), aliased(Message, name="answer")
    is_answered = exists().where(
        answer.chat_id == asked.chat_id,
        ends_wait(answer),
        answer.sent_at < until,
        tuple_(answer.sent_at, answer.id) > tuple_(asked.sent_at, asked.id),
    )
    return (
        select(
            func.min(asked.sent_at).label("waiting_since"),
            func.max(asked.sent_at).label("asked_at"),
            func.bool_or(asked.type.in_(CALL_TYPES)).label("missed_call"),
        )
        .where(
            asked.chat_id == Chat.id,
            begins_wait(asked),
            asked.sent_at < until,
            ~is_answered,
        )
        .lateral("unanswered")
    )


def _get_substitute(
    since: ColumnElement[datetime], until: datetime
) -> ColumnElement[Substitute | None]:
    """Return who has answered a waiting buyer instead of a person of the company."""
    answer = aliased(Message, name="substitute")
    after = and_(answer.chat_id == Chat.id, answer.sent_at >= since, answer.sent_at < until)
    return case(
        (exists().where(after, is_bot(answer)), inline(Substitute.BOT)),
        (exists().where(after, is_assistant(answer)), inline(Substitute.ASSISTANT)),
    )


async def list_waiting_buyers(
    session: AsyncSession, *, since: datetime, until: datetime
) -> list[Row]:
    """Return the chats whose buyer waited for an answer at ``until``, longest wait first.

    The buyer wrote from ``since`` on. Messages after ``until`` do not matter. Where the company is
    the buyer, no buyer waits.

    Rows (id, account, avito_id, item_title, client_name, waiting_since, missed_call,
    answered_by). ``answered_by``: a ``Substitute`` that has answered instead of a person.
    """
    unanswered = _select_unanswered(until)
    statement = (
        select(
            Chat.id,
            Account.name.label("account"),
            Chat.avito_id,
            Chat.item_title,
            Chat.client_name,
            unanswered.c.waiting_since,
            unanswered.c.missed_call,
            _get_substitute(unanswered.c.waiting_since, until).label("answered_by"),
        )
        .join(Account, Account.id == Chat.account_id)
        .where(
            Chat.last_person_at >= since,
            or_(Chat.unanswered_since.is_not(None), Chat.last_person_at >= until),
            unanswered.c.asked_at >= since,
            ~COMPANY_IS_BUYER,
        )
        .order_by(unanswered.c.waiting_since, Chat.id)
    )
    return list((await session.execute(statement)).mappings())


async def count_incomplete_chats(session: AsyncSession) -> int:
    """Return the number of chats whose history Avito does not give in full."""
    statement = (
        select(func.count())
        .select_from(Chat)
        .where(Chat.messages_read_at.is_not(None), ~Chat.history_complete)
    )
    return await session.scalar(statement) or 0
