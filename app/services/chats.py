"""One chat as people look at it: what Avito says of it, its messages, what became of its grading,
how long the buyer waited.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.database.engine import Database
from app.domain.outcomes import Outcome, SkipReason
from app.domain.waiting import AnswerTimes, answer_times
from app.domain.working_hours import WorkingHours
from app.errors import FieldError, InvalidRequestError, NotFoundError
from app.models import Account, Chat, Message, Review
from app.repositories import chat_views as shown_chats
from app.repositories import messages, reports, reviews
from app.repositories.chat_views import AccountChat
from app.services.analysis.transcript import chat_messages


@dataclass(frozen=True)
class ChatCard:
    """A chat with everything that belongs to it; messages oldest first, the reports' bodies and the
    reviews newest first.
    """

    chat: Chat
    account: Account
    outcome: str | None
    """What has become of it so far, as the mails count it."""

    messages: list[Message]
    reports: list[dict[str, Any]]
    reviews: list[Review]
    answer_times: AnswerTimes
    """Over the whole chat."""

    @property
    def outcome_reason(self) -> str | None:
        """Why it came to no report, in Russian; None also where it waits for its first grading, or
        for the next.
        """
        reason = self.chat.outcome_reason if self.chat.outcome == self.outcome else None
        return SkipReason(reason).label if reason and self.outcome == Outcome.SKIPPED else reason


async def read_chat(
    database: Database,
    avito_id: str,
    account: str | None,
    *,
    hours: WorkingHours,
    zone: ZoneInfo,
    now: datetime,
) -> ChatCard:
    """The chat with Avito's id, in the account of this name or Avito number where one is given.

    Raises:
        NotFoundError: no such chat is stored.
        InvalidRequestError: several accounts have one, and it is not said which is meant.
    """
    async with database.session() as session:
        chat, holder, status = _only(
            await shown_chats.find_chats(session, avito_id, account=account), avito_id, account
        )
        stored = await messages.list_messages(session, chat.id)
        bodies = await reports.list_bodies_by_chat(session, chat.id)
        words = await reviews.list_by_chat(session, chat.id)
    return ChatCard(
        chat,
        holder,
        status,
        stored,
        bodies,
        words,
        answer_times(chat_messages(stored), hours, zone, now),
    )


def _only(found: list[AccountChat], avito_id: str, account: str | None) -> AccountChat:
    if not found:
        where = "" if account is None else f" у аккаунта «{account}»"
        raise NotFoundError(
            f"Чата {avito_id}{where} нет среди скопированных: проверьте номер или вызовите POST"
            " /avito/sync."
        )
    if len(found) > 1:
        holders = ", ".join(f"«{holder.name}» ({holder.avito_user_id})" for _, holder, _ in found)
        message = f"назовите аккаунт именем или номером, такой чат есть у нескольких: {holders}"
        raise InvalidRequestError(
            f"Неверные параметры запроса: account — {message}.", (FieldError("account", message),)
        )
    return found[0]
