"""The figures of a period or of a date's mails, from the same queries as a mail's figures."""

from dataclasses import dataclass

from app.database.engine import Database
from app.models import Account
from app.repositories import accounts
from app.repositories.report_filter import ReportFilter
from app.services.digests.measures import Measured, measure_reports


@dataclass(frozen=True)
class Summary:
    """The figures and the accounts that have reports in them."""

    measured: Measured
    accounts: list[Account]


async def summarize(database: Database, wanted: ReportFilter, zone: str) -> Summary:
    """Measure the reports of a filter at one moment: a report written meanwhile is in all figures
    or in none.
    """
    async with database.session() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        measured = await measure_reports(session, wanted, zone)
        known = await accounts.list_accounts(session)
    return Summary(measured, [account for account in known if account.id in measured.accounts])
