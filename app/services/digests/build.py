"""Build the figures of a mail from its reports and chats, in the transaction that creates it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.outcomes import Outcome, describe_cause
from app.domain.settling import SettlingSpan
from app.domain.waiting import WAITING_FOR_AT_MOST
from app.models import Account
from app.repositories import accounts, coverage
from app.repositories.report_filter import ReportFilter
from app.services.digests.breakdowns import list_worst_listings
from app.services.digests.comparison import compare_days
from app.services.digests.correction import correct_bad_share
from app.services.digests.figures import CarriedReports, Coverage, DigestFigures
from app.services.digests.measures import Measured, measure_reports
from app.services.digests.shown_chats import ShownChats, select_shown_chats
from app.services.digests.steadiness import describe_equal_answers, measure_steadiness


@dataclass(frozen=True)
class Period:
    """The date of a mail, the dates that it covers, and its period ``[start, end)``.

    ``after_message_id``: messages copied after this one have been in no mail, so they count from
    ``late_since`` on. None: there was no mail before. ``last_message_id``: messages copied after
    this one belong to the next mail.
    """

    day: date
    covered_days: tuple[date, ...]
    start: datetime
    end: datetime
    after_message_id: int | None
    last_message_id: int
    late_since: datetime

    @property
    def span(self) -> dict[str, Any]:
        """Bounds of the messages that make a chat count."""
        return {
            "start": self.start,
            "end": self.end,
            "after_message_id": self.after_message_id,
            "last_message_id": self.last_message_id,
            "late_since": self.late_since,
        }

    @property
    def waiting_span(self) -> dict[str, datetime]:
        """Bounds ``since`` and ``until`` of the last message of a waiting buyer."""
        return {"since": self.end - WAITING_FOR_AT_MOST, "until": self.end}


async def build_figures(
    session: AsyncSession,
    digest_ids: Sequence[int],
    period: Period,
    zone: ZoneInfo,
    *,
    now: datetime,
    working_time: bool,
    settling: SettlingSpan | None,
    avito_clients: Sequence[str],
    problems: Sequence[str],
    failed_addresses: Sequence[str],
) -> DigestFigures:
    """Build the figures of the reports that the given mails carry.

    ``working_time`` and ``avito_clients``: see ``MailSettings``. ``settling``: the span of ``now``.
    """
    wanted = ReportFilter(digest_ids=list(digest_ids))
    measured = await measure_reports(session, wanted, zone.key)
    shown = await select_shown_chats(
        session, wanted, span=period.span, waiting=period.waiting_span, settling=settling
    )
    chats, carried = await _count_chats(session, digest_ids, period, measured.total.reports)
    return DigestFigures(
        day=period.day,
        covered_days=period.covered_days,
        timezone=zone.key,
        period_start=period.start,
        period_end=period.end,
        drawn_at=now,
        **await _describe_accounts(session, avito_clients, measured, shown),
        problems=(*problems, *filter(None, [await describe_equal_answers(session, wanted)])),
        coverage=chats,
        carried=carried,
        **_describe_reports(measured),
        steadiness=await measure_steadiness(session, wanted),
        bad_share_corrected=await correct_bad_share(session, measured, before=now),
        working_time=working_time,
        **await compare_days(
            session, measured, period.covered_days, zone.key, working_time=working_time
        ),
        **shown,
        worst_listings=await list_worst_listings(session, wanted, zone.key),
        incomplete_chats=await coverage.count_incomplete_chats(session),
        failed_addresses=tuple(failed_addresses),
    )


def _describe_reports(measured: Measured) -> dict[str, Any]:
    total = measured.total
    return {
        "reports": total.reports,
        "mean_score": total.mean_score,
        "bad_reports": total.bad_reports,
        "addressed_reports": total.addressed_reports,
        "unproven_reports": total.unproven_reports,
        "critical_reports": total.critical_reports,
        "contradicting_reports": total.contradicting_reports,
        "contacts": total.contacts,
        "bot_first": total.bot_first,
        "first_answer": total.first_answer,
        "criteria": total.criteria,
        "cost_usd": total.cost_usd,
        "series": measured.series,
        "models": tuple(dict.fromkeys(series.model for series in measured.series)),
        "prompt_versions": tuple(
            dict.fromkeys(series.prompt_version for series in measured.series)
        ),
    }


async def _describe_accounts(
    session: AsyncSession, avito_clients: Sequence[str], measured: Measured, shown: ShownChats
) -> dict[str, Any]:
    stored = await accounts.list_accounts(session)
    read = _list_read(stored, avito_clients)
    removed = [account for account in stored if account not in read]
    syncs = [account.synced_at for account in read if account.synced_at]
    return {
        "accounts": tuple(account.name for account in read),
        "dropped_accounts": _list_dropped(removed, measured, shown),
        "synced_at": min(syncs, default=None),
        "cut_short_accounts": tuple(account.name for account in read if account.lists_cut_short),
    }


def _list_read(stored: Sequence[Account], avito_clients: Sequence[str]) -> list[Account]:
    """Return the accounts of the settings that have been synced."""
    # API keys may have moved to another account: the newest one has them.
    newest = {account.client_id: account for account in stored}
    return [newest[client] for client in avito_clients if client in newest]


def _list_dropped(
    removed: Sequence[Account], measured: Measured, shown: ShownChats
) -> tuple[str, ...]:
    """Return the accounts that were removed from the settings and have reports or chats here."""
    shown_names = {buyer.account for buyer in shown["waiting_buyers"]}
    shown_names |= {chat.account for chat in shown["ungraded"]}
    return tuple(
        account.name
        for account in removed
        if account.id in measured.accounts or account.name in shown_names
    )


async def _count_chats(
    session: AsyncSession, digest_ids: Sequence[int], period: Period, reports: int
) -> tuple[Coverage, CarriedReports]:
    """Count the chats of the period by outcome, and the carried reports by their chats."""
    counts: dict[str, int] = {}
    skipped: dict[str, int] = {}
    found = await coverage.list_coverage(session, digest_ids, period.span)
    for row in found:
        if row["current_outcome"] == Outcome.SKIPPED:
            skipped[describe_cause(row["code"], None) or ""] = row["chats"]
        else:
            counts[row["current_outcome"]] = row["chats"]
    graded = counts.get(Outcome.GRADED, 0)
    newest = sum(row["chats_reported"] for row in found if row["current_outcome"] == Outcome.GRADED)
    of_period = sum(row["reports"] for row in found)
    return (
        Coverage(
            graded=graded,
            skipped=skipped,
            failed=counts.get(Outcome.FAILED, 0),
            waiting=counts.get(Outcome.WAITING, 0),
        ),
        CarriedReports(
            of_graded_chats=newest,
            of_same_chats=of_period - newest,
            of_other_chats=reports - of_period,
            graded_chats_mailed_before=graded - newest,
        ),
    )
