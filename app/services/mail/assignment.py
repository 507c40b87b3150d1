"""The first step of a mail: create it with its date, its reports, its period and its figures.

All of it happens in one transaction that reads one snapshot: a chat that is graded meanwhile is in
the next mail, and only in that one. Bulk updates of chats wait only while the mail's ``Cut`` is
read, just before. If another process changes the same rows meanwhile, the transaction fails and the
run is repeated.

The second step is ``rendering``. A mail without deliveries is one whose process stopped after the
first step; every later mail run completes it first.

A date may have several mails: the daily mail, supplements and repeats.

- The daily mail and each supplement carry reports of their own.
- A repeat carries all reports of the date again, with the stored figures. New figures would
  describe the chats of that date as they are now: answered or continued since.
- With every mail but the first, the figures of the whole date are stored as well. A date therefore
  has one set of figures, whatever its number of mails.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock, day_bounds, local_date
from app.database.engine import Database
from app.models import DigestKind, RunKind
from app.repositories import (
    covered_dates,
    deliveries,
    digests,
    mail_days,
    messages,
    reports,
    runs,
)
from app.repositories.chat_locks import lock_all_accounts
from app.services.digests.build import Period, build_figures
from app.services.digests.figures import (
    DigestFigures,
    MailPart,
)
from app.services.digests.stored_figures import parse_figures
from app.services.mail import mime
from app.services.mail.settings import MailSettings
from app.services.problems import Problem, describe_problems, list_problems
from app.services.run_params import MailParams
from app.services.runs import RunContext, require_lease


@dataclass(frozen=True)
class Cut:
    """What belongs to a mail: the messages that were copied before a moment.

    No transaction that writes messages is open at the moment. The newest message therefore
    separates the earlier ones from those that belong to the next mail.
    """

    at: datetime
    last_message_id: int


async def find_cut(database: Database, clock: Clock) -> Cut:
    """Return the present moment and the newest message."""
    async with database.transaction() as session:
        await lock_all_accounts(session)
        return Cut(clock(), await messages.get_newest_message_id(session))


async def assign_reports(
    session: AsyncSession,
    settings: MailSettings,
    zone: ZoneInfo,
    run: RunContext[MailParams],
    *,
    day: date,
    cut: Cut,
) -> None:
    """Create the run's mail with its reports and figures.

    Do nothing if there is nothing to mail or the mail exists. The session reads one snapshot, taken
    after ``cut``.

    Raises:
        LeaseLostError: another process has claimed the run.
    """
    if await digests.get_digest_by_run(session, run.id) is not None:
        return  # an earlier process of this run has created it
    await require_lease(session, run)
    plan = await _plan_mail(session, zone, run.params, day, cut)
    if not plan.covered_days:
        return
    digest_id = await digests.add_digest(
        session, day=day, kind=plan.kind, run_id=run.id, period_end=plan.end, now=cut.at
    )
    if digest_id is None:
        return
    if run.params.daily:
        await covered_dates.add_dates(session, digest_id, plan.covered_days)
    if not run.params.resend:
        await reports.mark_mailed(session, digest_id, before=plan.created_before)
    await _store_figures(session, settings, zone, plan, digest_id)


@dataclass(frozen=True)
class _MailPlan:
    """What a run's mail is about, found out before the mail is stored."""

    params: MailParams
    day: date
    covered_days: tuple[date, ...]
    """Empty if there is nothing to mail."""
    cut: Cut
    end: datetime
    """The end of the mail's period."""
    created_before: datetime | None
    """The mail carries reports created before this moment; None: all that no mail has carried."""
    earlier: Sequence[int]
    """The mails that have carried the date's reports so far."""
    date_figures: Mapping[str, Any] | None
    """The stored figures of these mails together; None: the date has had no mail."""

    @property
    def kind(self) -> DigestKind:
        """The kind of the mail."""
        if self.params.resend:
            return DigestKind.RESEND
        return DigestKind.DAILY if self.params.daily else DigestKind.SUPPLEMENT


async def _plan_mail(
    session: AsyncSession, zone: ZoneInfo, params: MailParams, day: date, cut: Cut
) -> _MailPlan:
    at_present = params.daily or day == local_date(cut.at, zone)
    end = cut.at if at_present else day_bounds(day, day, zone)[1]
    created_before = None if at_present else end
    earlier = await digests.list_carried(session, day)
    if params.daily:
        covered = await _list_covered(session, day)
    elif params.resend:
        covered = [day] if earlier else []
    else:
        covered = [day] if await reports.count_unmailed(session, created_before) else []
    return _MailPlan(
        params=params,
        day=day,
        covered_days=tuple(covered),
        cut=cut,
        end=end,
        created_before=created_before,
        earlier=earlier,
        date_figures=await mail_days.get_figures(session, day),
    )


