"""Mails the day's reports: each report once, each mail to each recipient once, whatever dies in between.

A mail, its bytes and one delivery for each recipient are stored before anything is sent. A delivery is marked
``sending`` before the mail server is spoken to and ``sent`` after its answer. A process that dies in between leaves it open, and the
identical bytes go again under the same ``Message-ID``: SMTP can do no better (RFC 1047).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.mail import MailRefusedError
from app.clock import Clock
from app.database.engine import Database
from app.errors import DatabaseUnavailableError, SettingsError, UpstreamError
from app.repositories import deliveries, digests, resends
from app.repositories.deliveries import OpenDelivery
from app.services.mail import letter
from app.services.mail.composer import FIRST_RETRY, MailParams, Post, assign_reports, render_mails
from app.services.plural import plural
from app.services.runs import RunContext, StepResult

log = structlog.get_logger(__name__)

RETRY_FOR = timedelta(days=3)
"""How long a recipient whom the mail server cannot reach for the moment is tried again."""
REFUSALS = 3
"""A refusal for good (5xx) is believed after the first call and the two that follow it."""
_PATIENCE_SECONDS = 25
"""How long an arrival that could not be written down is held; within the lease of the run."""
_LONGEST_RETRY = timedelta(hours=6)


async def send_daily_report(database: Database, post: Post, zone: ZoneInfo, clock: Clock, run: RunContext) -> StepResult:
    """Puts the date's mail together, once for a run, and sends it and what earlier mails still owe their recipients.

    Raises:
        SettingsError: there is nobody to mail to; the reports stay for a later mail.
    """
    if not post.recipients:
        raise SettingsError("REPORT_RECIPIENTS: не задано; укажите через запятую, кому слать отчёт. Отчёты сохранены.")
    params = MailParams.of(run)
    resent = False
    if params.day is not None:
        async with database.transaction() as session:
            if params.resend:
                await resends.continue_unfinished(session, params.day, post.recipients, run_id=run.id)
                resent = await resends.is_resent(session, params.day, post.recipients, since_run=run.done_since)
            if not resent:
                await assign_reports(session, post, zone, params, day=params.day, run=run, now=clock())
    await render_mails(database, post, clock)
    async with database.transaction() as session:
        await deliveries.drop_removed(session, post.recipients)
        due_at = clock() if params.day is None else None
        queue = await deliveries.list_open(session, post.recipients, due_at=due_at)
    failures = await _send_all(database, post, clock, run, queue, by_call=params.day is not None)
    async with database.transaction() as session:
        await deliveries.drop_finished_mails(session)
    async with database.session() as session:
        figures = await _figures(session, run)
    message = _summary(params, figures["send_reports"], len(queue), failures, resent=resent)
    return StepResult(ok=not failures, message=message, figures=figures)


async def _figures(session: AsyncSession, run: RunContext) -> dict[str, Any]:
    """The numbers so far, from what stands in the tables: true also of a run that several processes worked on."""
    day = MailParams.of(run).day
    return {"date": day.isoformat() if day else None, "send_reports": await digests.count_brought(session, run.id)}


async def _send_all(
    database: Database, post: Post, clock: Clock, run: RunContext, queue: Sequence[OpenDelivery], *, by_call: bool
) -> list[str]:
    """Sends one after the other; returns for each one that failed which mail, to whom, and the mail server's words."""
    failures = []
    run.progress.done, run.progress.total = 0, len(queue)
    for delivery in queue:
        async with database.transaction() as session:
            await deliveries.mark_sending(session, delivery.id, clock(), retry_at=clock() + FIRST_RETRY)
            mime = await digests.get_mime(session, delivery.digest_id)
        if mime is None:  # only where somebody has emptied the table by hand
            log.error("mail.bytes_missing", digest=delivery.digest_id)
            continue
        addressed = letter.address(mime, recipient=delivery.recipient, message_id=delivery.message_id)
        try:
            answer = await post.client.send(addressed, sender=post.sender, recipient=delivery.recipient)
        except UpstreamError as error:
            failures.append(f"Письмо за {delivery.day:%d.%m} не дошло до {delivery.recipient}: {error.message}")
            await _keep_failure(database, delivery, error, clock())
        else:
            await _keep_success(database, delivery, answer, clock(), run, by_call=by_call)
        run.progress.done += 1
    return failures


async def _keep_success(database: Database, delivery: OpenDelivery, answer: str, now: datetime, run: RunContext, *, by_call: bool) -> None:
    """Writes the arrival down; a database that is away is waited for, as forgetting it would send the mail twice.

    The run's figures count it before anybody can see it: wherever the run is stopped, they are true.
    """
    for pause in (*([1] * _PATIENCE_SECONDS), None):
        try:
            async with database.transaction() as session:
                await deliveries.mark_sent(session, delivery, answer=answer, now=now, run_id=run.id if by_call else None)
                run.progress.figures = await _figures(session, run)
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
    pause = min(FIRST_RETRY * 2**delivery.tries, _LONGEST_RETRY)
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


def _summary(params: MailParams, brought: int, tried: int, failures: Sequence[str], *, resent: bool) -> str:
    if not tried and resent:
        return f"Письмо за {params.day} ещё раз не отправлялось."
    if not tried:
        return f"За {params.day} писем не было, повторять нечего." if params.resend else "Новых отчётов нет, письмо не отправлялось."
    sent = tried - len(failures)
    parts = []
    if sent:
        letters = plural(sent, "письмо", "письма", "писем")
        reports_brought = f", {plural(brought, 'отчёт', 'отчёта', 'отчётов')}" if brought else "; новых отчётов нет"
        parts.append(f"Отправлено: {letters}{reports_brought}.")
    parts.extend(dict.fromkeys(failures))
    return " ".join(parts)
