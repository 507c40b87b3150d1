"""The day: sync, then grading, then the mail. The only place that knows their order.

Each step is a run of its own, a child of the day's, so that whatever dies is taken up where it stood: a child that has ended is not
asked for again. Failed steps are repeated with growing pauses until the deadline; then the mail goes and says what is missing.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from app.clock import Clock
from app.database.engine import Database
from app.models import Run, RunKind, RunState
from app.repositories import runs
from app.services.runs import RunContext, StepResult, submit, wait

log = structlog.get_logger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
_GRADING_GRACE = timedelta(minutes=5)
"""Grading stops by itself at the deadline; this long it may take to finish the chats under way."""

_TITLES = {RunKind.SYNC: "Синхронизация", RunKind.ANALYZE: "Анализ", RunKind.MAIL: "Письмо"}


@dataclass(frozen=True)
class DayPlan:
    """The settings of the day. ``grade_within``: older chats are left to a call by a person."""

    deadline: timedelta
    grade_within: timedelta


async def run_day(database: Database, plan: DayPlan, clock: Clock, wake: Callable[[], None], run: RunContext) -> StepResult:
    """Carries the day ``run.slot`` out. ``wake`` tells the worker that a child waits for it."""
    day = _Day(database, plan, clock, wake, run)
    problems = await day.sync_and_grade()
    covered = [*await day.merged_days(), run.slot or ""]
    params = {"date": run.slot, "daily": True, "problems": problems, "covered_days": covered}
    mail = await day.step(RunKind.MAIL, 1, params, until=None)
    figures = {**run.progress.figures, **mail.figures}
    message = " ".join(part for part in (*problems, mail.message) if part)
    return StepResult(ok=not problems and mail.state == RunState.DONE, message=message, figures=figures)


class _Day:
    """One day's run under way."""

    def __init__(self, database: Database, plan: DayPlan, clock: Clock, wake: Callable[[], None], run: RunContext) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._run = run
        self._plan = plan
        self._deadline = run.started_at + plan.deadline
        run.progress.total = len(_TITLES)

    async def sync_and_grade(self) -> list[str]:
        """Both steps, repeated while one fails and the deadline is not near; what is still wrong after that, in Russian."""
        scope = {"deadline": self._deadline.isoformat(), "written_since": (await self._written_since()).isoformat()}
        attempt, pause = 1, _FIRST_PAUSE
        while True:
            sync = await self.step(RunKind.SYNC, attempt, {}, until=self._deadline)
            self._run.progress.done = 1
            grading = await self.step(RunKind.ANALYZE, attempt, scope, until=self._deadline + _GRADING_GRACE)
            self._run.progress.done = 2
            self._run.progress.figures.update({**grading.figures, **sync.figures})
            problems = [_problem(step) for step in (sync, grading) if step.state != RunState.DONE]
            if not problems or self._clock() + pause >= self._deadline:
                return problems
            log.warning("daily.step_failed", run=self._run.id, attempt=attempt, pause_seconds=pause.total_seconds())
            await asyncio.sleep(pause.total_seconds())
            attempt, pause = attempt + 1, min(pause * 2, _LONGEST_PAUSE)

    async def step(self, kind: RunKind, attempt: int, params: Mapping[str, Any], *, until: datetime | None) -> Run:
        """Asks for one step and waits for its end, at the longest ``until`` then; a step already asked for is that step."""
        slot = f"{self._run.slot} #{attempt}"
        run_id = await submit(self._database, kind, self._clock, params=params, slot=slot, parent_id=self._run.id)
        self._wake()
        seconds = None if until is None else max((until - self._clock()).total_seconds(), 1.0)
        try:
            async with asyncio.timeout(seconds):
                return await wait(self._database, run_id)
        except TimeoutError:
            async with self._database.session() as session:
                return await session.get_one(Run, run_id)

    async def merged_days(self) -> list[str]:
        """The missed days that this one makes up for."""
        async with self._database.session() as session:
            return await runs.list_merged(session, self._run.id)

    async def _written_since(self) -> datetime:
        """What the day grades goes back by the setting, or to the last day that was finished if that is longer ago."""
        usual = self._run.started_at - self._plan.grade_within
        async with self._database.session() as session:
            last = await runs.last_finished_daily(session)
        return min(usual, last) if last else usual


def _problem(step: Run) -> str:
    """What the mail says in red: why, without the step's counts, which are of other chats than the mail's."""
    title = _TITLES[RunKind(step.kind)]
    if step.state in (RunState.QUEUED, RunState.RUNNING):
        return f"{title}: к сроку не закончено, сделанное сохранено."
    return f"{title}: {' '.join(step.figures.get('problems', ())) or step.message or 'не выполнено.'}"
