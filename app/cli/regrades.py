"""Period and output of ``regrade``: how the second grading differs from the first."""

from datetime import date

from rich import box
from rich.table import Table
from rich.text import Text

from app.cli.console import print_line, screen
from app.clock import day_bounds, local_date, system_clock
from app.config import Settings
from app.database.engine import Database
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.errors import SettingsError
from app.russian_text import plural
from app.services.analysis.regrade_pairs import GradeChange, RegradeComparison, compare_regrades
from app.services.run_params import RegradePeriod

_SHOWN = 10


def regrade_period(
    settings: Settings, since: date, until: date | None, limit: int | None
) -> RegradePeriod:
    """Return the span of the days of REPORT_TIMEZONE, both included.

    Raises:
        SettingsError: the period ends before it begins.
    """
    last = until or max(since, local_date(system_clock(), settings.report_timezone))
    if last < since:
        raise SettingsError(f"--until: {last} раньше, чем --since {since}.")
    start, end = day_bounds(since, last, settings.report_timezone)
    return RegradePeriod(start=start, end=end, limit=limit)


async def show_regrades(database: Database, run_id: int) -> None:
    """Print the comparison of a run's second gradings with the first."""
    comparison = await compare_regrades(database, run_id)
    if comparison is None:
        return
    screen.print(_make_table(comparison))
    print_line(
        f"Средний балл: {comparison.mean_before:.1f} → {comparison.mean_after:.1f}"
        f" ({plural(comparison.pairs, 'пара', 'пары', 'пар')})."
    )
    print_line(_describe_series(comparison))
    for change in comparison.changes[:_SHOWN]:
        print_line(_describe_change(change))
    if more := comparison.changes[_SHOWN:]:
        print_line(f"И ещё {plural(len(more), 'отчёт', 'отчёта', 'отчётов')} с другими оценками.")


def _make_table(comparison: RegradeComparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Критерий")
    table.add_column("Совпало", justify="right")
    table.add_column("Что изменилось")
    for criterion in Criterion:
        moved = [
            (pair, count)
            for pair, count in comparison.moves[criterion].most_common()
            if pair[0] != pair[1]
        ]
        same = comparison.count_unchanged(criterion)
        words = ", ".join(f"{_format_pair(*pair)}: {count}" for pair, count in moved)
        table.add_row(
            criterion.label,
            f"{same} из {comparison.pairs} ({same / comparison.pairs:.0%})",
            Text(words or "ничего"),
        )
    return table


def _describe_series(comparison: RegradeComparison) -> str:
    if comparison.same_series:
        return "Модель и рубрика те же: разница — непостоянство самой модели."
    before, after = (
        "; ".join(f"{model}, рубрика {version}" for model, version in sorted(series))
        for series in (comparison.series_before, comparison.series_after)
    )
    return f"Оценивали разные модели или рубрики: раньше {before}; теперь {after}."


def _describe_change(change: GradeChange) -> str:
    grades = ", ".join(
        f"{criterion.label.lower()} {_format_pair(*pair)}"
        for criterion, pair in change.grades.items()
    )
    numbers = f"отчёт {change.report_id}, заново {change.regrade_id}"
    return (
        f"  {change.score_before:.0f} → {change.score_after:.0f}  {change.chat_title} ({numbers}):"
        f" {grades}"
    )


def _format_pair(before: Grade, after: Grade) -> str:
    return f"{before.value} → {after.value}"