async def _list_covered(session: AsyncSession, day: date) -> list[date]:
    """Return the dates that the daily mail of ``day`` covers: its own and earlier uncovered ones.

    The list is empty if a mail covers ``day`` already.
    """
    uncovered = await covered_dates.list_uncovered(session, until=day)
    return uncovered if day in uncovered else []


async def _store_figures(
    session: AsyncSession,
    settings: MailSettings,
    zone: ZoneInfo,
    plan: _MailPlan,
    digest_id: int,
) -> None:
    period = await _find_period(session, settings, plan)
    figures, of_date = await _build_figures(session, settings, zone, plan, period, digest_id)
    await digests.set_figures(
        session,
        digest_id,
        period_start=figures.period_start,
        after_message_id=period.after_message_id,
        last_message_id=plan.cut.last_message_id,
        figures=await asyncio.to_thread(figures.model_dump_json),
        day_figures=(None if of_date is None else await asyncio.to_thread(of_date.model_dump_json)),
        reports_count=figures.reports,
        subject=mime.make_subject(figures),
    )


class _Figures(NamedTuple):
    """The figures of a mail, and those of its whole date if the date has had a mail before."""

    mail: DigestFigures
    date: DigestFigures | None


async def _build_figures(
    session: AsyncSession,
    settings: MailSettings,
    zone: ZoneInfo,
    plan: _MailPlan,
    period: Period,
    digest_id: int,
) -> _Figures:
    problems = await _list_undescribed_problems(session, plan.params)
    newly_failed = await deliveries.name_failed(session, digest_id)
    build = partial(
        build_figures,
        session,
        zone=zone,
        now=plan.cut.at,
        problems=[*plan.params.problems, *describe_problems(problems)],
        working_time=settings.working_time,
        settling=settings.settling.find_span(plan.cut.at),
        avito_clients=settings.avito_clients,
    )
    if plan.date_figures is None:
        return _Figures(await build([digest_id], period, failed_addresses=newly_failed), None)
    before = await asyncio.to_thread(parse_figures, plan.date_figures)
    addresses = tuple(dict.fromkeys([*before.failed_addresses, *newly_failed]))
    if plan.params.resend:
        again = before.model_copy(update={"timezone": zone.key, "failed_addresses": addresses})
        return _Figures(again.model_copy(update={"part": MailPart.REPEAT}), again)
    of_date = await build(
        [*plan.earlier, digest_id],
        await _find_date_period(session, settings, plan, period, before),
        failed_addresses=addresses,
    )
    own = await build([digest_id], period, failed_addresses=newly_failed)
    return _Figures(own.model_copy(update={"part": MailPart.SUPPLEMENT}), of_date)


async def _find_period(session: AsyncSession, settings: MailSettings, plan: _MailPlan) -> Period:
    """Return the period since the last daily mail's cut-off, or since the first graded message.

    Before a cut-off in the past, the last daily mail is found by time. Otherwise it is the newest
    one, even if the clock was wrong when it was created. If the clock was ahead then, the period
    contains only messages that were copied since that mail.
    """
    last = await digests.get_last_daily(session, before=plan.created_before)
    if last is None:
        start, after = plan.end - settings.first_period, None
    else:
        start, after = min(last.period_end, plan.end), last.last_message_id
    return _make_period(settings, plan, plan.covered_days, (start, plan.end), after)


async def _find_date_period(
    session: AsyncSession,
    settings: MailSettings,
    plan: _MailPlan,
    own: Period,
    before: DigestFigures,
) -> Period:
    """Return the period of all mails of the date, the new one included."""
    start, end, after = await digests.get_span(session, plan.earlier)
    covered = tuple(sorted({*before.covered_days, *own.covered_days}))
    return _make_period(settings, plan, covered, (min(start, own.start), max(end, own.end)), after)


def _make_period(
    settings: MailSettings,
    plan: _MailPlan,
    covered: tuple[date, ...],
    span: tuple[datetime, datetime],
    after: int | None,
) -> Period:
    start, end = span
    late_since = start if after is None else start - settings.first_period
    return Period(
        plan.day, covered, start, end, after, plan.cut.last_message_id, late_since=late_since
    )


async def _list_undescribed_problems(session: AsyncSession, params: MailParams) -> list[Problem]:
    """Return the problems of the last sync that the daily run's sentences do not contain."""
    last = await runs.get_newest_ended(session, RunKind.SYNC)
    described = params.described_problems or ()
    return [problem for problem in list_problems(last) if problem not in described] if last else []
