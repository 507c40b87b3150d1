"""Billed gradings that are not written to the database yet.

The process keeps them in memory across its runs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import structlog

from app.database.engine import Database
from app.domain.messages import ChatMessage
from app.domain.outcomes import Cause, Outcome
from app.errors import DatabaseUnavailableError
from app.repositories import run_leases, runs
from app.services.analysis.exchange import Exchange
from app.services.analysis.grader import Grading
from app.services.analysis.transcript import Transcript
from app.services.run_params import RunParams
from app.services.runs import RunContext

log = structlog.get_logger(__name__)

T = TypeVar("T")

_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Finding:
    """The outcome of one chat.

    A graded chat has its grading and the graded window. Any other chat has its cause, and a failed
    one what the model answered.
    """

    transcript: Transcript
    outcome: Outcome
    cause: Cause | None = None
    grading: Grading | None = None
    graded: Sequence[ChatMessage] = ()
    failed_exchanges: tuple[Exchange, ...] = ()

    @property
    def chat_id(self) -> int:
        """The row id of the chat."""
        return self.transcript.chat.id

    @property
    def cost_usd(self) -> Decimal:
        """US dollars that the grading has cost; 0 without a known price."""
        return (self.grading and self.grading.cost_usd) or Decimal(0)


class PaidWork:
    """Gradings that are not written yet, and costs without a grading that are not booked yet.

    If the database fails while a run writes, the next run of this process writes the same gradings
    instead of paying again. The daily budget counts both until they are in the database. A killed
    process loses them.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, Finding]] = {}
        self._lost: dict[int, Decimal] = {}
        self._booking = asyncio.Lock()

    @property
    def unbooked_usd(self) -> Decimal:
        """US dollars that were billed and are not in the database."""
        return sum(
            (found.cost_usd for _, found in self._kept.values()),
            sum(self._lost.values(), Decimal(0)),
        )

    def keep(self, run_id: int, finding: Finding) -> None:
        """Keep the grading of a chat until it is written."""
        if finding.grading is not None:
            self._kept[finding.chat_id] = run_id, finding

    def forget(self, chat_id: int) -> None:
        """Remove a grading that is written."""
        self._kept.pop(chat_id, None)

    def drop(self, chat_id: int) -> None:
        """Remove a grading that cannot be used any more, and note its cost as lost."""
        if chat_id in self._kept:
            run_id, finding = self._kept.pop(chat_id)
            self.lose(run_id, finding.cost_usd)

    def drop_before(self, run_id: int) -> None:
        """Drop the gradings of earlier runs; their chats are not due any more."""
        for chat_id in [
            chat_id for chat_id, (paid_by, _) in self._kept.items() if paid_by < run_id
        ]:
            self.drop(chat_id)

    def find(self, transcript: Transcript, graded: Sequence[ChatMessage]) -> Grading | None:
        """Return the grading kept for exactly these messages; drop one of other messages."""
        chat_id = transcript.chat.id
        if chat_id not in self._kept:
            return None
        _, kept = self._kept[chat_id]
        if (tuple(kept.graded), kept.transcript) == (tuple(graded), transcript):
            return kept.grading
        self.drop(chat_id)
        return None

    def lose(self, run_id: int, usd: Decimal) -> None:
        """Note the cost of a run's requests that gave no grading."""
        if usd:
            self._lost[run_id] = self._lost.get(run_id, Decimal(0)) + usd

    async def book(self, database: Database) -> None:
        """Write the noted costs to their runs; keep them if the database is unavailable."""
        try:
            async with self._booking:
                for run_id, usd in list(self._lost.items()):
                    async with database.transaction() as session:
                        await runs.add_lost_cost(session, run_id, usd)
                    self._lost[run_id] -= usd
                    if not self._lost[run_id]:
                        del self._lost[run_id]
        except DatabaseUnavailableError as error:
            log.warning("analyze.loss_not_booked", error=error.message)


async def write_patiently(run: RunContext[RunParams], write: Callable[[], Awaitable[T]]) -> T:
    """Call ``write``; retry while the database fails, for at most the duration of a lease.

    Raises:
        DatabaseUnavailableError: the last try failed.
    """
    for _ in range(int(run_leases.LEASE_SECONDS / _RETRY_SECONDS)):
        try:
            return await write()
        except DatabaseUnavailableError as error:
            log.warning("analyze.not_written", run=run.id, error=error.message)
            await asyncio.sleep(_RETRY_SECONDS)
    return await write()
