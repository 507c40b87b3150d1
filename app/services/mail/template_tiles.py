"""The four tiles of a mail: a number, its base, and its change against earlier mails."""

from collections.abc import Callable, Iterator, Sequence
from math import floor
from typing import Literal, NamedTuple

from app.domain.thresholds import BAD_BELOW, ENOUGH_REPORTS
from app.russian_text import (
    NBSP,
    format_change,
    format_wait,
    number,
    percent,
    plural,
    span,
    to_weekdays,
)
from app.services.digests.figures import Baseline, DigestFigures

ENOUGH = ENOUGH_REPORTS
"""Fewer reports than this are too few for a share."""

Tone = Literal["good", "bad", "soft"]


class TileChange(NamedTuple):
    """The difference to an earlier number."""

    words: str
    tone: Tone


class Tile(NamedTuple):
    """One of the four numbers with its base and changes. ``second``: a further number beside it."""

    label: str
    value: str
    note: str
    changes: list[TileChange]
    second: str = ""
    second_changes: Sequence[TileChange] = ()


def format_score_change(figures: DigestFigures) -> str | None:
    """Return the change of the mean score since the day before, if both have the same series."""
    before = figures.day_before
    if (
        before is None
        or not before.same_series
        or before.mean_score is None
        or figures.mean_score is None
    ):
        return None
    change = _round(figures.mean_score) - _round(before.mean_score)
    return format_change(change, number(abs(change)))


def make_tiles(figures: DigestFigures) -> tuple[Tile, ...]:
    """Return the four tiles of a mail that carries reports."""
    few = ", мало данных" if figures.reports < ENOUGH else ""
    mean = "—" if figures.mean_score is None else number(figures.mean_score)
    bad = 100 * figures.bad_reports / figures.reports
    longest = format_longest_wait(figures)
    around_the_clock = ", круглосуточно" if figures.working_time else ""
    return (
        Tile(
            "Средняя оценка",
            mean,
            f"из 100, по {_join_count(figures.reports, 'отчёту', 'отчётам', 'отчётам')}{few}",
            _list_changes(
                figures,
                lambda of: of.mean_score if of.same_series else None,
                figures.mean_score,
                gain=1,
            ),
        ),
        Tile(
            f"Оценка ниже{NBSP}{BAD_BELOW}",
            percent(figures.bad_reports, figures.reports),
            f"{format_bad_count(figures)}{few}",
            _list_changes(
                figures,
                _compute_bad_share,
                bad,
                shown=lambda points: f"{number(points)}{NBSP}п.{NBSP}п.",
            ),
            _describe_corrected_share(figures),
        ),
        _make_answer_tile(figures),
        Tile(
            "Ждут ответа",
            number(len(figures.waiting_buyers)),
            f"дольше всех: {longest}{around_the_clock}" if longest else "сейчас никто",
            _list_changes(figures, lambda of: of.waiting_buyers, len(figures.waiting_buyers)),
        ),
    )


def _describe_corrected_share(figures: DigestFigures) -> str:
    """Return the share corrected by labels, with its interval; empty with too few labels."""
    corrected = figures.bad_share_corrected
    if corrected is None:
        return ""
    share, low, high = (
        number(100 * value) for value in (corrected.share, corrected.low, corrected.high)
    )
    return f"с поправкой: {share}{NBSP}% ({low}–{high}{NBSP}%)"


def _make_answer_tile(figures: DigestFigures) -> Tile:
    answer = figures.first_answer
    median, p90 = _to_minutes(answer.median_seconds), _to_minutes(answer.p90_seconds)
    if median is None or p90 is None:
        return Tile("Первый ответ", "—", "ни в одном отчёте его времени нет", [])
    few = ", мало данных" if answer.answered < ENOUGH else ""
    hours = ", рабочее время" if figures.working_time else ""
    return Tile(
        "Первый ответ",
        span(median),
        f"медиана по {_join_count(answer.answered, 'отчёту', 'отчётам', 'отчётам')}{hours}{few}",
        _list_changes(
            figures,
            lambda of: _to_minutes(of.first_answer.median_seconds) if of.same_hours else None,
            median,
            shown=span,
        ),
        f"p90: {span(p90)}" + ("" if few else f" (9{NBSP}из{NBSP}10 быстрее)"),
        _list_changes(
            figures,
            lambda of: _to_minutes(of.first_answer.p90_seconds) if of.same_hours else None,
            p90,
            shown=span,
        ),
    )


