"""Puts a mail together before anything is sent: its reports, its figures, its bytes and a delivery for each recipient, all or nothing.

A date may have several mails: the daily one, what somebody sends beside it, and repeats. Each carries reports of its own; only a repeat
carries all of the date's again, and says what was said of them: drawn anew, chats that have been answered or written in since would
be told of that date as they are now. With every mail but the first the figures of the whole date are stored as well, so that a date
has one set of figures whatever number of mails.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.mail import MailClient
from app.clock import day_bounds, local_date
from app.models import DigestKind, RunKind
from app.repositories import deliveries, digests, mail_days, reports, runs
from app.repositories.turns import wait_for_turn
from app.services.digests.draw import Period, draw_figures
from app.services.digests.figures import REPEAT, SUPPLEMENT, DigestFigures
from app.services.mail import letter
from app.services.mail.sheet import read_bodies, write_sheet
from app.services.runs import RunContext

FIRST_RETRY = timedelta(minutes=5)
"""When the scheduler takes up a delivery that was not tried, or not answered."""


@dataclass(frozen=True)
class MailParams:
    """What a mail run is to do, as it stands in the run's parameters.

    ``day``: the report's date (None: only try again what the scheduler owes somebody). ``daily``: asked for by the daily run, which
    knows what is missing (``problems``) and the days it makes up for.
    """

    day: date | None
    resend: bool = False
    daily: bool = False
    problems: tuple[str, ...] = ()
    covered_days: tuple[date, ...] = ()

    @classmethod
    def of(cls, run: RunContext) -> "MailParams":
        """Reads them from a run."""
        params = run.params
        return cls(
            day=date.fromisoformat(params["date"]) if params.get("date") else None,
            resend=bool(params.get("resend")),
            daily=bool(params.get("daily")),
            problems=tuple(params.get("problems", ())),
            covered_days=tuple(date.fromisoformat(day) for day in params.get("covered_days", ())),
        )


@dataclass(frozen=True)
class Post:
    """Who mails to whom, and through what.

    ``first_period``: how far the very first mail looks back, which is as far as the first daily run grades. ``working_time``: answer
    times are counted in working hours. ``avito_clients``: the API clients of the settings, which tell the accounts that are read from
    those that once were.
    """

    client: MailClient
    sender: str
    recipients: tuple[str, ...]
    first_period: timedelta
    working_time: bool = False
    avito_clients: tuple[str, ...] = ()


async def put_together(
    session: AsyncSession, post: Post, zone: ZoneInfo, params: MailParams, *, day: date, run_id: int, now: datetime
) -> None:
    """Writes the mail with its deliveries and hands it its reports; does nothing where there is nothing to mail."""
    if await digests.get_digest_by_run(session, run_id) is not None:
        return  # an earlier process of this run came this far
    await wait_for_turn(session)  # a message that is being copied meanwhile belongs to the next mail, and to one of them only
    cutoff = now if params.daily or day == local_date(now, zone) else day_bounds(day, day, zone)[1]
    earlier = await digests.list_carried(session, day)
    if not params.daily and not (earlier if params.resend else await reports.count_unmailed(session, cutoff)):
        return
    said = await mail_days.get_figures(session, day)
    kind = DigestKind.RESEND if params.resend else DigestKind.DAILY if params.daily else DigestKind.SUPPLEMENT
    digest_id = await digests.add_digest(session, day=day, kind=kind, run_id=run_id, period_end=cutoff, now=now)
    if digest_id is None:
        return
    if not params.resend:
        await reports.mark_mailed(session, digest_id, before=cutoff)
    period = await _period(session, post, params.covered_days or (day,), day, cutoff)
    figures, of_date, ids = await _content(session, post, zone, params, period, digest_id, earlier, said, now)
    bodies = await read_bodies(session, ids)
    await digests.complete_digest(
        session,
        digest_id,
        period_start=figures.period_start,
        after_message_id=period.after_message_id,
        last_message_id=await digests.newest_message_id(session),
        figures=figures.model_dump(mode="json"),
        day_figures=None if of_date is None else of_date.model_dump(mode="json"),
        reports_count=figures.reports,
        subject=letter.subject(figures),
        mime=await asyncio.to_thread(_compose, figures, bodies, post.sender, now),
    )
    message_ids = {to: letter.message_id(digest_id, to, post.sender, now) for to in post.recipients}
    await deliveries.add_deliveries(session, digest_id, message_ids, retry_at=now + FIRST_RETRY)


class _Content(NamedTuple):
    """What a mail says; what its date says with it, where there were mails before; the mails whose reports it carries."""

    figures: DigestFigures
    of_date: DigestFigures | None
    digest_ids: Sequence[int]


async def _content(
    session: AsyncSession,
    post: Post,
    zone: ZoneInfo,
    params: MailParams,
    period: Period,
    digest_id: int,
    earlier: Sequence[int],
    said: Mapping[str, Any] | None,
    now: datetime,
) -> _Content:
    """``earlier``: the mails that brought the date's reports so far; ``said``: what they say together."""
    problems = [*params.problems, *await _sync_problems(session, params.problems)]
    named = await deliveries.name_failed(session, digest_id)
    whose = partial(draw_figures, working_time=post.working_time, avito_clients=post.avito_clients)
    draw = partial(whose, session, zone=zone, now=now, problems=problems)
    if said is None:
        return _Content(await draw([digest_id], period, failed_addresses=named), None, [digest_id])
    before = DigestFigures.model_validate(said)
    addresses = tuple(dict.fromkeys([*before.failed_addresses, *named]))
    if params.resend:
        again = before.model_copy(update={"timezone": zone.key, "failed_addresses": addresses})
        return _Content(again.model_copy(update={"part": REPEAT}), again, earlier)
    of_date = await draw([*earlier, digest_id], await _whole_period(session, post, period, before, earlier), failed_addresses=addresses)
    own = await draw([digest_id], period, failed_addresses=named)
    return _Content(own.model_copy(update={"part": SUPPLEMENT}), of_date, [digest_id])


