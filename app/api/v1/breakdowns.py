"""The breakdowns of a summary by listing, hour and weekday.

A group of fewer than ``ENOUGH_REPORTS`` reports has its number of reports and no other figure.
"""

from typing import Any

from app.domain.thresholds import ENOUGH_REPORTS
from app.services.digests.breakdowns import Breakdowns, GroupMeasures


def make_breakdowns(breakdowns: Breakdowns) -> dict[str, Any]:
    """Return the fields of a summary."""
    return {
        "by_listing": [
            {
                "item_id": listing.item_id,
                "title": listing.title,
                **_make_figures(listing.measures),
            }
            for listing in breakdowns.listings
        ],
        "other_listings": {
            "listings": breakdowns.other_listings,
            "n": breakdowns.other_reports,
        },
        "worst_listings": [
            {
                "item_id": listing.item_id,
                "title": listing.chat_title,
                "n": listing.reports,
                "mean_score": listing.mean_score,
            }
            for listing in breakdowns.worst_listings
        ],
        "by_hour": [
            {"hour": hour, **_make_figures(measures)} for hour, measures in breakdowns.hours.items()
        ],
        "by_weekday": [
            {"weekday": weekday, **_make_figures(measures)}
            for weekday, measures in breakdowns.weekdays.items()
        ],
    }


def _make_figures(measures: GroupMeasures) -> dict[str, Any]:
    answer = measures.first_answer
    figures = {
        "chats": measures.chats,
        "mean_score": measures.mean_score,
        "bad_reports": measures.bad_reports,
        "bad_share": compute_share(measures.bad_reports, measures.reports),
        "critical_reports": measures.critical_reports,
        "first_answer": {
            "reports": answer.answered,
            "median_seconds": round_seconds(answer.median_seconds),
            "p90_seconds": round_seconds(answer.p90_seconds),
        },
    }
    if measures.reports < ENOUGH_REPORTS:
        figures = dict.fromkeys(figures)
    return {"n": measures.reports, **figures}


def compute_share(part: int, whole: int) -> float | None:
    """Return a share from 0 to 1 for REST; None of nothing."""
    return round(part / whole, 4) if whole else None


def round_seconds(seconds: float | None) -> float | None:
    """Return seconds for REST."""
    return None if seconds is None else round(seconds, 1)
