"""Write the outcomes and reports of a grading run in a separate task.

Grading therefore does not wait for the disk.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog

from app.clock import Clock
from app.database.engine import Database
from app.domain.episode import latest_episode
from app.domain.messages import find_first_client_at
from app.domain.outcomes import Outcome
from app.domain.substitutes import is_bot_first
from app.domain.waiting import answer_times
from app.errors import DatabaseUnavailableError
from app.models import ExchangePurpose
from app.repositories import due_chats, model_exchanges, reports
from app.repositories.due_chats import ChatOutcome
from app.services.analysis.exchange import make_exchange_rows
from app.services.analysis.grader import Grader, Grading
from app.services.analysis.paid_work import Finding, PaidWork, write_patiently
from app.services.analysis.part import GradingPart
from app.services.analysis.report_body import make_report_columns
from app.services.run_params import RunParams
from app.services.runs import RunContext

log = structlog.get_logger(__name__)

BATCH = 50
"""Chats written in one transaction at most."""
_GATHER_SECONDS = 0.25
"""Shortest time between the beginnings of two transactions. They cost more than their rows."""


class OutcomeWriter:
    """Queue of findings and the loop that writes them in batches.

    A killed process loses the findings that were not written; their chats are still due. While the
    database fails, the same findings are retried, and ``wait_writable`` delays new gradings.
    """

    def __init__(
        self,
        database: Database,
        grader: Grader,
        clock: Clock,
        run: RunContext[RunParams],
        paid: PaidWork,
        part: GradingPart,
    ) -> None:
        self._database = database
        self._grader = grader
        self._clock = clock
        self._run = run
        self._found: asyncio.Queue[Finding | None] = asyncio.Queue(maxsize=BATCH)
        self._lost = 0
        self._paid = paid
        self._part = part
        self._writable = asyncio.Event()
        self._writable.set()

    async def wait_writable(self) -> None:
        """Wait while the database fails."""
        await self._writable.wait()

    async def add(self, finding: Finding) -> None:
        """Queue a finding; wait while the queue is full."""
        self._paid.keep(self._run.id, finding)
        await self._found.put(finding)

    async def end(self) -> None:
        """Mark the end of the queue."""
        await self._found.put(None)

    async def write_all(self) -> None:
        """Write findings until the end of the queue."""
        last, begun_at = False, -math.inf
        while not last:
            findings, last = await self._gather(begun_at + _GATHER_SECONDS)
            begun_at = time.monotonic()
            if findings:
                await self._write(findings)

    async def _gather(self, until: float) -> tuple[list[Finding], bool]:
        """Return the next findings, and whether they are the last.

        Wait until the monotonic time ``until`` for more of them, unless the process is stopping.
        """
        found = await self._found.get()
        findings = list[Finding]()
        while found is not None:
            findings.append(found)
            left = 0 if self._run.stopping.is_set() else until - time.monotonic()
            if len(findings) == BATCH or (self._found.empty() and left <= 0):
                return findings, False
            try:
                async with asyncio.timeout(max(left, 0)):
                    found = await self._found.get()
            except TimeoutError:
                return findings, False
        return findings, True

    async def _write(self, findings: Sequence[Finding]) -> None:
        numbers = await write_patiently(self._run, partial(self._store_or_pause, findings))
        for found in findings:
            if found.chat_id in numbers:
                self._paid.forget(found.chat_id)
                self._part.written[found.outcome] += 1
            else:  # another process has claimed the chat
                self._lost += 1
                self._paid.drop(found.chat_id)
                log.warning("analyze.lease_lost", chat=found.chat_id, run=self._run.id)
        self.update_progress()

    async def _store_or_pause(self, findings: Sequence[Finding]) -> dict[int, int]:
        try:
            numbers = await self._store(findings)
        except DatabaseUnavailableError:
            self._writable.clear()
            raise
        self._writable.set()
        return numbers

    async def _store(self, findings: Sequence[Finding]) -> dict[int, int]:
        """Write the findings; return the report numbers by chat."""
        outcomes = [
            ChatOutcome(found.chat_id, found.outcome, found.cause, found.transcript.last_person_id)
            for found in findings
        ]
        async with self._database.transaction() as session:
            numbers = await due_chats.store_outcomes(
                session, outcomes, self._run.token, run_id=self._run.id, now=self._clock()
            )
            rows = [
                self._make_columns(numbers[found.chat_id], found, found.grading)
                for found in findings
                if found.grading and found.chat_id in numbers
            ]
            await reports.add_reports(session, rows)
            exchanges = [
                row
                for found in findings
                if found.chat_id in numbers
                for row in _list_exchanges(found, numbers[found.chat_id], self._run.id)
            ]
            await model_exchanges.add_exchanges(session, exchanges)
        return numbers

    def _make_columns(self, number: int, found: Finding, grading: Grading) -> dict[str, Any]:
        """Return the report's columns.

        Answer times and the buyer's first message are of the whole episode. The window may be only
        its last part.
        """
        now = self._clock().astimezone(self._grader.zone)
        episode = latest_episode(found.transcript.messages, self._grader.episode_gap)
        times = answer_times(episode, self._grader.working_hours, self._grader.zone, now)
        return make_report_columns(
            number,
            found.transcript,
            found.graded,
            grading,
            times,
            first_client_at=find_first_client_at(episode),
            bot_first=is_bot_first(episode),
            run_id=self._run.id,
            now=now,
        )

    def update_progress(self) -> None:
        """Update the progress of the run: what this process and its helpers have written."""
        progress, written = self._run.progress, self._part.written + self._part.helped
        progress.done = written.total() + self._lost
        progress.figures = {
            "analyzed_chats": written[Outcome.GRADED],
            "skipped_chats": written[Outcome.SKIPPED],
            "failed_chats": written[Outcome.FAILED],
            "waiting_chats": max((progress.total or 0) - progress.done, 0),
        }


def _list_exchanges(found: Finding, number: int, run_id: int) -> list[dict[str, Any]]:
    """Return the rows of what the model was asked about one chat."""
    grading = found.grading
    if grading is None:
        return make_exchange_rows(
            found.failed_exchanges, chat_id=found.chat_id, run_id=run_id, report_id=None
        )
    make_rows = partial(make_exchange_rows, chat_id=found.chat_id, run_id=run_id, report_id=number)
    repeat = grading.repeat.exchanges if grading.repeat else ()
    return [
        *make_rows(grading.exchanges),
        *make_rows(repeat, purpose=ExchangePurpose.REPEAT),
    ]
