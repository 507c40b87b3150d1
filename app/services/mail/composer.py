"""Build a mail in two steps, each a short transaction, with the slow rendering between them and
outside both.

1. ``assign_reports`` creates the mail: its date, its reports, its period and its figures, all at
  one moment.
2. ``render_mails`` turns the stored figures into bytes, in a thread, and stores them with one
  delivery for each recipient.

A mail without deliveries is one whose process stopped after the first step. Every later mail run
completes it first. The same figures give the same bytes and the same ``Message-ID``, so it does not
matter which process does it, or whether two do.

A date may have several mails: the daily one, what somebody sends beside it, and repeats. Each
carries reports of its own; only a repeat carries all of the date's again, and says what was said of
them: drawn anew, chats that have been answered or written in since would be told of that date as
they are now. With every mail but the first the figures of the whole date are stored as well, so
that a date has one set of figures whatever number of mails.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.mail import MailClient
from app.clock import Clock, day_bounds, local_date
from app.database.engine import Database
from app.errors import DatabaseUnavailableError
from app.models import Digest, DigestKind, RunKind
from app.repositories import covered_dates, deliveries, digests, mail_days, reports, runs
from app.repositories.locks import lock_bulk_chat_updates
from app.services.digests.build import Period, build_figures
from app.services.digests.figures import DigestFigures, MailPart
from app.services.mail import mime
from app.services.mail.arrivals import Arrivals
from app.services.mail.attachment import read_bodies, write_attachment
from app.services.mail.presence import Presence
from app.services.problems import Problem, describe_problems, list_problems
from app.services.run_params import MailParams
from app.services.runs import RunContext, require_lease

log = structlog.get_logger(__name__)

FIRST_RETRY = timedelta(minutes=5)
"""When the scheduler takes up a delivery that was not tried, or not answered."""


@dataclass(frozen=True)
class MailSettings:
    """Who mails to whom, and through what.

    ``first_period``: how far the very first mail looks back, which is as far as the first daily run
    grades. ``working_time``: answer times are counted in working hours. ``avito_clients``: the API
    clients of the settings, which tell the accounts that are read from those that once were.
    """

    client: MailClient
    sender: str
    recipients: tuple[str, ...]
    first_period: timedelta
    working_time: bool = False
    avito_clients: tuple[str, ...] = ()
    arrivals: Arrivals = field(default_factory=Arrivals)
    presence: Presence = field(default_factory=Presence)


async def assign_reports(
    session: AsyncSession,
    post: MailSettings,
    zone: ZoneInfo,
    run: RunContext[MailParams],
    *,
    day: date,
    now: datetime,
) -> None:
    """Create the run's mail with its reports and figures; do nothing if there is nothing to mail or
    the mail exists.

    Raises:
        LeaseLostError: another process has taken the run over.
    """
    if await digests.get_digest_by_run(session, run.id) is not None:
        return  # an earlier process of this run has created it
    params = run.params
    await lock_bulk_chat_updates(
        session
    )  # a message that is being copied meanwhile belongs to the next mail, and to one of them only
    await require_lease(session, run)
    at_present = params.daily or day == local_date(now, zone)
    cutoff = now if at_present else day_bounds(day, day, zone)[1]
    earlier = await digests.list_carried(session, day)
    created_before = None if at_present else cutoff
    if not params.daily and not (
        earlier if params.resend else await reports.count_unmailed(session, created_before)
    ):
        return
    said = await mail_days.get_figures(session, day)
    kind = (
        DigestKind.RESEND
        if params.resend
        else DigestKind.DAILY
        if params.daily
        else DigestKind.SUPPLEMENT
    )
    covered = await _cover(session, day) if params.daily else [day]
    digest_id = (
        await digests.add_digest(
            session, day=day, kind=kind, run_id=run.id, period_end=cutoff, now=now
        )
        if covered
        else None
    )
    if digest_id is None:
        return
    if params.daily:
        await covered_dates.add_dates(session, digest_id, covered)
    if not params.resend:
        await reports.mark_mailed(session, digest_id, before=created_before)
    period = await _period(session, post, tuple(covered), day, cutoff, at_present=at_present)
    figures, of_date = await _figures(
        session, post, zone, params, period, digest_id, earlier, said, now
    )
    await digests.set_figures(
        session,
        digest_id,
        period_start=figures.period_start,
        after_message_id=period.after_message_id,
        last_message_id=await digests.get_newest_message_id(session),
        figures=figures.model_dump(mode="json"),
        day_figures=None if of_date is None else of_date.model_dump(mode="json"),
        reports_count=figures.reports,
        subject=mime.subject(figures),
    )


class Rendered(NamedTuple):
    """How many mails got their bytes, and the dates of those that could not be rendered."""

    mails: int
    failed: tuple[date, ...]


async def render_mails(database: Database, post: MailSettings, clock: Clock) -> Rendered:
    """Give every mail that has none its bytes and its deliveries. One that cannot be rendered costs
    no other.

    Rendering thousands of reports takes seconds: no transaction is open.
    """
    async with database.session() as session:
        unfinished = await digests.list_undelivered(session)
    failed = []
    for mail in unfinished:
        try:
            await _render_mail(database, post, clock, mail)
        except DatabaseUnavailableError:
            raise
        except Exception:
            log.exception("mail.not_rendered", digest=mail.id)
            failed.append(mail.day)
    return Rendered(len(unfinished) - len(failed), tuple(failed))


async def _render_mail(database: Database, post: MailSettings, clock: Clock, mail: Digest) -> None:
    async with database.session() as session:
        carried = (
            await digests.list_carried(session, mail.day, before_id=mail.id)
            if mail.kind == DigestKind.RESEND
            else [mail.id]
        )
        bodies = await read_bodies(session, carried)
    figures = DigestFigures.model_validate(mail.figures)
    content = await asyncio.to_thread(_render, figures, bodies, post.sender, mail.created_at)
    message_ids = {
        to: mime.message_id(mail.id, to, post.sender, mail.created_at) for to in post.recipients
    }
    async with database.transaction() as session:
        if await digests.set_mime(session, mail.id, content):
            await deliveries.add_deliveries(
                session, mail.id, message_ids, retry_at=clock() + FIRST_RETRY
            )


async def _cover(session: AsyncSession, day: date) -> list[date]:
    """The dates that the daily mail of ``day`` covers: its own, and earlier ones without a mail;
    none if a mail covers it already.
    """
    uncovered = await covered_dates.list_uncovered(session, until=day)
    return uncovered if day in uncovered else []


class _Figures(NamedTuple):
    """The figures of a mail, and those of its whole date where the date had mails before."""

    mail: DigestFigures
    day: DigestFigures | None


async def _figures(
    session: AsyncSession,
    post: MailSettings,
    zone: ZoneInfo,
    params: MailParams,
    period: Period,
    digest_id: int,
    earlier: Sequence[int],
    said: Mapping[str, Any] | None,
    now: datetime,
) -> _Figures:
    """``earlier``: the mails that brought the date's reports so far; ``said``: what they say
    together.
    """
    problems = [*params.problems, *describe_problems(await _list_untold(session, params))]
    named = await deliveries.name_failed(session, digest_id)
    whose = partial(build_figures, working_time=post.working_time, avito_clients=post.avito_clients)
    draw = partial(whose, session, zone=zone, now=now, problems=problems)
    if said is None:
        return _Figures(await draw([digest_id], period, failed_addresses=named), None)
    before = DigestFigures.model_validate(said)
    addresses = tuple(dict.fromkeys([*before.failed_addresses, *named]))
    if params.resend:
        again = before.model_copy(update={"timezone": zone.key, "failed_addresses": addresses})
        return _Figures(again.model_copy(update={"part": MailPart.REPEAT}), again)
    of_date = await draw(
        [*earlier, digest_id],
        await _whole_period(session, post, period, before, earlier),
        failed_addresses=addresses,
    )
    own = await draw([digest_id], period, failed_addresses=named)
    return _Figures(own.model_copy(update={"part": MailPart.SUPPLEMENT}), of_date)


def _render(figures: DigestFigures, bodies: Sequence[str], sender: str, at: datetime) -> bytes:
    return mime.build_mime(
        figures, sender=sender, now=at, attachment=write_attachment(bodies, figures)
    )


async def _period(
    session: AsyncSession,
    post: MailSettings,
    covered: tuple[date, ...],
    day: date,
    cutoff: datetime,
    *,
    at_present: bool,
) -> Period:
    """From the last daily mail's cut-off, or as far back as the first day grades.

    The last one before a cut-off of the past is found by time; the last one so far is the newest,
    whatever the clock showed when it was built. If the clock was ahead then, only messages copied
    since that mail are in the period.
    """
    last = await digests.get_last_daily(session, before=None if at_present else cutoff)
    if last is None:
        return _span(post, covered, day, cutoff - post.first_period, cutoff, None)
    return _span(post, covered, day, min(last.period_end, cutoff), cutoff, last.last_message_id)


async def _whole_period(
    session: AsyncSession,
    post: MailSettings,
    own: Period,
    before: DigestFigures,
    earlier: Sequence[int],
) -> Period:
    """What the date's mails cover together."""
    start, end, after = await digests.get_span(session, earlier)
    covered = tuple(sorted({*before.covered_days, *own.covered_days}))
    return _span(post, covered, own.day, min(start, own.start), max(end, own.end), after)


def _span(
    post: MailSettings,
    covered: tuple[date, ...],
    day: date,
    start: datetime,
    end: datetime,
    after: int | None,
) -> Period:
    return Period(
        day,
        covered,
        start,
        end,
        after,
        late_since=start if after is None else start - post.first_period,
    )


async def _list_untold(session: AsyncSession, params: MailParams) -> list[Problem]:
    """Return the problems of the last sync that the daily run's sentences do not contain.

    A daily run of the release before does not list them; its own sentences have to do.
    """
    last = await runs.get_newest_ended(session, RunKind.SYNC)
    told = params.told_problems
    if last is None or (told is None and params.problems):
        return []
    return [problem for problem in list_problems(last) if problem not in (told or ())]