def _compose(figures: DigestFigures, bodies: Sequence[str], sender: str, now: datetime) -> bytes:
    """Seconds of work where there are thousands of reports: in a thread, so that leases go on being renewed."""
    return letter.compose(figures, sender=sender, now=now, attachment=write_sheet(bodies, figures))


async def _period(session: AsyncSession, post: Post, covered_days: tuple[date, ...], day: date, cutoff: datetime) -> Period:
    """From the last daily mail's cut-off, or as far back as the first day grades."""
    last = await digests.get_last_daily(session, cutoff)
    if last is None:
        return _span(post, covered_days, day, cutoff - post.first_period, cutoff, None)
    return _span(post, covered_days, day, last.period_end, cutoff, last.last_message_id)


async def _whole_period(session: AsyncSession, post: Post, own: Period, before: DigestFigures, earlier: Sequence[int]) -> Period:
    """What the date's mails cover together."""
    start, end, after = await digests.get_span(session, earlier)
    covered = tuple(sorted({*before.covered_days, *own.covered_days}))
    return _span(post, covered, own.day, min(start, own.start), max(end, own.end), after)


def _span(post: Post, covered: tuple[date, ...], day: date, start: datetime, end: datetime, after: int | None) -> Period:
    return Period(day, covered, start, end, after, late_since=start if after is None else start - post.first_period)


async def _sync_problems(session: AsyncSession, said: Sequence[str]) -> list[str]:
    """What the last sync could not read, as far as it is not said already."""
    last = await runs.get_newest_ended(session, RunKind.SYNC)
    problems: list[str] = last.figures.get("problems", []) if last else []
    return [problem for problem in problems if not any(problem in words for words in said)]
