"""The daily run: sync, then grading, then the mail. The order is defined here only.

Each step is a run of its own, a child of the daily run. If a process dies, the next one continues
with the first child that has not ended. Failed steps are retried with growing pauses until the
deadline; then the mail is sent and states what is missing. The mail step is retried until a mail
covers the date. Failed recipients are retried by the mail's deliveries.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog

from app.clock import Clock, Deadline, Monotonic, local_date
from app.database.engine import Database
from app.models import Run, RunKind, RunState
from app.repositories import covered_dates, runs
from app.services.problems import Problem, describe_problems, list_problems
from app.services.run_params import (
    AnalyzeParams,
    DailyParams,
    MailParams,
    RunParams,
    SyncParams,
)
from app.services.runs import RunContext, StepResult, submit, wait

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = timedelta(minutes=10)
_GRADING_GRACE = timedelta(minutes=5)
"""Grace period of grading after the deadline, for the chats in progress."""

_LONGEST_MAIL = timedelta(minutes=30)
"""Shortest time for which a mail that cannot be built is retried.

It applies if the other steps have used up the time until the deadline.
"""
_CLOCK_WAS_AHEAD = (
    "Часы службы спешили, когда этот запуск был поставлен: его дата ещё не наступила. Сделанное"
    " сохранено, письмо не отправлялось."
)

_TITLES = {RunKind.SYNC: "Синхронизация", RunKind.ANALYZE: "Анализ", RunKind.MAIL: "Письмо"}


class Shortfall(NamedTuple):
    """Why a step is incomplete; ``ended``: before the deadline."""

    ended: bool
    problems: tuple[Problem, ...]
    message: str | None


class MissingStep(NamedTuple):
    """An incomplete step; ``before``: the failure of the attempt before."""

    kind: RunKind
    shortfall: Shortfall
    before: Shortfall | None


@dataclass(frozen=True)
class DayPlan:
    """The settings of the daily run.

    ``grade_within``: older chats are graded by a call only. ``first_pause``: pause after the first
    failure.
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
    run: RunContext[DailyParams],
    *,
    monotonic: Monotonic = time.monotonic,
) -> StepResult:
    """Execute the daily run of the date ``run.slot``.

    ``wake`` notifies the worker of a queued child run.
    """
    deadline = Deadline(plan.deadline, since=run.started_at, clock=clock, monotonic=monotonic)
    day = _Day(database, plan, zone, clock, wake, run, deadline)
    run.progress.total = len(_TITLES)
    missing, ok = await day.sync_and_grade()
    if day.is_to_come:
        return StepResult(ok=False, message=_CLOCK_WAS_AHEAD, figures=run.progress.figures)
    mail = await day.mail(missing)
    figures = {**run.progress.figures, **mail.figures}
    message = " ".join(part for part in (*map(describe_missing, missing), mail.message) if part)
    return StepResult(ok=ok and mail.state == RunState.DONE, message=message, figures=figures)


