"""The figures of a period or of a date's mails, for ``GET /reports/summary``."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.models import Account
from app.repositories import accounts, mail_days, report_measures
from app.repositories.report_filter import ReportFilter
from app.services.digests.breakdowns import Breakdowns, measure_breakdowns
from app.services.digests.correction import correct_bad_share
from app.services.digests.figures import CorrectedShare, Steadiness
from app.services.digests.measures import Measured, measure_reports
from app.services.digests.steadiness import measure_steadiness
from app.services.digests.stored_figures import parse_figures


@dataclass(frozen=True)
class Summary:
    """The figures of a filter's reports and the accounts that have some of them."""

    measured: Measured
    breakdowns: Breakdowns
    steadiness: Steadiness
    accounts: list[Account]
    bad_share_corrected: CorrectedShare | None


async def summarize(
    database: Database, wanted: ReportFilter, zone: str, *, now: datetime
) -> Summary:
    """Measure the reports of a filter in one snapshot, so that all figures agree.

    The share of bad reports is corrected for the model's grades only. For the mails of a date, the
    labels are those that the mails have counted.
    """
    async with database.session() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        await report_measures.prepare_long_period(session)
        measured = await measure_reports(session, wanted, zone)
        breakdowns = await measure_breakdowns(session, wanted, zone)
        steadiness = await measure_steadiness(session, wanted)
        stored = await accounts.list_accounts(session)
        corrected = None
        if not wanted.reviewed:
            drawn_at = await _find_drawn_at(session, wanted.mailed_on or ())
            corrected = await correct_bad_share(
                session, measured, account=wanted.account, before=drawn_at or now
            )
    shown = [account for account in stored if account.id in measured.accounts]
    return Summary(measured, breakdowns, steadiness, shown, corrected)


async def _find_drawn_at(session: AsyncSession, days: Sequence[date]) -> datetime | None:
    """Return when the figures of these dates' mails were built; None without mails."""
    figures = [await mail_days.get_figures(session, day) for day in days]
    built = [
        (await asyncio.to_thread(parse_figures, one)).drawn_at for one in figures if one is not None
    ]
    return max((at for at in built if at is not None), default=None)
