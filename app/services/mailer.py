"""Mails the day's reports: each report once, each mail to each recipient once, whatever dies in between.

A mail, its bytes and one delivery for each recipient are written in one transaction before anything is sent. A delivery is marked
``sending`` before the mail server is spoken to and ``sent`` after its answer. A process that dies in between leaves it open, and the
identical bytes go again under the same ``Message-ID``: SMTP can do no better (RFC 1047).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.mail import MailClient, MailRefusedError
from app.clock import Clock, day_bounds, local_date
from app.database.engine import Database
from app.errors import DatabaseUnavailableError, SettingsError, UpstreamError
from app.models import DigestKind, RunKind
from app.repositories import deliveries, digests, reports, runs
from app.repositories.deliveries import OpenDelivery
from app.repositories.turns import wait_for_turn
from app.services import letter
from app.services.digests import Period, draw_figures
from app.services.figures import DigestFigures
from app.services.mail_sheet import SheetRows, read_rows, write_sheet
from app.services.plural import plural
from app.services.runs import RunContext, StepResult

log = structlog.get_logger(__name__)

RETRY_FOR = timedelta(days=3)
"""How long a recipient whom the mail server cannot reach for the moment is tried again."""
REFUSALS = 3
"""A refusal for good (5xx) is believed after the first call and the two that follow it."""
_PATIENCE_SECONDS = 25
"""How long an arrival that could not be written down is held; within the lease of the run."""
_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=5), timedelta(hours=6)


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
    times are counted in working hours.
    """

    client: MailClient
    sender: str
    recipients: tuple[str, ...]
    first_period: timedelta
    working_time: bool = False


async def send_daily_report(database: Database, post: Post, zone: ZoneInfo, clock: Clock, run: RunContext) -> StepResult:
    """Puts the date's mail together, once for a run, and sends it and what earlier mails still owe their recipients.

    Raises:
        SettingsError: there is nobody to mail to; the reports stay for a later mail.
    """
    if not post.recipients:
        raise SettingsError("REPORT_RECIPIENTS: не задано; укажите через запятую, кому слать отчёт. Отчёты сохранены.")
    params = MailParams.of(run)
    if params.day is not None:
        async with database.transaction() as session:
            await _put_together(session, post, zone, params, day=params.day, run_id=run.id, now=clock())
    async with database.transaction() as session:
        await deliveries.drop_removed(session, post.recipients)
        due_at = clock() if params.day is None else None
        queue = await deliveries.list_open(session, post.recipients, due_at=due_at)
    failures = await _send_all(database, post, clock, run, queue, by_call=params.day is not None)
    async with database.transaction() as session:
        await deliveries.drop_finished_mails(session)
        brought = await digests.count_brought(session, run.id)
    figures = {"date": params.day.isoformat() if params.day else None, "send_reports": brought}
    return StepResult(ok=not failures, message=_summary(params, brought, len(queue), failures), figures=figures)


async def _put_together(
    session: AsyncSession, post: Post, zone: ZoneInfo, params: MailParams, *, day: date, run_id: int, now: datetime
) -> None:
    """Writes the mail with its deliveries and hands it its reports, all or nothing; does nothing where there is nothing to mail."""
    if await digests.get_digest_by_run(session, run_id) is not None:
        return  # an earlier process of this run came this far
    await wait_for_turn(session)  # a message that is being copied meanwhile belongs to the next mail, and to one of them only
    cutoff = now if params.daily or day == local_date(now, zone) else day_bounds(day, day, zone)[1]
    carried = await digests.list_carried(session, day) if params.resend else []
    if not params.daily and not carried and (params.resend or not await reports.count_unmailed(session, cutoff)):
        return
    kind = DigestKind.RESEND if params.resend else DigestKind.DAILY if params.daily else DigestKind.SUPPLEMENT
    digest_id = await digests.add_digest(session, day=day, kind=kind, run_id=run_id, period_end=cutoff, now=now)
    if digest_id is None:
        return
    if not params.resend:
        await reports.mark_mailed(session, digest_id, before=cutoff)
    ids = carried or [digest_id]
    period = await _period(session, post, params, day, cutoff, carried)
    problems = [*params.problems, *await _sync_problems(session, params.problems)]
    named = await deliveries.name_failed(session, digest_id)
    drawn = await draw_figures(session, ids, period, zone, working_time=post.working_time, problems=problems, failed_addresses=named)
    earlier = [number for number in await digests.list_carried(session, day) if number != digest_id]
    figures = drawn.model_copy(update={"part": "повтор" if params.resend else "дополнение" if earlier else None})
    rows = await read_rows(session, ids, period, reports=figures.reports)
    await digests.complete_digest(
        session,
        digest_id,
        period_start=period.start,
        after_message_id=period.after_message_id,
        last_message_id=await digests.newest_message_id(session),
        figures=figures.model_dump(mode="json"),
        reports_count=figures.reports,
        subject=letter.subject(figures),
        mime=await asyncio.to_thread(_compose, figures, rows, post.sender, now),
    )
    message_ids = {to: letter.message_id(digest_id, to, post.sender, now) for to in post.recipients}
    await deliveries.add_deliveries(session, digest_id, message_ids, retry_at=now + _FIRST_RETRY)


