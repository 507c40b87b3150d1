"""The figures of a mail, drawn from its reports and chats in the transaction that puts it together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.grading.episode import SkipReason
from app.grading.vocabulary import Check, Criterion, Grade
from app.repositories import accounts, digests
from app.services.figures import Coverage, CriterionShare, DigestFigures, FailedChat, WaitingBuyer, WorstChat

WAITING_FOR_AT_MOST = timedelta(days=7)
"""A buyer who wrote longer ago no longer waits."""
UNTITLED = "Чат без объявления"
NAMELESS = "Клиент"

_WORST, _WAITING, _FAILED = 5, 10, 10


@dataclass(frozen=True)
class Period:
    """What a mail is about: its date, the days it covers, and the span from the cut-off before to its own, ``[start, end)``.

    ``after_message_id``: messages copied later than this one were in no mail before, and count from ``late_since`` on; None: no mail was
    before.
    """

    day: date
    covered_days: tuple[date, ...]
    start: datetime
    end: datetime
    after_message_id: int | None
    late_since: datetime


async def draw_figures(
    session: AsyncSession,
    digest_ids: Sequence[int],
    period: Period,
    zone: ZoneInfo,
    *,
    problems: Sequence[str],
    failed_addresses: Sequence[str],
) -> DigestFigures:
    """The figures over the reports that the given mails carry."""
    totals = await digests.totals(session, digest_ids)
    seen = await accounts.list_accounts(session)
    buyers = await digests.waiting_buyers(session, since=period.end - WAITING_FOR_AT_MOST, until=period.end, limit=_WAITING)
    return DigestFigures(
        day=period.day,
        covered_days=period.covered_days,
        timezone=zone.key,
        period_start=period.start,
        period_end=period.end,
        accounts=tuple(account.name for account in seen),
        synced_at=min((account.synced_at for account in seen if account.synced_at), default=None),
        problems=tuple(problems),
        coverage=await _coverage(session, period),
        reports=totals["reports"],
        mean_score=totals["mean_score"],
        bad_reports=totals["bad_reports"],
        criteria=await _shares(session, digest_ids),
        worst=tuple(_worst(row) for row in await digests.worst(session, digest_ids, limit=_WORST)),
        waiting_buyers=tuple(
            WaitingBuyer(
                chat_id=row["avito_id"],
                chat_title=row["item_title"] or UNTITLED,
                client_name=row["client_name"] or NAMELESS,
                since=row["waiting_since"],
            )
            for row in buyers
        ),
        waiting_buyers_total=buyers[0]["total"] if buyers else 0,
        failed_chats=tuple(
            FailedChat(chat_id=row["avito_id"], chat_title=row["item_title"] or UNTITLED, reason=row["outcome_reason"] or "")
            for row in await digests.failed_chats(session, limit=_FAILED)
        ),
        incomplete_chats=await digests.incomplete_chats(session),
        cut_short_accounts=tuple(account.name for account in seen if account.lists_cut_short),
        cost_usd=totals["cost_usd"],
        models=tuple(totals["models"]),
        prompt_versions=tuple(totals["prompt_versions"]),
        failed_addresses=tuple(failed_addresses),
    )


async def _coverage(session: AsyncSession, period: Period) -> Coverage:
    counts: dict[str, int] = {}
    skipped: dict[str, int] = {}
    found = await digests.coverage(
        session, period.start, period.end, after_message_id=period.after_message_id, late_since=period.late_since
    )
    for row in found:
        if row["status"] == "skipped":
            skipped[SkipReason(row["reason"]).label] = row["chats"]
        else:
            counts[row["status"]] = row["chats"]
    return Coverage(graded=counts.get("graded", 0), skipped=skipped, failed=counts.get("failed", 0), waiting=counts.get("waiting", 0))


async def _shares(session: AsyncSession, digest_ids: Sequence[int]) -> tuple[CriterionShare, ...]:
    counted = {(row["criterion"], row["grade"]): row["reports"] for row in await digests.grade_shares(session, digest_ids)}
    return tuple(
        CriterionShare(
            label=criterion.label,
            high=counted.get((criterion, Grade.HIGH), 0),
            medium=counted.get((criterion, Grade.MEDIUM), 0),
            low=counted.get((criterion, Grade.LOW), 0),
            absent=counted.get((criterion, Grade.NONE), 0),
        )
        for criterion in Criterion
    )


def _worst(row: digests.Row) -> WorstChat:
    detail: dict[str, Any] = row["detail"]
    low = [name for name in Criterion if detail["criteria"][name]["grade"] == Grade.LOW]
    # Where several are low, the one that failed most of its checks and has a quote to show for it.
    criterion = max(low, key=lambda name: (bool(detail["criteria"][name]["quotes"]), _failed_checks(detail["criteria"][name])))
    quotes = detail["criteria"][criterion]["quotes"]
    advice = detail["recommendations"]
    return WorstChat(
        report_id=row["id"],
        chat_id=row["avito_id"],
        chat_title=row["chat_title"],
        client_name=row["client_name"],
        score=row["score"],
        criterion=criterion.label,
        quote=quotes[0]["text"] if quotes else None,
        advice=advice[0]["text"] if advice else None,
    )


def _failed_checks(verdict: dict[str, Any]) -> int:
    return list(verdict["checks"].values()).count(Check.NO)
