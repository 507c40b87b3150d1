"""Send the daily report: each report in one mail, each mail to each recipient once.

A mail, its bytes and one delivery for each recipient are stored before anything is sent. Each
attempt of a delivery is fenced (see ``attempt``). If a process dies after the final dot and before
the arrival is stored, the same bytes are sent again under the same ``Message-ID``; SMTP offers no
better guarantee (RFC 1047).
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.database.engine import Database
from app.errors import SettingsError
from app.repositories import deliveries, digests
from app.repositories.deliveries import OpenDelivery
from app.russian_text import plural
from app.services.mail.assignment import assign_reports, find_cut
from app.services.mail.attempt import Attempt, AttemptOutcome, read_figures
from app.services.mail.memory import release_free_memory
from app.services.mail.rendering import render_mails
from app.services.mail.settings import MailSettings
from app.services.run_params import MailParams
from app.services.runs import RunContext, StepResult

_RECIPIENTS_AT_ONCE = 8
"""Number of recipients served in parallel, so that a slow mail server does not delay the others."""


async def send_daily_report(
    database: Database,
    settings: MailSettings,
    zone: ZoneInfo,
    clock: Clock,
    run: RunContext[MailParams],
) -> StepResult:
    """Create the run's mail, once for a run, and execute the open deliveries.

    Raises:
        SettingsError: no recipients are set; the reports are kept for a later mail.
    """
    if not settings.recipients:
        raise SettingsError(
            "REPORT_RECIPIENTS: не задано; укажите через запятую, кому слать отчёт. Отчёты"
            " сохранены."
        )
    params = run.params
    async with database.transaction() as session:
        await digests.adopt_first_sent(session)
    resent = await _create_mail(database, settings, zone, clock, run)
    rendered = await render_mails(database, settings, clock)
    queue = await _list_queue(
        database, settings, params, everything=bool(rendered.mails) or params.day is not None
    )
    outcomes = [_report_not_rendered(day) for day in rendered.failed]
    outcomes += await _send_all(database, settings, clock, run, queue)
    async with database.transaction() as session:
        await deliveries.drop_finished_mails(session)
    if rendered.mails:
        await asyncio.to_thread(release_free_memory)
    async with database.session() as session:
        figures = await read_figures(session, run)
    message = _make_summary(params, figures["send_reports"], outcomes, resent=resent)
    return StepResult(
        ok=not any(outcome.failure for outcome in outcomes), message=message, figures=figures
    )


async def _create_mail(
    database: Database,
    settings: MailSettings,
    zone: ZoneInfo,
    clock: Clock,
    run: RunContext[MailParams],
) -> bool:
    """Create the mail of the run's date, if it has one.

    Return True if the date is to be mailed again and an equal request has done so already.
    """
    params = run.params
    if params.day is None:
        return False
    cut = await find_cut(database, clock)
    async with database.transaction() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        if params.resend:
            await digests.continue_unfinished_resend(
                session, params.day, settings.recipients, run_id=run.id
            )
            if await digests.is_resent(
                session, params.day, settings.recipients, since_run=run.done_since
            ):
                return True
        await assign_reports(session, settings, zone, run, day=params.day, cut=cut)
    return False


def _report_not_rendered(day: date) -> AttemptOutcome:
    return AttemptOutcome(
        failure=(
            f"Письмо за {day:%d.%m} не составить: внутренняя ошибка службы, подробности в журнале;"
            " отчёты сохранены."
        )
    )


async def _list_queue(
    database: Database,
    settings: MailSettings,
    params: MailParams,
    *,
    everything: bool,
) -> list[OpenDelivery]:
    """Return ``everything`` that is open, or the deliveries that a scheduled retry lists."""
    listed = None if everything else params.deliveries
    async with database.transaction() as session:
        await deliveries.drop_removed(session, settings.recipients)
        return await deliveries.list_open(session, settings.recipients, ids=listed)


async def _send_all(
    database: Database,
    settings: MailSettings,
    clock: Clock,
    run: RunContext[MailParams],
    queue: Sequence[OpenDelivery],
) -> list[AttemptOutcome]:
    """Attempt each delivery once: recipients in parallel, the mails of one recipient in order."""
    slots = asyncio.Semaphore(_RECIPIENTS_AT_ONCE)
    by_recipient: dict[str, list[OpenDelivery]] = defaultdict(list)
    for delivery in queue:
        by_recipient[delivery.recipient].append(delivery)
    run.progress.done, run.progress.total = 0, len(queue)

    async def send_to_recipient(mails: Sequence[OpenDelivery]) -> list[AttemptOutcome]:
        outcomes = []
        async with slots:
            for delivery in mails:
                outcomes.append(
                    await settings.arrivals.run_to_completion(
                        Attempt(database, settings, clock, run, delivery)
                    )
                )
                run.progress.done += 1
        return outcomes

    tasks = [asyncio.create_task(send_to_recipient(mails)) for mails in by_recipient.values()]
    try:
        return [outcome for outcomes in await asyncio.gather(*tasks) for outcome in outcomes]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _make_summary(
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
        mails = plural(sent, "письмо", "письма", "писем")
        reports_brought = (
            f", {plural(brought, 'отчёт', 'отчёта', 'отчётов')}"
            if brought
            else "; новых отчётов нет"
        )
        parts.append(f"Отправлено: {mails}{reports_brought}.")
    parts.extend(dict.fromkeys(failures))
    return " ".join(parts)
