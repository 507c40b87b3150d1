"""Asks the model about one chat and makes a verdict of its answer, with the second tries that its
kinds of failure deserve.
"""

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
from app.domain.working_hours import WorkingHours
from app.errors import AppError
from app.grading.masking.masker import Masking
from app.grading.prompt import prompt_version, system_message, with_complaint
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict
from app.services.analysis.chat_work import ChatWork, Judgement, judge_answer, write_question
from app.services.analysis.worker_pool import Allowance, ChatWorkError, WorkerPool

MAX_TOKENS = 1500
_USUAL_CHARACTERS_A_TOKEN = 3
"""About what Russian text and JSON have."""
_USUAL_ANSWER_TOKENS = 700
"""Where no answer of the past tells."""
_NOBODYS_CHAT = (
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
    """No usable answer of the model, or a text that cannot be worked on; ``usage`` is what the
    answers are billed for.
    """

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message)
        self.usage = usage


@dataclass(frozen=True)
class Grading:
    """A verdict and what it took. ``cost_usd`` is None for a model without a known price."""

    verdict: Verdict
    model: str
    fingerprint: str | None
    prompt_version: str
    usage: Usage
    cost_usd: Decimal | None


class Grader:
    """One model, one rubric. Keeps nothing between chats; what is costly is done in ``pool``'s
    processes.
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
        self._rubric = rubric
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
        """The model's verdict on a window that can be graded; ``names`` are people known from the
        chat, to be masked.

        ``most_usd``: no request is sent that might make it cost more; None: it may cost any sum.

        Raises:
            DeepSeekError: no answer; its ``usage`` is what the attempts are billed for.
            UngradedError: answers, but none that can be used; or the text takes more time or memory
              than one chat may.
            WorkersUnavailableError: no process can be started.
        """
        bill, allowance = Bill(most_usd), self._pool.allowance()
        try:
            try:
                return await self._ask_twice(
                    self._work(window, names, self._masking), bill, allowance
                )
            except DeepSeekBlockedError:
                if self._masking is Masking.OFF:
                    raise
                # The provider's filter takes offence at names and numbers more often than at what
                # is said.
                return await self._ask_twice(
                    self._work(window, names, Masking.STRICT), bill, allowance
                )
        except ChatWorkError as error:
            raise UngradedError(error.message, bill.usage) from None

    async def probe(self) -> Usage:
        """Asks about a chat that is nobody's in the way in which every chat is asked about: whether
        a failure is a chat's own.

        Returns what it is billed for, which is next to nothing: the answer is cut off after its
        first words.

        Raises:
            DeepSeekError: no answer; its ``usage`` is what the attempts are billed for.
        """
        question = write_question(self._work(_NOBODYS_CHAT, (), self._masking))
        return await self._client.probe(system=self._system, user=question)

    def most_usd(self, window: Sequence[ChatMessage]) -> Decimal:
        """The most that grading the window can cost, 0 for a model without a known price: two
        questions, the second with twice the tokens. Whatever else may be asked is asked for what
        the former have left of it.
        """
        characters = len(self._system) + sum(len(message.text) + 60 for message in window)
        return most_usd(
            self._client.model, 2 * characters, 3 * MAX_TOKENS, self._clock(), already=Usage()
        )

    def expected_usage(
        self, window: Sequence[ChatMessage], *, answer_tokens: float | None, first: bool
    ) -> Usage:
        """The tokens that grading the window may well take; the system message comes from the cache
        for all but the ``first``.
        """
        system = len(self._system) // _USUAL_CHARACTERS_A_TOKEN
        chat = sum(len(message.text) + 60 for message in window) // _USUAL_CHARACTERS_A_TOKEN
        return Usage(
            prompt_hit_tokens=0 if first else system,
            prompt_miss_tokens=chat + (system if first else 0),
            completion_tokens=round(answer_tokens or _USUAL_ANSWER_TOKENS),
        )

    def cost_usd(self, usage: Usage) -> Decimal | None:
        """What these tokens cost now."""
        return cost_usd(self._client.model, usage, self._clock())

    def _work(
        self, window: Sequence[ChatMessage], names: Sequence[str], masking: Masking
    ) -> ChatWork:
        return ChatWork(tuple(window), tuple(names), masking, self.zone, secrets.token_urlsafe(18))

    async def _ask_twice(self, work: ChatWork, bill: Bill, allowance: Allowance) -> Grading:
        """Asks; where the answer cannot be used, or lacks evidence, once more with what was wrong.
        The better of the two stays.
        """
        question = await self._pool.run(write_question, work, allowance=allowance)
        answered = await self._ask(question, bill)
        judgement = await self._judge(answered, work, allowance)
        verdict, complaint = judgement.verdict, judgement.complaint
        if complaint:
            try:
                second = await self._ask(with_complaint(question, complaint), bill)
            except DeepSeekAccessError:
                raise
            except DeepSeekError:
                if verdict is None:
                    raise
            else:
                better = await self._judge(second, work, allowance)
                complaint = better.complaint
                verdict, answered = (
                    (better.verdict, second) if better.verdict else (verdict, answered)
                )
        if verdict is None:
            raise UngradedError(f"Ответ модели дважды не подошёл. {complaint}", bill.usage)
        return Grading(
            verdict,
            answered.model,
            answered.fingerprint,
            self._prompt_version,
            bill.usage,
            self.cost_usd(bill.usage),
        )

    async def _ask(self, question: str, bill: Bill) -> Completion:
        return await self._client.complete(
            system=self._system, user=question, max_tokens=MAX_TOKENS, bill=bill
        )

    async def _judge(
        self, completion: Completion, work: ChatWork, allowance: Allowance
    ) -> Judgement:
        return await self._pool.run(
            judge_answer, work, completion.text, self._rubric, allowance=allowance
        )