@dataclass(frozen=True)
class _Day:
    """One daily run in progress."""

    database: Database
    plan: DayPlan
    zone: ZoneInfo
    clock: Clock
    wake: Callable[[], None]
    run: RunContext[DailyParams]
    deadline: Deadline

    @property
    def day(self) -> date:
        """The date whose mail the run sends."""
        return date.fromisoformat(self.run.slot or "")

    async def sync_and_grade(self) -> tuple[list[MissingStep], bool]:
        """Execute both steps; retry failed ones until the deadline.

        Return what is missing after that, and whether both steps have succeeded. A grading that has
        spent the budget has succeeded.
        """
        written_since = await self._written_since()
        attempt, pause, failures = 1, self.plan.first_pause, dict[str, Shortfall]()
        while True:
            sync = await self.step(SyncParams(), attempt, seconds=self.deadline.seconds_left)
            self.run.progress.done = 1
            ends_at = self.clock() + timedelta(seconds=self.deadline.seconds_left)
            grading = await self.step(
                AnalyzeParams(deadline=ends_at, written_since=written_since),
                attempt,
                seconds=self.deadline.seconds_left + _GRADING_GRACE.total_seconds(),
            )
            self.run.progress.done = 2
            self.run.progress.figures.update({**grading.figures, **sync.figures})
            failures |= {
                step.kind: _make_shortfall(step)
                for step in (sync, grading)
                if step.state == RunState.FAILED
            }
            ok = sync.state == grading.state == RunState.DONE
            if ok or pause.total_seconds() >= self.deadline.seconds_left or self.is_to_come:
                steps = (self._find_missing(step, failures) for step in (sync, grading))
                return [missing for missing in steps if missing], ok
            log.warning(
                "daily.step_failed",
                run=self.run.id,
                attempt=attempt,
                pause_seconds=pause.total_seconds(),
            )
            await asyncio.sleep(pause.total_seconds())
            attempt, pause = attempt + 1, min(pause * 2, _LONGEST_PAUSE)

    def _find_missing(self, step: Run, failures: Mapping[str, Shortfall]) -> MissingStep | None:
        """Return what is missing of a step, or None.

        If the deadline has cut it off, the result contains the failure of the attempt before.
        """
        if step.state == RunState.DONE and not list_problems(step):
            return None
        cut_off = step.state != RunState.FAILED and self.deadline.passed
        before = failures.get(step.kind) if cut_off else None
        return MissingStep(RunKind(step.kind), _make_shortfall(step), before)

    async def step(self, params: RunParams, attempt: int, *, seconds: float | None) -> Run:
        """Queue one step and wait for its end, at most ``seconds``.

        If the attempt's slot has a run already, wait for that one.
        """
        slot = f"{self.run.slot} #{attempt}"
        run_id = await submit(self.database, params, self.clock, slot=slot, parent_id=self.run.id)
        self.wake()
        try:
            async with asyncio.timeout(None if seconds is None else max(seconds, 1.0)):
                return await wait(self.database, run_id)
        except TimeoutError:
            async with self.database.session() as session:
                return await session.get_one(Run, run_id)

    @property
    def is_to_come(self) -> bool:
        """Whether the run's date is in the future.

        The clock was ahead when the run was queued, and has been corrected.
        """
        return self.day > local_date(self.clock(), self.zone)

    async def mail(self, missing: Sequence[MissingStep]) -> Run:
        """Queue the mail until one covers the date.

        Stop at the deadline, or half an hour from now if that is later.
        """
        longest = max(timedelta(seconds=self.deadline.seconds_left), _LONGEST_MAIL)
        until = Deadline(longest, since=self.clock(), clock=self.clock)
        attempt, pause = 1, self.plan.first_pause
        while True:
            params = MailParams(
                day=self.day,
                daily=True,
                problems=tuple(map(describe_missing, missing)),
                described_problems=_list_described(missing),
            )
            mail = await self.step(params, attempt, seconds=None)
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
        """Return the moment from which on chats are graded.

        It is given by the setting, or is the start of the last finished daily run if that is
        earlier.
        """
        usual = self.run.started_at - self.plan.grade_within
        async with self.database.session() as session:
            last = await runs.get_last_daily_start(session)
        return min(usual, last) if last else usual


def _make_shortfall(step: Run) -> Shortfall:
    ended = step.state not in (RunState.QUEUED, RunState.RUNNING)
    return Shortfall(ended, tuple(list_problems(step)) if ended else (), step.message)


def _list_described(missing: Sequence[MissingStep]) -> tuple[Problem, ...]:
    """Return the problems of syncs that the description of ``missing`` contains."""
    syncs = [step for step in missing if step.kind is RunKind.SYNC]
    return tuple(
        problem
        for step in syncs
        for shortfall in (step.shortfall, step.before)
        if shortfall is not None
        for problem in shortfall.problems
    )


def describe_missing(step: MissingStep) -> str:
    """Return in Russian what is missing of a step and why."""
    before = f" До этого: {_describe_shortfall(step.before)}" if step.before else ""
    return f"{_TITLES[step.kind]}: {_describe_shortfall(step.shortfall)}{before}"


def _describe_shortfall(shortfall: Shortfall) -> str:
    """Return the reason without the step's counts, which are of other chats than the mail's."""
    if not shortfall.ended:
        return "к сроку не закончено, сделанное сохранено."
    sentences = describe_problems(shortfall.problems)
    return " ".join(sentences) or shortfall.message or "не выполнено."
