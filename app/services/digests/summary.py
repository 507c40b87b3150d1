"""The figures of a period or of a date's mails: the same queries as the mail's own."""

from dataclasses import dataclass

from app.database.engine import Database
from app.models import Account
from app.repositories import accounts
from app.repositories.report_figures import Selection
from app.services.digests.measures import Measured, measure_reports


@dataclass(frozen=True)
class Summary:
    """What was counted, and the accounts that it was counted by."""

    measured: Measured
    accounts: list[Account]


async def summarize(database: Database, selection: Selection, zone: str) -> Summary:
    """Counts the selection as it stands at one moment: a report written meanwhile is in all of the
    figures or in none.
    """
    async with database.session() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        measured = await measure_reports(session, selection, zone)
        known = await accounts.list_accounts(session)
    return Summary(measured, [account for account in known if account.id in measured.accounts])
