"""Grade one chat: ask the model, verify its answer, and retry once by the kind of failure."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.clients.deepseek.client import DeepSeekClient
from app.clients.deepseek.errors import DeepSeekAccessError, DeepSeekBlockedError, DeepSeekError
from app.clients.deepseek.prices import cost_usd, most_usd
from app.clients.deepseek.schema import Bill, Completion, Usage
from app.clock import Clock
from app.domain.messages import ChatMessage, Side
from app.domain.outcomes import OutcomeCode
from app.domain.working_hours import WorkingHours
from app.errors import AppError
from app.grading.masking.masker import Masking
from app.grading.prompt import prompt_version, system_message, with_complaint
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict
from app.services.analysis.chat_work import ChatWork, read_verdict, write_question
from app.services.analysis.worker_pool import Allowance, ChatWorkError, WorkerPool

MAX_TOKENS = 1500
_USUAL_CHARACTERS_A_TOKEN = 3
"""The approximate ratio in Russian text and JSON."""
_USUAL_ANSWER_TOKENS = 700
"""The estimate while there are no past answers."""
_PROBE_CHAT = (
    ChatMessage(
        1,
        Side.CLIENT,
        datetime(2026, 1, 1, 9, tzinfo=UTC),
        "Здравствуйте, ещё продаётся?",
        has_text=True,
    ),
    ChatMessage(
        2,
        Side.COMPANY,
        datetime(2026, 1, 1, 9, 5, tzinfo=UTC),
        "Добрый день! Да, приезжайте.",
        has_text=True,
    ),
)


class UngradedError(AppError):
    """No usable answer of the model, or a text that cannot be processed; ``code`` is which of them.

    ``usage`` is what the answers are billed for.
    """

    def __init__(self, message: str, usage: Usage, code: OutcomeCode) -> None:
        super().__init__(message)
        self.usage = usage
        self.code = code


@dataclass(frozen=True)
class Grading:
    """A verdict with its origin and cost. ``cost_usd`` is None for a model without a price."""

    verdict: Verdict
    model: str
    fingerprint: str | None
    prompt_version: str
    usage: Usage
    cost_usd: Decimal | None


class Grader:
    """Grades chats with one model and one rubric; stateless between chats.

    CPU-intensive work runs in the processes of ``pool``.
    """

    def __init__(
        self,
        client: DeepSeekClient,
        pool: WorkerPool,
        rubric: Rubric,
        zone: ZoneInfo,
        clock: Clock,
        *,
        episode_gap: timedelta,
        working_hours: WorkingHours,
        masking: bool,
    ) -> None:
        self.episode_gap = episode_gap
        self.working_hours = working_hours
        self._client = client
        self._pool = pool
        self.rubric = rubric
        self.zone = zone
        self._clock = clock
        self._masking = Masking.ON if masking else Masking.OFF
        self._system = system_message(rubric)
        self._prompt_version = prompt_version(rubric)

    async def grade(
        self,
        window: Sequence[ChatMessage],
        *,
        names: Sequence[str],
        most_usd: Decimal | None = None,
    ) -> Grading:
        """Return the model's verdict on a window. ``names``: people known from the chat, to mask.

        ``most_usd``: send no request that could exceed this cost; None: no limit.

        Raises:
            DeepSeekError: no answer. Its ``usage`` is what the attempts are billed for.
            UngradedError: no usable answer, or the text exceeds the time or memory of one chat.
            WorkersUnavailableError: no process can be started.
        """
        bill, allowance = Bill(most_usd), self._pool.make_allowance()
        try:
            try:
                return await self._ask_twice(
                    self._work(window, names, self._masking), bill, allowance
                )
            except DeepSeekBlockedError:
                if self._masking is Masking.OFF:
                    raise
                # The provider's filter rejects names and numbers more often than the content.
                return await self._ask_twice(
                    self._work(window, names, Masking.STRICT), bill, allowance
                )
        except ChatWorkError as error:
            raise UngradedError(error.message, bill.usage, OutcomeCode.TEXT_UNPROCESSABLE) from None

    async def probe(self) -> Usage:
        """Ask about an invented chat, to distinguish a failure of one chat from an outage.

        Return what it is billed. The answer is cut off after its first words, so this is little.

        Raises:
            DeepSeekError: no answer. Its ``usage`` is what the attempts are billed for.
        """
        question = write_question(self._work(_PROBE_CHAT, (), self._masking))
        return await self._client.probe(system=self._system, user=question)

    def most_usd(self, window: Sequence[ChatMessage]) -> Decimal:
        """Return the highest cost of grading a window; 0 for a model without a price.

        It covers two questions, the second with twice the tokens. Further questions are asked only
        within what these have left.
        """
        characters = len(self._system) + sum(len(message.text) + 60 for message in window)
        return most_usd(
            self._client.model, 2 * characters, 3 * MAX_TOKENS, self._clock(), already=Usage()
        )

    def expected_usage(
        self, window: Sequence[ChatMessage], *, answer_tokens: float | None, first: bool
    ) -> Usage:
        """Estimate the tokens of grading a window.

        The system message is cached for all but the ``first`` one.
        """
        system = len(self._system) // _USUAL_CHARACTERS_A_TOKEN
        chat = sum(len(message.text) + 60 for message in window) // _USUAL_CHARACTERS_A_TOKEN
        return Usage(
            prompt_hit_tokens=0 if first else system,
            prompt_miss_tokens=chat + (system if first else 0),
            completion_tokens=round(answer_tokens or _USUAL_ANSWER_TOKENS),
        )

    def cost_usd(self, usage: Usage) -> Decimal | None:
        """Return the current cost of these tokens; None for a model without a price."""
        return cost_usd(self._client.model, usage, self._clock())

    def _work(
        self, window: Sequence[ChatMessage], names: Sequence[str], masking: Masking
    ) -> ChatWork:
        return ChatWork(tuple(window), tuple(names), masking, self.zone, secrets.token_urlsafe(18))

    async def _ask_twice(self, work: ChatWork, bill: Bill, allowance: Allowance) -> Grading:
        """Ask, and once more with the complaint if the answer is unusable or lacks evidence.

        The second verdict is kept, or the first one if there is no second.
        """
        question = await self._pool.run(write_question, work, allowance=allowance)
        completion, verdict = await self._ask(question, work, bill, allowance)
        complaint = verdict if isinstance(verdict, str) else verdict.complaint
        if complaint:
            try:
                second = await self._ask(with_complaint(question, complaint), work, bill, allowance)
            except DeepSeekAccessError:
                raise
            except DeepSeekError:
                if isinstance(verdict, str):
                    raise
            else:
                if isinstance(verdict, str) or not isinstance(second[1], str):
                    completion, verdict = second
        if isinstance(verdict, str):
            raise UngradedError(
                f"Ответ модели дважды не подошёл. {verdict}",
                bill.usage,
                OutcomeCode.ANSWER_UNUSABLE,
            )
        return Grading(
            verdict,
            completion.model,
            completion.fingerprint,
            self._prompt_version,
            bill.usage,
            self.cost_usd(bill.usage),
        )

    async def _ask(
        self, question: str, work: ChatWork, bill: Bill, allowance: Allowance
    ) -> tuple[Completion, Verdict | str]:
        """Return the model's answer with its verdict, or with the complaint about it."""
        completion = await self._client.complete(
            system=self._system, user=question, max_tokens=MAX_TOKENS, bill=bill
        )
        verdict = await self._pool.run(
            read_verdict, work, completion.text, self.rubric, allowance=allowance
        )
        return completion, verdict