def _compose(figures: DigestFigures, rows: SheetRows, sender: str, now: datetime) -> bytes:
    """Seconds of work where there are thousands of reports: in a thread, so that leases go on being renewed."""
    return letter.compose(figures, sender=sender, now=now, attachment=write_sheet(rows, figures))


async def _period(session: AsyncSession, post: Post, params: MailParams, day: date, cutoff: datetime, carried: Sequence[int]) -> Period:
    """From the last daily mail's cut-off, or as far back as the first day grades; a mail sent again keeps the period that it had."""
    if carried:
        start, end, after = await digests.get_span(session, carried)
    elif (last := await digests.get_last_daily(session, cutoff)) is not None:
        start, end, after = last.period_end, cutoff, last.last_message_id
    else:
        start, end, after = cutoff - post.first_period, cutoff, None
    late_since = start if after is None else start - post.first_period
    return Period(day, params.covered_days or (day,), start, end, after, late_since)


async def _sync_problems(session: AsyncSession, said: Sequence[str]) -> list[str]:
    """What the last sync could not read, as far as it is not said already."""
    last = await runs.get_newest_ended(session, RunKind.SYNC)
    problems: list[str] = last.figures.get("problems", []) if last else []
    return [problem for problem in problems if not any(problem in words for words in said)]


async def _send_all(
    database: Database, post: Post, clock: Clock, run: RunContext, queue: Sequence[OpenDelivery], *, by_call: bool
) -> list[str]:
    """Sends one after the other; returns for each one that failed the address and the mail server's words."""
    failures = []
    run.progress.done, run.progress.total = 0, len(queue)
    for delivery in queue:
        async with database.transaction() as session:
            await deliveries.mark_sending(session, delivery.id, clock(), retry_at=clock() + _FIRST_RETRY)
            mime = await digests.get_mime(session, delivery.digest_id)
        if mime is None:  # only where somebody has emptied the table by hand
            log.error("mail.bytes_missing", digest=delivery.digest_id)
            continue
        addressed = letter.address(mime, recipient=delivery.recipient, message_id=delivery.message_id)
        try:
            answer = await post.client.send(addressed, sender=post.sender, recipient=delivery.recipient)
        except UpstreamError as error:
            failures.append(f"{delivery.recipient}: {error.message}")
            await _keep_failure(database, delivery, error, clock())
        else:
            await _keep_success(database, delivery, answer, clock(), run.id if by_call else None)
        run.progress.done += 1
    return failures


async def _keep_success(database: Database, delivery: OpenDelivery, answer: str, now: datetime, run_id: int | None) -> None:
    """Writes the arrival down; a database that is away is waited for, as forgetting it would send the mail twice."""
    for pause in (*([1] * _PATIENCE_SECONDS), None):
        try:
            async with database.transaction() as session:
                await deliveries.mark_sent(session, delivery, answer=answer, now=now, run_id=run_id)
        except DatabaseUnavailableError:
            if pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return


async def _keep_failure(database: Database, delivery: OpenDelivery, error: UpstreamError, now: datetime) -> None:
    refused = isinstance(error, MailRefusedError)
    tried_since = delivery.first_tried_at or now
    final = delivery.refusals + 1 >= REFUSALS if refused else now - tried_since >= RETRY_FOR
    pause = min(_FIRST_RETRY * 2**delivery.tries, _LONGEST_RETRY)
    log.warning("mail.unsent", delivery=delivery.id, tries=delivery.tries + 1, error=type(error).__name__, final=final)
    async with database.transaction() as session:
        await deliveries.mark_unsent(
            session,
            delivery.id,
            answer=error.message,
            refused=refused,
            final=final,
            next_try_at=None if refused else now + pause,
        )


def _summary(params: MailParams, brought: int, tried: int, failures: Sequence[str]) -> str:
    if not tried:
        return f"За {params.day} писем не было, повторять нечего." if params.resend else "Новых отчётов нет, письмо не отправлялось."
    sent = tried - len(failures)
    parts = []
    if sent:
        letters = plural(sent, "письмо", "письма", "писем")
        reports_brought = f", {plural(brought, 'отчёт', 'отчёта', 'отчётов')}" if brought else "; новых отчётов нет"
        parts.append(f"Отправлено: {letters}{reports_brought}.")
    parts.extend(f"Не доставлено. {failure}" for failure in dict.fromkeys(failures))
    return " ".join(parts)
