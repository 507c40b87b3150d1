"""The day: sync, then grading, then the mail. The only place that knows their order.

Each step is a run of its own, a child of the day's, so that whatever dies is taken up where it
stood: a child that has ended is not asked for again. Failed steps are repeated with growing pauses
until the deadline; then the mail goes and says what is missing. The mail itself is repeated until a
mail covers the date; recipients whom it has not reached are the business of its deliveries.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from app.clock import Clock, Deadline, Monotonic, local_date
from app.database.engine import Database
from app.models import Run, RunKind, RunState
from app.repositories import covered_dates, runs
from app.services.runs import RunContext, StepResult, submit, wait

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = timedelta(minutes=10)
_GRADING_GRACE = timedelta(minutes=5)
"""Grading stops by itself at the deadline; this long it may take to finish the chats under way."""

_LONGEST_MAIL = timedelta(minutes=30)
"""How long a mail that cannot be built is repeated where the other steps have used up the time
until the deadline.
"""
_CLOCK_WAS_AHEAD = (
    "Часы службы спешили, когда этот запуск был поставлен: его дата ещё не наступила. Сделанное"
    " сохранено, письмо не отправлялось."
)

_TITLES = {RunKind.SYNC: "Синхронизация", RunKind.ANALYZE: "Анализ", RunKind.MAIL: "Письмо"}


@dataclass(frozen=True)
class DayPlan:
    """The settings of the day. ``grade_within``: older chats are left to a call by a person.
    ``first_pause``: after the first failure.
    """

    deadline: timedelta
    grade_within: timedelta
    first_pause: timedelta = timedelta(seconds=30)


async def run_day(
    database: Database,
    plan: DayPlan,
    zone: ZoneInfo,
    clock: Clock,
    wake: Callable[[], None],
    run: RunContext,
    *,
    monotonic: Monotonic = time.monotonic,
) -> StepResult:
    """Carry out the daily run of the date ``run.slot``. ``wake`` tells the worker that a child
    waits for it.
    """
    deadline = Deadline(plan.deadline, since=run.started_at, clock=clock, monotonic=monotonic)
    day = _Day(database, plan, zone, clock, wake, run, deadline)
    run.progress.total = len(_TITLES)
    problems, ok = await day.sync_and_grade()
    if day.is_to_come:
        return StepResult(ok=False, message=_CLOCK_WAS_AHEAD, figures=run.progress.figures)
    mail = await day.mail(problems)
    figures = {**run.progress.figures, **mail.figures}
    message = " ".join(part for part in (*problems, mail.message) if part)
    return StepResult(ok=ok and mail.state == RunState.DONE, message=message, figures=figures)


@dataclass(frozen=True)
class _Day:
    """One day's run under way."""

    database: Database
    plan: DayPlan
    zone: ZoneInfo
    clock: Clock
    wake: Callable[[], None]
    run: RunContext
    deadline: Deadline

    @property
    def day(self) -> date:
        """The date whose mail the run sends."""
        return date.fromisoformat(self.run.slot or "")

    async def sync_and_grade(self) -> tuple[list[str], bool]:
        """Both steps, repeated while one fails and the deadline is not near.

        Returns what is missing after that, in Russian, and whether neither step has failed: a
        grading that has reached the budget has not.
        """
        written_since = (await self._written_since()).isoformat()
        attempt, pause, failures = 1, self.plan.first_pause, dict[str, str]()
        while True:
            sync = await self.step(RunKind.SYNC, attempt, {}, seconds=self.deadline.seconds_left)
            self.run.progress.done = 1
            ends_at = self.clock() + timedelta(seconds=self.deadline.seconds_left)
            scope = {"deadline": ends_at.isoformat(), "written_since": written_since}
            grading = await self.step(
                RunKind.ANALYZE,
                attempt,
                scope,
                seconds=self.deadline.seconds_left + _GRADING_GRACE.total_seconds(),
            )
            self.run.progress.done = 2
            self.run.progress.figures.update({**grading.figures, **sync.figures})
            failures |= {
                step.kind: _reason(step)
                for step in (sync, grading)
                if step.state == RunState.FAILED
            }
            ok = sync.state == grading.state == RunState.DONE
            if ok or pause.total_seconds() >= self.deadline.seconds_left or self.is_to_come:
                return [
                    words for step in (sync, grading) if (words := self._problem(step, failures))
                ], ok
            log.warning(
                "daily.step_failed",
                run=self.run.id,
                attempt=attempt,
                pause_seconds=pause.total_seconds(),
            )
            await asyncio.sleep(pause.total_seconds())
            attempt, pause = attempt + 1, min(pause * 2, _LONGEST_PAUSE)

    def _problem(self, step: Run, failures: Mapping[str, str]) -> str | None:
        """What the mail says in red; of a step that the deadline has cut off, also why the attempt
        before it had failed.
        """
        if step.state == RunState.DONE and not step.figures.get("problems"):
            return None
        cut_off = step.state != RunState.FAILED and self.deadline.passed
        before = f" До этого: {failures[step.kind]}" if cut_off and step.kind in failures else ""
        return f"{_TITLES[RunKind(step.kind)]}: {_reason(step)}{before}"

    async def step(
        self, kind: RunKind, attempt: int, params: Mapping[str, Any], *, seconds: float | None
    ) -> Run:
        """Ask for one step and wait for its end, at most so many ``seconds``; a step already asked
        for is that step.
        """
        slot = f"{self.run.slot} #{attempt}"
        run_id = await submit(
            self.database, kind, self.clock, params=params, slot=slot, parent_id=self.run.id
        )
        self.wake()
        try:
            async with asyncio.timeout(None if seconds is None else max(seconds, 1.0)):
                return await wait(self.database, run_id)
        except TimeoutError:
            async with self.database.session() as session:
                return await session.get_one(Run, run_id)

    @property
    def is_to_come(self) -> bool:
        """Whether the date has not come: the clock was ahead when the run was queued, and is right
        again.
        """
        return self.day > local_date(self.clock(), self.zone)

    async def mail(self, problems: list[str]) -> Run:
        """Ask for the mail until one covers the date; stop at the deadline, or half an hour from
        now if that is later.
        """
        longest = max(timedelta(seconds=self.deadline.seconds_left), _LONGEST_MAIL)
        until = Deadline(longest, since=self.clock(), clock=self.clock)
        attempt, pause = 1, self.plan.first_pause
        while True:
            # Mails find out by themselves which dates they cover. A worker of the previous release
            # reads them here.
            async with self.database.transaction() as session:
                covered = [
                    day.isoformat()
                    for day in await covered_dates.list_uncovered(session, until=self.day)
                ]
            day = self.day.isoformat()
            params = {
                "date": day,
                "daily": True,
                "problems": problems,
                "covered_days": covered or [day],
            }
            mail = await self.step(RunKind.MAIL, attempt, params, seconds=None)
            async with self.database.transaction() as session:
                mailed = await covered_dates.is_mailed(session, self.day)
            if mailed or pause.total_seconds() >= until.seconds_left:
                return mail
            log.warning(
                "daily.mail_failed",
                run=self.run.id,
                attempt=attempt,
                pause_seconds=pause.total_seconds(),
            )
            await asyncio.sleep(pause.total_seconds())
            attempt, pause = attempt + 1, min(pause * 2, _LONGEST_PAUSE)

    async def _written_since(self) -> datetime:
        """What the day grades goes back by the setting, or to the last day that was finished if
        that is longer ago.
        """
        usual = self.run.started_at - self.plan.grade_within
        async with self.database.session() as session:
            last = await runs.last_finished_daily(session)
        return min(usual, last) if last else usual


def _reason(step: Run) -> str:
    """Why something is missing, without the step's counts, which are of other chats than the
    mail's.
    """
    if step.state in (RunState.QUEUED, RunState.RUNNING):
        return "к сроку не закончено, сделанное сохранено."
    return " ".join(step.figures.get("problems", ())) or step.message or "не выполнено."
