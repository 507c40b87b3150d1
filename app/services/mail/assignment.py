"""The first step of a mail: create it with its date, its reports, its period and its figures.

All of it happens at one moment, in one transaction. The second step is ``rendering``. A mail
without deliveries is one whose process stopped after the first step; every later mail run completes
it first.

A date may have several mails: the daily mail, supplements and repeats.

- The daily mail and each supplement carry reports of their own.
- A repeat carries all reports of the date again, with the stored figures. New figures would
  describe the chats of that date as they are now: answered or continued since.
- With every mail but the first, the figures of the whole date are stored as well. A date therefore
  has one set of figures, whatever its number of mails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import day_bounds, local_date
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
from app.services.mail import mime
from app.services.mail.settings import MailSettings
from app.services.problems import Problem, describe_problems, list_problems
from app.services.run_params import MailParams
from app.services.runs import RunContext, require_lease


async def assign_reports(
    session: AsyncSession,
    settings: MailSettings,
    zone: ZoneInfo,
    run: RunContext[MailParams],
    *,
    day: date,
    now: datetime,
) -> None:
    """Create the run's mail with its reports and figures.

    Do nothing if there is nothing to mail or the mail exists.

    Raises:
        LeaseLostError: another process has claimed the run.
    """
    if await digests.get_digest_by_run(session, run.id) is not None:
        return  # an earlier process of this run has created it
    # A message that is copied meanwhile belongs to the next mail, and only to that one.
    await lock_all_accounts(session)
    await require_lease(session, run)
    plan = await _plan_mail(session, zone, run.params, day, now)
    if not plan.covered_days:
        return
    digest_id = await digests.add_digest(
        session, day=day, kind=plan.kind, run_id=run.id, period_end=plan.cutoff, now=now
    )
    if digest_id is None:
        return
    if run.params.daily:
        await covered_dates.add_dates(session, digest_id, plan.covered_days)
    if not run.params.resend:
        await reports.mark_mailed(session, digest_id, before=plan.created_before)
    await _store_figures(session, settings, zone, plan, digest_id, now)


@dataclass(frozen=True)
class _MailPlan:
    """What a run's mail is about, found out before the mail is stored."""

    params: MailParams
    day: date
    covered_days: tuple[date, ...]
    """Empty if there is nothing to mail."""
    cutoff: datetime
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
    session: AsyncSession, zone: ZoneInfo, params: MailParams, day: date, now: datetime
) -> _MailPlan:
    at_present = params.daily or day == local_date(now, zone)
    cutoff = now if at_present else day_bounds(day, day, zone)[1]
    created_before = None if at_present else cutoff
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
        cutoff=cutoff,
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
    now: datetime,
) -> None:
    period = await _find_period(session, settings, plan)
    figures, of_date = await _build_figures(session, settings, zone, plan, period, digest_id, now)
    await digests.set_figures(
        session,
        digest_id,
        period_start=figures.period_start,
        after_message_id=period.after_message_id,
        last_message_id=await messages.get_newest_message_id(session),
        figures=figures.model_dump(mode="json"),
        day_figures=None if of_date is None else of_date.model_dump(mode="json"),
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
    now: datetime,
) -> _Figures:
    problems = await _list_undescribed_problems(session, plan.params)
    newly_failed = await deliveries.name_failed(session, digest_id)
    build = partial(
        build_figures,
        session,
        zone=zone,
        now=now,
        problems=[*plan.params.problems, *describe_problems(problems)],
        working_time=settings.working_time,
        settling=settings.settling.find_span(now),
        avito_clients=settings.avito_clients,
    )
    if plan.date_figures is None:
        return _Figures(await build([digest_id], period, failed_addresses=newly_failed), None)
    before = DigestFigures.model_validate(plan.date_figures)
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
        start, after = plan.cutoff - settings.first_period, None
    else:
        start, after = min(last.period_end, plan.cutoff), last.last_message_id
    return _make_period(settings, plan.day, plan.covered_days, start, plan.cutoff, after)


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
    return _make_period(
        settings, plan.day, covered, min(start, own.start), max(end, own.end), after
    )


def _make_period(
    settings: MailSettings,
    day: date,
    covered: tuple[date, ...],
    start: datetime,
    end: datetime,
    after: int | None,
) -> Period:
    late_since = start if after is None else start - settings.first_period
    return Period(day, covered, start, end, after, late_since=late_since)


async def _list_undescribed_problems(session: AsyncSession, params: MailParams) -> list[Problem]:
    """Return the problems of the last sync that the daily run's sentences do not contain.

    A daily run of the release before does not store the problems that its sentences contain. Then
    no problem is added to its sentences.
    """
    last = await runs.get_newest_ended(session, RunKind.SYNC)
    described = params.described_problems
    if last is None or (described is None and params.problems):
        return []
    return [problem for problem in list_problems(last) if problem not in (described or ())]
