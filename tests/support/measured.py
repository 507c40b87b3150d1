"""Figures computed in Python from the stored bodies, details and reviews of reports."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.criteria import GRADE_COLUMNS, Criterion
from app.domain.grades import Grade
from app.domain.thresholds import BAD_BELOW
from app.services.digests.breakdowns import Breakdowns, GroupMeasures
from app.services.digests.figures import (
    BotFirst,
    Contacts,
    CriterionShare,
    FirstAnswer,
    Measures,
    RepeatedAnswer,
    Steadiness,
)
from app.services.digests.measures import Measured
from tests.support.stage import Stage

Row = Mapping[str, Any]


async def fetch_graded(stage: Stage, *, reviewed: bool = False) -> list[Row]:
    """Return all reports that figures count, with the grades of their reviews if ``reviewed``."""
    rows = await stage.rows(
        "SELECT reports.*, chats.item_id, reviews.id AS review_id, to_json(reviews) AS review,"
        " accounts.name AS account, digests.day AS mailed_on"
        " FROM reports JOIN chats ON chats.id = reports.chat_id"
        " JOIN accounts ON accounts.id = reports.account_id"
        " LEFT JOIN digests ON digests.id = reports.digest_id"
        " LEFT JOIN reviews ON reviews.report_id = reports.id AND reviews.ended_at IS NULL"
        " WHERE reports.kind = 'grading' ORDER BY reports.id"
    )
    return [_apply_review(row) if reviewed and row["review"] else row for row in rows]


def _apply_review(row: Row) -> Row:
    given = row["review"]
    grades = {name: given[name] for name in GRADE_COLUMNS}
    return {**row, **grades, "score": Decimal(str(given["score"]))}


def assert_measured(found: Measured, rows: Sequence[Row], zone: ZoneInfo) -> None:
    """Assert that all measures equal those of the rows, by day, account and series too."""
    _assert_measures(found.total, rows)
    for groups, key in (
        (found.days, lambda row: row["created_at"].astimezone(zone).date()),
        (found.accounts, lambda row: row["account_id"]),
        (found.by_series, lambda row: (row["model"], row["prompt_version"])),
    ):
        split = split_rows(rows, key)
        assert groups.keys() == split.keys()
        for name, part in split.items():
            _assert_measures(groups[name], part)
    assert list(found.days) == sorted(found.days)
    first = {(row["model"], row["prompt_version"]): row["id"] for row in reversed(rows)}
    assert list(found.by_series) == sorted(first, key=lambda series: first[series])


def assert_broken_down(found: Breakdowns, rows: Sequence[Row], zone: ZoneInfo) -> None:
    """Assert that the groups by listing, hour and weekday equal those of the rows."""
    asked = [row for row in rows if row["first_client_at"]]
    local: Callable[[Row], Any] = lambda row: row["first_client_at"].astimezone(zone)  # noqa: E731
    listings = {listing.item_id: listing for listing in found.listings}
    split = split_rows(rows, lambda row: row["item_id"])
    assert listings.keys() == split.keys()
    for item_id, part in split.items():
        assert listings[item_id].title == part[-1]["body"]["chat_title"]
    for groups, parts in (
        ({item_id: listing.measures for item_id, listing in listings.items()}, split),
        (found.hours, split_rows(asked, lambda row: local(row).hour)),
        (found.weekdays, split_rows(asked, lambda row: local(row).isoweekday())),
    ):
        assert groups.keys() == parts.keys()
        for name, part in parts.items():
            _assert_measures(groups[name], part)


def measure_steady(rows: Iterable[Row]) -> Steadiness:
    """Return how often two gradings of the rows differ."""
    asked: Counter[tuple[str, str]] = Counter()
    flipped: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for part, answers in (row["repeat"] or {}).items():
            for name, (first, second) in answers.items():
                asked[part, name] += 1
                flipped[part, name] += first != second
    return Steadiness(
        **{
            wanted: tuple(
                RepeatedAnswer(name=name, n=n, flipped=flipped[part, name])
                for (part, name), n in sorted(asked.items())
                if part == wanted
            )
            for wanted in ("criteria", "checks")
        }
    )


def split_rows(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Return the rows by a key."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _assert_measures(found: Measures | GroupMeasures, rows: Sequence[Row]) -> None:
    scores = [row["score"] for row in rows]
    mean = (sum(scores) / len(scores)).quantize(Decimal("0.01"), ROUND_HALF_UP) if scores else None
    assert found.mean_score == (None if mean is None else float(mean))
    assert found.reports == len(rows)
    assert found.chats == len({row["chat_id"] for row in rows})
    assert found.bad_reports == sum(score < BAD_BELOW for score in scores)
    assert found.critical_reports == _count_flag(rows, "critical")
    assert found.first_answer == _measure_answers(rows)
    if isinstance(found, Measures):
        assert found.reviewed_reports == sum(row["review_id"] is not None for row in rows)
        assert found.addressed_reports == _count_flag(rows, "addresses_grader")
        assert found.unproven_reports == _count_flag(rows, "no_evidence")
        assert found.contradicting_reports == _count_flag(rows, "contradiction")
        assert found.contacts == Contacts(
            count=sum(isinstance(row["detail"].get("contact"), dict) for row in rows),
            n=sum("contact" in row["detail"] for row in rows),
        )
        assert found.bot_first == BotFirst(
            count=sum(row["detail"].get("bot_first") is True for row in rows),
            n=sum("bot_first" in row["detail"] for row in rows),
        )
        costs = [row["cost_usd"] for row in rows]
        assert found.cost_usd == (None if None in costs or not costs else sum(costs))
        assert found.criteria == tuple(_measure_criterion(rows, one) for one in Criterion)


def _count_flag(rows: Iterable[Row], flag: str) -> int:
    return sum(flag in row["detail"].get("flags", ()) for row in rows)


def _measure_answers(rows: Iterable[Row]) -> FirstAnswer:
    times = (row["detail"].get("answer_times", {}).get("first_answer_seconds") for row in rows)
    waited = sorted(seconds for seconds in times if seconds is not None)
    return FirstAnswer(
        answered=len(waited),
        median_seconds=_interpolate(waited, 0.5),
        p90_seconds=_interpolate(waited, 0.9),
    )


def _interpolate(ordered: Sequence[int], share: float) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low, high = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return low + (place - int(place)) * (high - low)


def _measure_criterion(rows: Iterable[Row], criterion: Criterion) -> CriterionShare:
    counted = Counter(row[criterion.column] for row in rows)
    return CriterionShare(
        label=criterion.label,
        high=counted[Grade.HIGH],
        medium=counted[Grade.MEDIUM],
        low=counted[Grade.LOW],
        absent=counted[Grade.NONE],
    )
