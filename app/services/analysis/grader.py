"""Grade one chat: ask the model, verify its answer, and retry once by the kind of failure."""

import pickle
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from app.clients.deepseek.client import DeepSeekClient
from app.clients.deepseek.errors import DeepSeekAccessError, DeepSeekBlockedError, DeepSeekError
from app.clients.deepseek.prices import cost_usd, most_usd
from app.clients.deepseek.schema import Bill, Completion, Usage
from app.clock import Clock
from app.database.engine import Database
from app.domain.listing import Listing
from app.domain.messages import ChatMessage
from app.domain.outcomes import OutcomeCode
from app.domain.timeliness import GRADING_HOURS
from app.domain.working_hours import ROUND_THE_CLOCK, WorkingHours
from app.errors import AppError
from app.grading.masking.masker import Masking
from app.grading.prompt import ChatContext, prompt_version, system_message, with_complaint
from app.grading.rubric import Rubric
from app.grading.verdict import Verdict
from app.repositories import prompts
from app.services.analysis.chat_work import ChatWork, Question, read_verdict, write_question
from app.services.analysis.exchange import Exchange, ExchangeLog, Unused
from app.services.analysis.probe_chat import PROBE_CHAT
from app.services.analysis.request_shares import RequestShares
from app.services.analysis.worker_pool import Allowance, ChatWorkError, WorkerPool

MAX_TOKENS = 1500
_MOST_LISTING_CHARACTERS = 2_000
"""The listing in the question: nine texts of at most 200 characters."""


class UngradedError(AppError):
    """No usable answer of the model, or a text that cannot be processed; ``code`` is which of them.

    ``usage`` is what the answers are billed for. ``exchanges``: the questions and answers.
    """

    def __init__(
        self,
        message: str,
        usage: Usage,
        code: OutcomeCode,
        exchanges: Sequence[Exchange] = (),
    ) -> None:
        super().__init__(message)
        self.usage = usage
        self.code = code
        self.exchanges = tuple(exchanges)


@dataclass(frozen=True)
class Grading:
    """A verdict with its origin and cost.

    ``usage``, ``cost_usd``: of all questions, also those of the repeat; the cost is None for a
    model without a price. ``listing``: as the model saw it. ``repeat``: a second grading of the
    same chat.
    """

    verdict: Verdict
    model: str
    fingerprint: str | None
    prompt_version: str
    usage: Usage
    cost_usd: Decimal | None
    exchanges: tuple[Exchange, ...]
    listing: Listing | None
    repeat: "Grading | None" = None

    def with_repeat(self, second: "Grading") -> "Grading":
        """Return this grading with a second one and the cost of both."""
        costs = (self.cost_usd, second.cost_usd)
        return replace(
            self,
            usage=self.usage + second.usage,
            cost_usd=None if None in costs else sum(filter(None, costs), Decimal(0)),
            repeat=second,
        )