def _list_baselines(figures: DigestFigures) -> Iterator[tuple[Baseline, str]]:
    """Yield the baselines with their names."""
    if figures.day_before is not None:
        yield figures.day_before, f"к{NBSP}{figures.day_before.days[0]:%d.%m}"
    if figures.same_weekdays is not None:
        yield figures.same_weekdays, to_weekdays(figures.same_weekdays.days[0])


def _list_changes(
    figures: DigestFigures,
    of: Callable[[Baseline], float | None],
    now: float | None,
    *,
    gain: int = -1,
    shown: Callable[[int], str] = number,
) -> list[TileChange]:
    """Return the differences of the rounded numbers, as a reader of both mails would compute them.

    ``gain``: 1 if more is better, else -1.
    """
    changes = []
    for baseline, name in _list_baselines(figures):
        before = of(baseline)
        if before is None or now is None:
            continue
        change = _round(now) - _round(before)
        tone: Tone = "good" if change * gain > 0 else "bad" if change else "soft"
        changes.append(TileChange(f"{format_change(change, shown(abs(change)))} {name}", tone))
    return changes


def _compute_bad_share(of: Baseline) -> float | None:
    return 100 * of.bad_reports / of.reports if of.reports and of.same_series else None


def _to_minutes(seconds: float | None) -> int | None:
    """Round as :func:`span` does."""
    return None if seconds is None else _round(seconds / 60)


def _round(value: float) -> int:
    """Round as :func:`number` does."""
    return floor(value + 0.5)


def _join_count(count: int, one: str, few: str, many: str) -> str:
    """Return a count with its noun, without a line break between them."""
    return plural(count, one, few, many).replace(" ", NBSP)


def describe_comparison(figures: DigestFigures) -> str | None:
    """List the earlier mails of the comparison and the numbers that are not comparable.

    They are not comparable if the model, the rubric or the counting of hours differs.
    """
    named = list(_list_baselines(figures))
    if not named:
        return None
    against = (
        _describe_baseline(baseline, name, with_days=baseline is not figures.day_before)
        for baseline, name in named
    )
    how = "круглосуточно" if figures.working_time else "в рабочих часах"
    return f"Изменения: {', '.join(against)}.{_describe_incomparable(named, how)}"


def _describe_incomparable(named: Sequence[tuple[Baseline, str]], how: str) -> str:
    """Describe the baselines of another series and those with answer times counted ``how``."""
    other = [name for baseline, name in named if baseline.reports and not baseline.same_series]
    clocked = [
        name
        for baseline, name in named
        if baseline.first_answer.answered and not baseline.same_hours
    ]
    sentences = ""
    if other:
        sentences = f" Оценки {' и '.join(other)} не сравниваются: другая модель или рубрика."
    if clocked:
        sentences += (
            f" Первый ответ {' и '.join(clocked)} не сравнивается: тогда он считался {how}."
        )
    return sentences


def _describe_baseline(baseline: Baseline, name: str, *, with_days: bool) -> str:
    days = f" {', '.join(f'{day:%d.%m}' for day in baseline.days)}" if with_days else ""
    reports = (
        plural(baseline.reports, "отчёт", "отчёта", "отчётов")
        if baseline.reports
        else "отчётов не было, сравниваются только ждущие"
    )
    return f"{name}{days} ({reports})"


def format_bad_count(figures: DigestFigures) -> str:
    """Return the number of bad reports of all.

    A chat that was graded twice counts twice, as in the mean.
    """
    reports = _join_count(figures.reports, "отчёта", "отчётов", "отчётов")
    return f"{number(figures.bad_reports)} из {reports}"


def format_longest_wait(figures: DigestFigures) -> str | None:
    """Return the longest wait of a buyer in words; None if no buyer waits."""
    if not figures.waiting_buyers:
        return None
    return format_wait(min(buyer.since for buyer in figures.waiting_buyers), figures.period_end)
