"""One question to the model with its answer, and its row in the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from app.clients.deepseek.request_body import SentRequest
from app.clients.deepseek.schema import Completion
from app.clock import Clock
from app.domain.listing import Listing
from app.domain.messages import ChatMessage, Side
from app.domain.working_hours import WorkingHours
from app.grading.masking.masker import Masking
from app.grading.prompt import ChatContext
from app.models import ExchangePurpose
from app.repositories.model_exchanges import StoredExchange
from app.services.analysis.chat_work import ChatWork


class Unused(StrEnum):
    """Why the verdict is built without an answer."""

    TRUNCATED = "truncated"
    """It ran out of tokens and was requested again."""
    MASKING = "masking"
    """A later request was blocked, and the chat was asked again with strict masking."""


@dataclass(frozen=True)
class Exchange:
    """A question and the answer.

    ``complaint``: the fault of the answer before; None: first. ``attempts``: the number of requests
    of the grading up to this answer. ``unused``: None if the verdict is built from the answer.
    """

    work: ChatWork
    complaint: str | None
    prompt_version: str
    request: SentRequest
    answer: str
    asked_at: datetime
    attempts: int
    unused: Unused | None = None


class ExchangeLog:
    """The exchanges of one grading of one chat, in their order."""

    def __init__(self, prompt_version: str, clock: Clock) -> None:
        self._prompt_version = prompt_version
        self._clock = clock
        self._exchanges: list[Exchange] = []

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All exchanges so far."""
        return tuple(self._exchanges)

    @property
    def answers(self) -> tuple[str, ...]:
        """The answers that the verdict is built from."""
        return tuple(entry.answer for entry in self._exchanges if entry.unused is None)

    def add(
        self,
        work: ChatWork,
        complaint: str | None,
        completion: Completion,
        unused: Unused | None = None,
    ) -> None:
        """Add a question and the model's answer."""
        exchange = Exchange(
            work,
            complaint,
            self._prompt_version,
            completion.request,
            completion.text,
            self._clock(),
            completion.attempts,
            unused,
        )
        self._exchanges.append(exchange)

    def set_aside(self) -> None:
        """Use none of the answers so far, because the chat is asked with strict masking."""
        self._exchanges = [
            replace(entry, unused=entry.unused or Unused.MASKING) for entry in self._exchanges
        ]


def make_exchange_rows(
    exchanges: Iterable[Exchange],
    *,
    chat_id: int,
    run_id: int,
    report_id: int | None,
    purpose: ExchangePurpose = ExchangePurpose.GRADING,
) -> list[dict[str, Any]]:
    """Return the rows of exchanges, in their order."""
    return [
        {
            "report_id": report_id,
            "chat_id": chat_id,
            "run_id": run_id,
            "purpose": purpose.value,
            "asked_at": exchange.asked_at,
            "prompt_version": exchange.prompt_version,
            "question": _describe_question(exchange),
            "parameters": exchange.request.parameters,
            "request_sha256": exchange.request.sha256,
            "answer": exchange.answer,
        }
        for exchange in exchanges
    ]


def _describe_question(exchange: Exchange) -> dict[str, Any]:
    work, context = exchange.work, exchange.work.context
    return {
        "nonce": work.nonce,
        "masking": work.masking.value,
        "names": list(work.names),
        "zone": context.zone.key,
        "working_hours": context.working_hours.describe(),
        "graded_at": context.graded_at.isoformat(),
        "earlier": context.earlier,
        "listing": context.listing.as_json if context.listing else None,
        "complaint": exchange.complaint,
        "messages": [message.id for message in work.window],
        "bots": [message.id for message in work.window if message.side is Side.BOT],
        "attempts": exchange.attempts,
        "unused": exchange.unused,
    }


def rebuild_work(
    stored: StoredExchange, messages: Sequence[ChatMessage], facts: str | None
) -> ChatWork:
    """Return the work from which the question of a stored exchange was written.

    ``messages``: all of the chat. ``facts``: of the stored prompt.
    """
    question = stored.question
    context = ChatContext(
        ZoneInfo(question["zone"]),
        WorkingHours.parse(question["working_hours"]),
        datetime.fromisoformat(question["graded_at"]),
        question["earlier"],
        Listing.from_json(question.get("listing")),
        facts or "",
    )
    window = select_window(messages, question)
    names, masking = tuple(question["names"]), Masking(question["masking"])
    return ChatWork(window, names, masking, context, question["nonce"])


def select_window(
    messages: Sequence[ChatMessage], question: Mapping[str, Any]
) -> tuple[ChatMessage, ...]:
    """Return the messages that a question was about, in its order and with its authors.

    A message that was copied later may be between them, and a message may have turned out to be a
    bot's.
    """
    by_id = {message.id: message for message in messages}
    bots = set(question.get("bots", ()))
    return tuple(
        _with_author(by_id[message_id], is_bot=message_id in bots)
        for message_id in question["messages"]
    )


def _with_author(message: ChatMessage, *, is_bot: bool) -> ChatMessage:
    if message.side not in (Side.COMPANY, Side.BOT):
        return message
    return replace(message, side=Side.BOT if is_bot else Side.COMPANY)