class Grader:
    """Grades chats with one model and one rubric; stateless between chats.

    CPU-intensive work runs in the processes of ``pool``.
    """

    def __init__(
        self,
        client: DeepSeekClient,
        pool: WorkerPool,
        rubric: Rubric,
        facts: str,
        zone: ZoneInfo,
        clock: Clock,
        *,
        episode_gap: timedelta,
        working_hours: WorkingHours | None,
        masking: bool,
        steadiness_share: float,
    ) -> None:
        """``facts``: what the company states about itself, part of the system message.

        ``working_hours``: None: round the clock for figures, GRADING_HOURS for late answers.

        ``steadiness_share``: the share of chats that is graded twice, 0 to 1.
        """
        self.episode_gap = episode_gap
        self.steadiness_share = steadiness_share
        self.working_hours = working_hours or ROUND_THE_CLOCK
        self._grading_hours = working_hours or GRADING_HOURS
        self._client = client
        self.requests = RequestShares(client.limiter)
        self.pool = pool
        self.rubric = rubric
        self._pickled_rubric = pickle.dumps(rubric)
        self.facts = facts
        self.zone = zone
        self._clock = clock
        self._masking = Masking.ON if masking else Masking.OFF
        self.system = system_message(rubric, facts)
        self.prompt_version = prompt_version(rubric, facts)

    async def grade(
        self,
        window: Sequence[ChatMessage],
        *,
        names: Sequence[str],
        earlier: int,
        graded_at: datetime,
        listing: Listing | None = None,
        most_usd: Decimal | None = None,
    ) -> Grading:
        """Return the model's verdict on a window. ``names``: people known from the chat, to mask.

        ``earlier``: messages of the episode before the window. ``graded_at``: the moment at which
        the chat is judged. ``listing``: what the chat is about. ``most_usd``: send no request that
        could exceed this cost; None: no limit.

        Raises:
            DeepSeekError: no answer. Its ``usage`` is what the attempts are billed for.
            UngradedError: no usable answer, or the text exceeds the time or memory of one chat.
            WorkersUnavailableError: no process can be started.
        """
        context = self.make_context(graded_at, earlier=earlier, listing=listing)
        work = self._work(window, names, context)
        bill, log = Bill(most_usd), ExchangeLog(self.prompt_version, self._clock)
        try:
            return await self._ask_masked(work, bill, log)
        except DeepSeekError as error:
            error.exchanges = log.exchanges
            raise
        except ChatWorkError as error:
            raise UngradedError(
                error.message, bill.usage, OutcomeCode.TEXT_UNPROCESSABLE, log.exchanges
            ) from None

    async def probe(self) -> Usage:
        """Ask about an invented chat, to distinguish a failure of one chat from an outage.

        Return what it is billed. The answer is cut off after its first words, so this is little.

        Raises:
            DeepSeekError: no answer. Its ``usage`` is what the attempts are billed for.
        """
        question = write_question(self._work(PROBE_CHAT, (), self.make_context(self._clock())))
        return await self._client.probe(system=self.system, user=question.text)

    def most_usd(self, window: Sequence[ChatMessage]) -> Decimal:
        """Return the highest cost of grading a window; 0 for a model without a price.

        It covers two questions, the second with twice the tokens. Further questions are asked only
        within what these have left.
        """
        chat = sum(len(message.text) + 60 for message in window)
        characters = len(self.system) + _MOST_LISTING_CHARACTERS + chat
        return most_usd(
            self._client.model, 2 * characters, 3 * MAX_TOKENS, self._clock(), already=Usage()
        )

    def make_context(
        self, graded_at: datetime, *, earlier: int = 0, listing: Listing | None = None
    ) -> ChatContext:
        """Return the context of a window for the model and the checks."""
        return ChatContext(self.zone, self._grading_hours, graded_at, earlier, listing, self.facts)

    def cost_usd(self, usage: Usage) -> Decimal | None:
        """Return the current cost of these tokens; None for a model without a price."""
        return cost_usd(self._client.model, usage, self._clock())

    def _work(
        self, window: Sequence[ChatMessage], names: Sequence[str], context: ChatContext
    ) -> ChatWork:
        nonce = secrets.token_urlsafe(18)
        return ChatWork(tuple(window), tuple(names), self._masking, context, nonce)

    async def _ask_masked(self, work: ChatWork, bill: Bill, log: ExchangeLog) -> Grading:
        """Ask with the usual masking, and with strict masking if the provider blocks the text."""
        allowance = self.pool.make_allowance()
        try:
            return await self._ask_twice(work, bill, log, allowance)
        except DeepSeekBlockedError:
            if self._masking is Masking.OFF:
                raise
            # The provider's filter rejects names and numbers more often than the content.
            log.set_aside()
            strict = replace(work, masking=Masking.STRICT)
            return await self._ask_twice(strict, bill, log, allowance)

    async def _ask_twice(
        self, work: ChatWork, bill: Bill, log: ExchangeLog, allowance: Allowance
    ) -> Grading:
        """Ask, and once more with the complaint if the answer is unusable or lacks evidence."""
        question = await self.pool.run(write_question, work, allowance=allowance)
        completion = await self._ask(work, question, None, bill, log)
        verdict = await self._read(question, log, allowance)
        complaint = verdict if isinstance(verdict, str) else verdict.complaint
        if complaint:
            try:
                second = await self._ask(work, question, complaint, bill, log)
            except DeepSeekAccessError:
                raise
            except DeepSeekError:
                if isinstance(verdict, str):
                    raise
            else:
                completion = second if isinstance(verdict, str) else completion
                verdict = await self._read(question, log, allowance)
        if isinstance(verdict, str):
            raise UngradedError(
                f"Ответ модели дважды не подошёл. {verdict}",
                bill.usage,
                OutcomeCode.ANSWER_UNUSABLE,
                log.exchanges,
            )
        return Grading(
            verdict,
            completion.model,
            completion.fingerprint,
            self.prompt_version,
            bill.usage,
            self.cost_usd(bill.usage),
            log.exchanges,
            work.context.listing,
        )

    async def _ask(
        self,
        work: ChatWork,
        question: Question,
        complaint: str | None,
        bill: Bill,
        log: ExchangeLog,
    ) -> Completion:
        completion = await self._client.complete(
            system=self.system,
            user=with_complaint(question.text, complaint) if complaint else question.text,
            max_tokens=MAX_TOKENS,
            bill=bill,
            on_truncated=partial(log.add, work, complaint, unused=Unused.TRUNCATED),
        )
        log.add(work, complaint, completion)
        return completion

    async def _read(
        self, question: Question, log: ExchangeLog, allowance: Allowance
    ) -> Verdict | str:
        """Return the verdict in the answers, or the complaint about them."""
        return await self.pool.run(
            read_verdict, question.state, log.answers, self._pickled_rubric, allowance=allowance
        )


async def keep_prompt(database: Database, grader: Grader, now: datetime) -> None:
    """Store the grader's prompt and rubric, which its reports name by version."""
    rubric = grader.rubric.model_dump(mode="json")
    async with database.transaction() as session:
        await prompts.add_prompt(
            session, grader.prompt_version, grader.system, rubric, grader.facts, now
        )
