"""One chat for display: Avito's data, messages, grading outcome and answer times."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.domain.contact import Contact
from app.domain.messages import ChatMessage
from app.domain.outcomes import Outcome, describe_cause
from app.domain.settling import SettlingRule
from app.domain.substitutes import Substitute, find_substitute
from app.domain.waiting import AnswerTimes, answer_times, find_missed_call
from app.domain.working_hours import WorkingHours
from app.errors import FieldError, InvalidParametersError, NotFoundError
from app.models import Account, AccountListing, Chat, Message, Review
from app.repositories import chats, listings, messages, model_exchanges, reports, reviews
from app.repositories.chats import AccountChat
from app.repositories.model_exchanges import StoredExchange
from app.services.analysis.chat_contact import find_chat_contact
from app.services.analysis.grader import Grader
from app.services.analysis.transcript import convert_messages
from app.services.shown_messages import ShownMessage, show_messages


@dataclass(frozen=True)
class ChatCard:
    """A chat with its messages (oldest first), report bodies and reviews (newest first)."""

    chat: Chat
    account: Account
    outcome: str | None
    """The current outcome, as the mails count it."""

    outcome_reason: str | None
    """Why the chat has no grade, in Russian.

    None if it is graded or waits for its first or next grading.
    """
    unanswered_since: datetime | None
    """The time of the buyer's first unanswered message; None also if the company is the buyer."""

    messages: list[ShownMessage]
    reports: list[dict[str, Any]]
    reviews: list[Review]
    answer_times: AnswerTimes
    """Computed over the whole chat; bots do not answer."""
    answered_by: Substitute | None
    """Who has answered a waiting buyer in place of a person."""
    contact: Contact | None
    """Of the latest episode; None also if the company is the buyer."""
    missed_call_at: datetime | None
    """The buyer's last missed call without an answer; None also if the company is the buyer."""
    listing: AccountListing | None
    """The cached listing of the chat; None: Avito has not returned it."""
    failed_exchanges: list[StoredExchange]
    """What the model answered in the run in which grading failed; empty unless it has failed."""


async def read_chat(
    database: Database,
    avito_id: str,
    account: str | None,
    *,
    grader: Grader,
    settling: SettlingRule,
    hours: WorkingHours,
    now: datetime,
) -> ChatCard:
    """Return the chat with Avito's ID; ``account`` is an account's name or Avito number.

    ``grader`` finds the contact. ``hours``: the working hours of the answer times.

    Raises:
        NotFoundError: no such chat is stored.
        InvalidParametersError: several accounts have one, and ``account`` does not select one of
            them.
    """
    async with database.session() as session:
        found = await chats.find_chats(
            session, avito_id, account=account, settling=settling.find_span(now)
        )
        one = _require_one(found, avito_id, account)
        stored_messages = await messages.list_messages(session, one.chat.id)
        stored = await _read_stored(session, one, stored_messages)
    talk = convert_messages(stored_messages)
    return ChatCard(
        chat=one.chat,
        account=one.account,
        outcome=one.outcome,
        outcome_reason=describe_cause(one.code, one.detail),
        contact=None if one.company_is_buyer else await find_chat_contact(grader, talk),
        **stored,
        **_find_waits(one, talk, answer_times(talk, hours, settling.zone, now)),
    )


class _StoredFields(TypedDict):
    """The fields of :class:`ChatCard` that come from other tables."""

    messages: list[ShownMessage]
    reports: list[dict[str, Any]]
    reviews: list[Review]
    listing: AccountListing | None
    failed_exchanges: list[StoredExchange]


async def _read_stored(
    session: AsyncSession, one: AccountChat, stored_messages: list[Message]
) -> _StoredFields:
    chat = one.chat
    return _StoredFields(
        messages=await show_messages(session, stored_messages),
        reports=await reports.list_bodies_by_chat(session, chat.id),
        reviews=await reviews.list_by_chat(session, chat.id),
        listing=await listings.get_of_chat(session, chat),
        failed_exchanges=(
            await model_exchanges.list_of_failure(session, chat.id, chat.outcome_run_id)
            if one.outcome == Outcome.FAILED
            else []
        ),
    )


class _Waits(TypedDict):
    """The fields of :class:`ChatCard` about a buyer who waits."""

    answer_times: AnswerTimes
    unanswered_since: datetime | None
    answered_by: Substitute | None
    missed_call_at: datetime | None


def _find_waits(one: AccountChat, talk: Sequence[ChatMessage], times: AnswerTimes) -> _Waits:
    if one.company_is_buyer:
        return _Waits(
            answer_times=replace(times, waiting_since=None),
            unanswered_since=None,
            answered_by=None,
            missed_call_at=None,
        )
    return _Waits(
        answer_times=times,
        unanswered_since=one.chat.unanswered_since,
        answered_by=find_substitute(talk),
        missed_call_at=find_missed_call(talk),
    )


def _require_one(found: list[AccountChat], avito_id: str, account: str | None) -> AccountChat:
    if not found:
        where = "" if account is None else f" у аккаунта «{account}»"
        raise NotFoundError(
            f"Чата {avito_id}{where} нет среди скопированных: проверьте номер или вызовите POST"
            " /avito/sync."
        )
    if len(found) > 1:
        holders = ", ".join(f"«{one.account.name}» ({one.account.avito_user_id})" for one in found)
        message = f"назовите аккаунт именем или номером, такой чат есть у нескольких: {holders}"
        raise InvalidParametersError(FieldError("account", message))
    return found[0]
