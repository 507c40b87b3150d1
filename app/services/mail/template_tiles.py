"""The mail's four numbers, what each is of, and how it has changed against earlier mails."""

from collections.abc import Callable, Iterator, Sequence
from math import floor
from typing import Literal, NamedTuple

from app.domain.thresholds import BAD_BELOW
from app.russian_text import NBSP, arrow, number, percent, plural, span, to_weekdays, waited
from app.services.digests.figures import Baseline, DigestFigures

ENOUGH = 5
"""Fewer reports than this say nothing about a share."""

Tone = Literal["good", "bad", "soft"]


class TileChange(NamedTuple):
    """How a number differs from an earlier one."""

    words: str
    tone: Tone


class Tile(NamedTuple):
    """One of the four numbers: what it is, what it is of, and how it has changed; ``second``:
    another number beside it.
    """

    label: str
    value: str
    note: str
    changes: list[TileChange]
    second: str = ""
    second_changes: Sequence[TileChange] = ()


def score_change(figures: DigestFigures) -> str | None:
    """The mean score against the day before, where both were graded by the same."""
    before = figures.day_before
    if (
        before is None
        or not before.same_series
        or before.mean_score is None
        or figures.mean_score is None
    ):
        return None
    change = _rounded(figures.mean_score) - _rounded(before.mean_score)
    return arrow(change, number(abs(change)))


def tiles(figures: DigestFigures) -> tuple[Tile, ...]:
    """The four; for a mail that carries reports."""
    few = ", мало данных" if figures.reports < ENOUGH else ""
    mean = "—" if figures.mean_score is None else number(figures.mean_score)
    bad = 100 * figures.bad_reports / figures.reports
    longest, around_the_clock = (
        longest_wait(figures),
        ", круглосуточно" if figures.working_time else "",
    )
    return (
        Tile(
            "Средняя оценка",
            mean,
            f"из 100, по {_tied(figures.reports, 'отчёту', 'отчётам', 'отчётам')}{few}",
            _changes(
                figures,
                lambda of: of.mean_score if of.same_series else None,
                figures.mean_score,
                gain=1,
            ),
        ),
        Tile(
            f"Оценка ниже{NBSP}{BAD_BELOW}",
            percent(figures.bad_reports, figures.reports),
            f"{bad_count(figures)}{few}",
            _changes(
                figures, _bad_share, bad, shown=lambda points: f"{number(points)}{NBSP}п.{NBSP}п."
            ),
        ),
        _first_answer(figures),
        Tile(
            "Ждут ответа",
            number(len(figures.waiting_buyers)),
            f"дольше всех: {longest}{around_the_clock}" if longest else "сейчас никто",
            _changes(figures, lambda of: of.waiting_buyers, len(figures.waiting_buyers)),
        ),
    )


def _first_answer(figures: DigestFigures) -> Tile:
    answer = figures.first_answer
    median, p90 = _minutes(answer.median_seconds), _minutes(answer.p90_seconds)
    if median is None or p90 is None:
        return Tile("Первый ответ", "—", "ни в одном отчёте его времени нет", [])
    few = ", мало данных" if answer.answered < ENOUGH else ""
    hours = ", рабочее время" if figures.working_time else ""
    return Tile(
        "Первый ответ",
        span(median),
        f"медиана по {_tied(answer.answered, 'отчёту', 'отчётам', 'отчётам')}{hours}{few}",
        _changes(
            figures,
            lambda of: _minutes(of.first_answer.median_seconds) if of.same_hours else None,
            median,
            shown=span,
        ),
        f"p90: {span(p90)}" + ("" if few else f" (9{NBSP}из{NBSP}10 быстрее)"),
        _changes(
            figures,
            lambda of: _minutes(of.first_answer.p90_seconds) if of.same_hours else None,
            p90,
            shown=span,
        ),
    )


def _baselines(figures: DigestFigures) -> Iterator[tuple[Baseline, str]]:
    """What is compared with, and how that is called."""
    if figures.day_before is not None:
        yield figures.day_before, f"к{NBSP}{figures.day_before.days[0]:%d.%m}"
    if figures.same_weekdays is not None:
        yield figures.same_weekdays, to_weekdays(figures.same_weekdays.days[0])


def _changes(
    figures: DigestFigures,
    of: Callable[[Baseline], float | None],
    now: float | None,
    *,
    gain: int = -1,
    shown: Callable[[int], str] = number,
) -> list[TileChange]:
    """Differences of the numbers as they are shown, so that they are those between two mails;
    ``gain``: 1 where more is better.
    """
    changes = []
    for baseline, name in _baselines(figures):
        before = of(baseline)
        if before is None or now is None:
            continue
        change = _rounded(now) - _rounded(before)
        tone: Tone = "good" if change * gain > 0 else "bad" if change else "soft"
        changes.append(TileChange(f"{arrow(change, shown(abs(change)))} {name}", tone))
    return changes


def _bad_share(of: Baseline) -> float | None:
    return 100 * of.bad_reports / of.reports if of.reports and of.same_series else None


def _minutes(seconds: float | None) -> int | None:
    """As :func:`span` shows it."""
    return None if seconds is None else _rounded(seconds / 60)


def _rounded(value: float) -> int:
    """As :func:`number` shows it."""
    return floor(value + 0.5)


def _tied(count: int, one: str, few: str, many: str) -> str:
    """A count that stays with its noun at the end of a line."""
    return plural(count, one, few, many).replace(" ", NBSP)


def compared_line(figures: DigestFigures) -> str | None:
    """What the changes are against, and which ones are left out because the yardstick or the clock
    was another.
    """
    named = list(_baselines(figures))
    if not named:
        return None
    against = []
    for baseline, name in named:
        days = (
            ""
            if baseline is figures.day_before
            else f" {', '.join(f'{day:%d.%m}' for day in baseline.days)}"
        )
        of = (
            plural(baseline.reports, "отчёт", "отчёта", "отчётов")
            if baseline.reports
            else "отчётов не было, сравниваются только ждущие"
        )
        against.append(f"{name}{days} ({of})")
    other = [name for baseline, name in named if baseline.reports and not baseline.same_series]
    apart = (
        f" Оценки {' и '.join(other)} не сравниваются: другая модель или рубрика." if other else ""
    )
    clocked = [
        name
        for baseline, name in named
        if baseline.first_answer.answered and not baseline.same_hours
    ]
    how = "круглосуточно" if figures.working_time else "в рабочих часах"
    apart += (
        f" Первый ответ {' и '.join(clocked)} не сравнивается: тогда он считался {how}."
        if clocked
        else ""
    )
    return f"Изменения: {', '.join(against)}.{apart}"


def bad_count(figures: DigestFigures) -> str:
    """How many of the reports have a score below ``BAD_BELOW``. A chat that was graded twice counts
    twice, as in the mean.
    """
    return (
        f"{number(figures.bad_reports)} из {_tied(figures.reports, 'отчёта', 'отчётов', 'отчётов')}"
    )


def longest_wait(figures: DigestFigures) -> str | None:
    """How long the buyer who waits longest has waited, in words."""
    return (
        waited(min(buyer.since for buyer in figures.waiting_buyers), figures.period_end)
        if figures.waiting_buyers
        else None
    )
