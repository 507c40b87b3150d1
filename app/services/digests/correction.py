"""Correct the share of bad reports by the blind labels of people."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.grading.corrected_share import SMALLEST, LabelCounts, correct_share
from app.repositories import labels
from app.services.digests.figures import CorrectedShare
from app.services.digests.measures import Measured


async def correct_bad_share(
    session: AsyncSession, measured: Measured, *, account: str | None = None, before: datetime
) -> CorrectedShare | None:
    """Return the corrected share of bad reports, by the labels given before a moment.

    Only labels of the same series count, and with ``account`` only those of the account: another
    model makes other errors. None: too few labels, no reports, or reports of several series.
    """
    total = measured.total
    if len(measured.by_series) != 1:
        return None
    found = LabelCounts(
        *await labels.count_labels(session, measured.by_series.keys(), account, before=before)
    )
    if sum(found) < SMALLEST:
        return None
    estimate = correct_share(total.bad_reports, total.reports, found)
    # A mail and REST, which has four decimals, show the same whole percent.
    share, low, high = (round(value, 4) for value in estimate)
    return CorrectedShare(share=share, low=low, high=high, labels=sum(found))
