"""Outcomes of the latest attempt to grade a chat."""

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """Outcome of a chat. Every chat of a mail has exactly one of the four.

    - ``graded``: it has a report.
    - ``skipped``: there is nothing to grade, for example no answer of the company.
    - ``failed``: the model gave no usable answer about this chat.
    - ``waiting``: a grading stopped before it, or the conversation is still going on; a later
      grading grades it.
    """

    GRADED = "graded"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"


MAX_FAILURES = 4
"""Attempts to grade a chat that fails: the first one and three retries by later runs.

After them only a run with ``force`` tries again.
"""


class OutcomeCode(StrEnum):
    """Why a chat has no report. Stored in ``chats.outcome_code``."""

    # skipped
    NO_CLIENT_MESSAGE = "no_client_message"
    NO_COMPANY_ANSWER = "no_company_answer"
    ONLY_BOT_ANSWERED = "only_bot_answered"
    """Only an automatic reply of the company has answered the buyer."""
    ONLY_ASSISTANT_ANSWERED = "only_assistant_answered"
    """Only Avito's own assistant has answered the buyer."""
    NO_TEXT = "no_text"
    COMPANY_IS_BUYER = "company_is_buyer"
    """The listing belongs to another account: the company wrote as a buyer."""
    NOTHING_WRITTEN = "nothing_written"
    """A lead without a message: the buyer has opened the chat, and nobody has written."""
    # failed
    MODEL_REFUSED = "model_refused"
    """The provider's filter rejected the text."""
    TEXT_TOO_LONG = "text_too_long"
    """The chat exceeds the model's context."""
    TEXT_TOO_COSTLY = "text_too_costly"
    """One more request might cost more than may be spent on one chat."""
    TEXT_UNPROCESSABLE = "text_unprocessable"
    """Masking or checking the text exceeds the limits of processor time or memory, or failed."""
    REQUEST_REFUSED = "request_refused"
    """The model's API rejected the request (another 4xx)."""
    ANSWER_UNUSABLE = "answer_unusable"
    """The model answered, and no answer could be used."""
    # failed, or waiting if every chat was affected
    MODEL_UNAVAILABLE = "model_unavailable"
    """An outage, a timeout or a rate limit."""
    # waiting
    ACCESS_REFUSED = "access_refused"
    """The model's API rejects every request: key, balance, model name or address."""
    WORKERS_UNAVAILABLE = "workers_unavailable"
    """No worker process could be started."""
    BUDGET_SPENT = "budget_spent"
    DEADLINE_PASSED = "deadline_passed"
    SETTLING = "settling"
    """The buyer wrote last, less than SETTLE_MINUTES ago."""

    @property
    def label(self) -> str:
        """The cause in Russian, for chats without a detail."""
        return _LABELS[self]


_LABELS = {
    OutcomeCode.NO_CLIENT_MESSAGE: "нет сообщений клиента",
    OutcomeCode.NO_COMPANY_ANSWER: "нет ответа компании",
    OutcomeCode.ONLY_BOT_ANSWERED: "ответил только автоответчик",
    OutcomeCode.ONLY_ASSISTANT_ANSWERED: "ответил только ассистент Авито",
    OutcomeCode.NO_TEXT: "нет текста",
    OutcomeCode.COMPANY_IS_BUYER: "компания здесь покупатель",
    OutcomeCode.NOTHING_WRITTEN: "клиент создал чат, но ничего не написал",
    OutcomeCode.MODEL_REFUSED: "фильтр модели не пропустил текст чата",
    OutcomeCode.TEXT_TOO_LONG: "чат не уместился в контекст модели",
    OutcomeCode.TEXT_TOO_COSTLY: "оценка чата обошлась бы слишком дорого",
    OutcomeCode.TEXT_UNPROCESSABLE: "текст чата не обработать",
    OutcomeCode.REQUEST_REFUSED: "модель не приняла запрос",
    OutcomeCode.ANSWER_UNUSABLE: "ответ модели не подошёл",
    OutcomeCode.MODEL_UNAVAILABLE: "модель недоступна",
    OutcomeCode.ACCESS_REFUSED: "нет доступа к модели",
    OutcomeCode.WORKERS_UNAVAILABLE: "рабочие процессы не запустить",
    OutcomeCode.BUDGET_SPENT: "дневной бюджет израсходован",
    OutcomeCode.DEADLINE_PASSED: "срок дня вышел",
    OutcomeCode.SETTLING: "разговор ещё идёт",
}


class Cause(NamedTuple):
    """Why a chat has no report, or why grading stopped. ``detail``: Russian text for a person."""

    code: OutcomeCode
    detail: str | None = None

    @property
    def text(self) -> str:
        """The cause in Russian."""
        return self.detail or self.code.label


def describe_cause(code: str | None, detail: str | None) -> str | None:
    """Return the Russian text of a stored cause; None if none is stored.

    An early release has stored only a detail. The release after may store a code that this release
    does not have.
    """
    try:
        return Cause(OutcomeCode(code), detail).text if code else detail
    except ValueError:
        return detail or code
