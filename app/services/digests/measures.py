"""Figures over a set of reports, for mails, summaries and comparisons of days."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.repositories import report_measures
from app.repositories.report_filter import ReportFilter
from app.repositories.report_measures import Row, label_count
from app.services.digests.figures import (
    BotFirst,
    Contacts,
    CriterionShare,
    FirstAnswer,
    Measures,
    Series,
)

_Group = tuple[date | None, int | None, str | None, str | None]
_ALL: _Group = (None, None, None, None)


@dataclass(frozen=True)
class Measured:
    """The figures of a filter's reports: of all, and by day, account (row id) and series."""

    total: Measures
    days: dict[date, Measures]
    accounts: dict[int, Measures]
    by_series: dict[tuple[str, str], Measures]

    @property
    def series(self) -> tuple[Series, ...]:
        """The models and prompt versions, in the order of their first reports."""
        return tuple(
            Series(
                model=model,
                prompt_version=version,
                reports=measures.reports,
                mean_score=measures.mean_score or 0.0,
                bad_reports=measures.bad_reports,
            )
            for (model, version), measures in self.by_series.items()
        )


async def measure_reports(session: AsyncSession, wanted: ReportFilter, zone: str) -> Measured:
    """Measure the reports of a filter in one query."""
    measured = {
        _get_group(row): _make_measures(row)
        for row in await report_measures.measure(session, wanted, zone)
    }
    return Measured(
        total=measured[_ALL],
        days={day: measures for (day, *_), measures in measured.items() if day is not None},
        accounts={
            account: measures
            for (_, account, *_), measures in measured.items()
            if account is not None
        },
        by_series={
            (model, version): measures
            for (*_, model, version), measures in measured.items()
            if model and version
        },
    )


def _get_group(row: Row) -> _Group:
    return row["day"], row["account_id"], row["model"], row["prompt_version"]


def _make_measures(row: Row) -> Measures:
    return Measures(
        reports=row["reports"],
        chats=row["chats"],
        mean_score=row["mean_score"],
        bad_reports=row["bad_reports"],
        reviewed_reports=row["reviewed"],
        addressed_reports=row["addressed"],
        unproven_reports=row["unproven"],
        critical_reports=row["critical"],
        contradicting_reports=row["contradicting"],
        contacts=Contacts(count=row["contacts"], n=row["contacts_known"]),
        bot_first=BotFirst(count=row["bot_first"], n=row["bots_known"]),
        first_answer=FirstAnswer(
            answered=row["answered"],
            median_seconds=row["median_seconds"],
            p90_seconds=row["p90_seconds"],
        ),
        cost_usd=row["cost_usd"],
        criteria=_make_shares(row),
    )


_COUNTS = {
    criterion.label: {
        "high": label_count(criterion, Grade.HIGH),
        "medium": label_count(criterion, Grade.MEDIUM),
        "low": label_count(criterion, Grade.LOW),
        "absent": label_count(criterion, Grade.NONE),
    }
    for criterion in Criterion
}
"""For each criterion the fields of its share, and the columns that they are read from."""


def _make_shares(row: Row) -> tuple[CriterionShare, ...]:
    return tuple(
        CriterionShare(label=label, **{name: row[column] for name, column in counts.items()})
        for label, counts in _COUNTS.items()
    )
