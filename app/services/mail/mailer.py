"""Mails the day's reports: each report once, each mail to each recipient once, whatever dies in
between.

A mail, its bytes and one delivery for each recipient are stored before anything is sent. Each
attempt at a delivery is fenced (see ``attempt``). If a process dies after the final dot and before
the arrival is written, the identical bytes are sent again under the same ``Message-ID``: SMTP can
do no better (RFC 1047).
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.database.engine import Database
from app.errors import SettingsError
from app.repositories import deliveries, digests, resends
from app.repositories.deliveries import OpenDelivery
from app.russian_text import plural
from app.services.mail.attempt import Attempt, AttemptOutcome, read_figures
from app.services.mail.composer import MailSettings, assign_reports, render_mails
from app.services.run_params import MailParams
from app.services.runs import RunContext, StepResult

_AT_A_TIME = 8
"""Recipients served at the same time: one whose server takes minutes to answer does not hold up the
others.
"""


async def send_daily_report(
    database: Database,
    post: MailSettings,
    zone: ZoneInfo,
    clock: Clock,
    run: RunContext[MailParams],
) -> StepResult:
    """Puts the date's mail together, once for a run, and sends it and what earlier mails still owe
    their recipients.

    Raises:
        SettingsError: there is nobody to mail to; the reports stay for a later mail.
    """
    if not post.recipients:
        raise SettingsError(
            "REPORT_RECIPIENTS: не задано; укажите через запятую, кому слать отчёт. Отчёты"
            " сохранены."
        )
    params = run.params
    resent = False
    async with database.transaction() as session:
        await digests.adopt_first_sent(session)
    if params.day is not None:
        async with database.transaction() as session:
            if params.resend:
                await resends.continue_unfinished(
                    session, params.day, post.recipients, run_id=run.id
                )
                resent = await resends.is_resent(
                    session, params.day, post.recipients, since_run=run.done_since
                )
            if not resent:
                await assign_reports(session, post, zone, run, day=params.day, now=clock())
    rendered = await render_mails(database, post, clock)
    queue = await _list_queue(
        database, post, params, clock, everything=bool(rendered.mails) or params.day is not None
    )
    outcomes = [_report_not_rendered(day) for day in rendered.failed]
    outcomes += await _send_all(database, post, clock, run, queue)
    async with database.transaction() as session:
        await deliveries.drop_finished_mails(session)
    async with database.session() as session:
        figures = await read_figures(session, run)
    message = _summary(params, figures["send_reports"], outcomes, resent=resent)
    return StepResult(
        ok=not any(outcome.failure for outcome in outcomes), message=message, figures=figures
    )


def _report_not_rendered(day: date) -> AttemptOutcome:
    return AttemptOutcome(
        failure=(
            f"Письмо за {day:%d.%m} не составить: внутренняя ошибка службы, подробности в журнале;"
            " отчёты сохранены."
        )
    )


async def _list_queue(
    database: Database, post: MailSettings, params: MailParams, clock: Clock, *, everything: bool
) -> list[OpenDelivery]:
    """What the run has to deliver: ``everything`` that is open, or the deliveries that a
    scheduler's retry names, whatever the clock shows.

    A retry that names none was queued by a process of the previous release.
    """
    named = () if everything else params.deliveries
    due_at = None if everything or named else clock()
    async with database.transaction() as session:
        await deliveries.drop_removed(session, post.recipients)
        return await deliveries.list_open(session, post.recipients, ids=named, due_at=due_at)


async def _send_all(
    database: Database,
    post: MailSettings,
    clock: Clock,
    run: RunContext[MailParams],
    queue: Sequence[OpenDelivery],
) -> list[AttemptOutcome]:
    """Attempt each delivery once: several recipients at the same time, the mails of one recipient
    in their order.
    """
    places = asyncio.Semaphore(_AT_A_TIME)
    mails: dict[str, list[OpenDelivery]] = defaultdict(list)
    for delivery in queue:
        mails[delivery.recipient].append(delivery)
    run.progress.done, run.progress.total = 0, len(queue)

    async def send_to_one(owed: Sequence[OpenDelivery]) -> list[AttemptOutcome]:
        outcomes = []
        async with places:
            for delivery in owed:
                outcomes.append(
                    await post.arrivals.run_to_completion(
                        Attempt(database, post, clock, run, delivery)
                    )
                )
                run.progress.done += 1
        return outcomes

    recipients = [asyncio.create_task(send_to_one(owed)) for owed in mails.values()]
    try:
        return [outcome for outcomes in await asyncio.gather(*recipients) for outcome in outcomes]
    finally:
        for recipient in recipients:
            recipient.cancel()
        await asyncio.gather(*recipients, return_exceptions=True)


def _summary(
    params: MailParams, brought: int, outcomes: Sequence[AttemptOutcome], *, resent: bool
) -> str:
    sent = sum(outcome.sent for outcome in outcomes)
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    if not (sent or failures):
        if resent:
            return f"Письмо за {params.day} ещё раз не отправлялось."
        return (
            f"За {params.day} писем не было, повторять нечего."
            if params.resend
            else "Новых отчётов нет, письмо не отправлялось."
        )
    parts = []
    if sent:
        letters = plural(sent, "письмо", "письма", "писем")
        reports_brought = (
            f", {plural(brought, 'отчёт', 'отчёта', 'отчётов')}"
            if brought
            else "; новых отчётов нет"
        )
        parts.append(f"Отправлено: {letters}{reports_brought}.")
    parts.extend(dict.fromkeys(failures))
    return " ".join(parts)
