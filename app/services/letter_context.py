"""What both parts of the mail are filled with: the figures as tiles, bars and lines, so that the parts cannot differ in one."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from math import floor
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from app.services.figures import Baseline, Coverage, CriterionShare, DigestFigures, MailedDay
from app.services.hostile_text import NAME_LIMIT, listed, short, trimmed
from app.services.plural import NBSP, number, plural
from app.services.wording import (
    arrow,
    at_moment,
    days_title,
    dollars,
    percent,
    short_weekday,
    since_words,
    span,
    to_weekdays,
    waited,
    zone_words,
)

ENOUGH = 5
"""Fewer reports than this say nothing about a share."""
_PROBLEM_LIMIT = 240
_BAR_HEIGHT = 72
"""Of a day with a mean score of 100, in pixels."""

Tone = Literal["good", "bad", "soft"]


class Change(NamedTuple):
    """How a number differs from an earlier one."""

    words: str
    tone: Tone


class Tile(NamedTuple):
    """One of the four numbers: what it is, what it is of, and how it has changed; ``second``: another number beside it."""

    label: str
    value: str
    note: str
    changes: list[Change]
    second: str = ""
    second_changes: Sequence[Change] = ()


class Bar(NamedTuple):
    """One of the fourteen days."""

    value: str
    height: int
    weekday: str
    day: str
    mark: str


def context(figures: DigestFigures) -> dict[str, Any]:
    """The figures, their texts made harmless, and the lines that both parts share."""
    zone, end, days = ZoneInfo(figures.timezone), figures.period_end, covered_days(figures)
    problems = listed(figures.problems, most=6, limit=_PROBLEM_LIMIT)
    return {
        "figures": figures,
        "title": days_title(days),
        "covered": ", ".join(listed((f"{day:%d.%m}" for day in days), most=31)) if len(days) > 1 else None,
        "period": f"с {at_moment(figures.period_start, zone)} до {at_moment(end, zone)}, {zone_words(zone, figures.period_start, end)}",
        "accounts": listed(figures.accounts),
        "synced": at_moment(figures.synced_at, zone) if figures.synced_at else None,
        "coverage": _coverage_line(figures.coverage),
        "carried": _carried_line(figures) if figures.reports else None,
        "problems": problems,
        "addresses": ", ".join(listed(figures.failed_addresses, limit=60)),
        "preheader": _preheader(figures, problems),
        "tiles": _tiles(figures) if figures.reports else (),
        "compared": _compared_line(figures) if figures.reports else None,
        "mixed": _mixed_line(figures),
        "worst": [trimmed(chat) for chat in figures.worst],
        "waiting": [(trimmed(buyer), waited(buyer.since, end), since_words(buyer.since, zone)) for buyer in figures.waiting_buyers],
        "best": [trimmed(chat) for chat in figures.best],
        "failed": [trimmed(chat) for chat in figures.failed_chats],
        "bars": [_bar(day) for day in figures.days] if any(day.reports for day in figures.days) else [],
        "marks": _marks(figures),
        "trust": _trust_line(figures),
    }


def covered_days(figures: DigestFigures) -> tuple[date, ...]:
    """The days that the mail is about, oldest first."""
    return figures.covered_days or (figures.day,)


def score_change(figures: DigestFigures) -> str | None:
    """The mean score against the day before, where both were graded by the same."""
    before = figures.day_before
    if before is None or not before.same_series or before.mean_score is None or figures.mean_score is None:
        return None
    change = _rounded(figures.mean_score) - _rounded(before.mean_score)
    return arrow(change, number(abs(change)))


def verdict(share: CriterionShare) -> str:
    """One criterion in a word: a share only where there is enough to take it of."""
    if not share.applicable:
        return "нет данных"
    if share.applicable < ENOUGH:
        return f"мало данных, n{NBSP}={NBSP}{share.applicable}"
    return f"{percent(share.high, share.applicable)} высоких, n{NBSP}={NBSP}{number(share.applicable)}"


def absence(share: CriterionShare) -> str | None:
    """To how many a criterion does not apply, and which share of all they are."""
    if not share.absent:
        return None
    return f"не применимо: {number(share.absent)} ({percent(share.absent, share.absent + share.applicable)})"


def speaker(side: str | None) -> str:
    """Who wrote a quote, as the words before it; empty where that is not known."""
    return {"client": "Клиент: ", "company": "Продавец: "}.get(side or "", "")


def _tiles(figures: DigestFigures) -> tuple[Tile, ...]:
    few = ", мало данных" if figures.reports < ENOUGH else ""
    mean = "—" if figures.mean_score is None else number(figures.mean_score)
    bad = 100 * figures.bad_reports / figures.reports
    longest = _longest_wait(figures)
    return (
        Tile(
            "Средняя оценка",
            mean,
            f"из 100, по {_tied(figures.reports, 'отчёту', 'отчётам', 'отчётам')}{few}",
            _changes(figures, lambda of: of.mean_score if of.same_series else None, figures.mean_score, gain=1),
        ),
        Tile(
            "Плохие чаты",
            percent(figures.bad_reports, figures.reports),
            f"{number(figures.bad_reports)} из {number(figures.reports)} с оценкой ниже{NBSP}50{few}",
            _changes(figures, _bad_share, bad, shown=lambda points: f"{number(points)}{NBSP}п.{NBSP}п."),
        ),
        _first_answer(figures),
        Tile(
            "Ждут ответа",
            number(figures.waiting_buyers_total),
            f"дольше всех: {longest}" if longest else "сейчас никто",
            _changes(figures, lambda of: of.waiting_buyers, figures.waiting_buyers_total),
        ),
    )


def _first_answer(figures: DigestFigures) -> Tile:
    answer = figures.first_answer
    median, p90 = _minutes(answer.median_seconds), _minutes(answer.p90_seconds)
    if median is None or p90 is None:
        return Tile("Первый ответ", "—", "ни в одном отчёте его времени нет", [])
    few = ", мало данных" if answer.answered < ENOUGH else ""
    return Tile(
        "Первый ответ",
        span(median),
        f"медиана по {_tied(answer.answered, 'отчёту', 'отчётам', 'отчётам')}{few}",
        _changes(figures, lambda of: _minutes(of.first_answer.median_seconds), median, shown=span),
        f"p90, 9{NBSP}из{NBSP}10 быстрее: {span(p90)}",
        _changes(figures, lambda of: _minutes(of.first_answer.p90_seconds), p90, shown=span),
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
) -> list[Change]:
    """Differences of the numbers as they are shown, so that they are those between two mails; ``gain``: 1 where more is better."""
    changes = []
    for baseline, name in _baselines(figures):
        before = of(baseline)
        if before is None or now is None:
            continue
        change = _rounded(now) - _rounded(before)
        tone: Tone = "good" if change * gain > 0 else "bad" if change else "soft"
        changes.append(Change(f"{arrow(change, shown(abs(change)))} {name}", tone))
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


def _compared_line(figures: DigestFigures) -> str | None:
    """What the changes are against, and which ones are left out because the yardstick was another."""
    named = list(_baselines(figures))
    if not named:
        return None
    against = []
    for baseline, name in named:
        days = "" if baseline is figures.day_before else f" {', '.join(f'{day:%d.%m}' for day in baseline.days)}"
        against.append(f"{name}{days} ({plural(baseline.reports, 'отчёт', 'отчёта', 'отчётов')})")
    other = [name for baseline, name in named if baseline.reports and not baseline.same_series]
    apart = f" Оценки {' и '.join(other)} не сравниваются: другая модель или рубрика." if other else ""
    return f"Изменения: {', '.join(against)}.{apart}"


def _mixed_line(figures: DigestFigures) -> str | None:
    """Several yardsticks in one mean are said, each with its own figures."""
    if len(figures.series) < 2:
        return None
    each = (
        f"{short(series.model, NAME_LIMIT)} с рубрикой {short(series.prompt_version, NAME_LIMIT)} – средняя {number(series.mean_score)} "
        f"по {plural(series.reports, 'отчёту', 'отчётам', 'отчётам')}"
        for series in figures.series
    )
    return f"В средних смешаны разные модели или рубрики: {'; '.join(listed(each, most=3, limit=160))}."


def _carried_line(figures: DigestFigures) -> str:
    """How the reports relate to the period's chats, where that is not one for one."""
    line, carried = f"Отчётов в письме: {number(figures.reports)}", figures.carried
    if carried is None:
        return line
    own = carried.of_graded_chats + carried.of_same_chats
    again = f" (из них {number(carried.of_same_chats)} – по чатам, оценённым дважды или снова ждущим)" if carried.of_same_chats else ""
    if carried.of_other_chats or again:
        others = f" и {number(carried.of_other_chats)} по более ранним" if carried.of_other_chats else ""
        line += f": {number(own)} по чатам этого периода{again}{others}"
    if before := carried.graded_chats_mailed_before:
        line += f"; отчёты ещё {plural(before, 'оценённого чата', 'оценённых чатов', 'оценённых чатов')} ушли в прежних письмах"
    return line


def _bar(day: MailedDay) -> Bar:
    known = day.mean_score is not None
    return Bar(
        value=number(day.mean_score) if day.mean_score is not None else "–",
        height=max(2, round((day.mean_score or 0) * _BAR_HEIGHT / 100)) if known else 0,
        weekday=short_weekday(day.day),
        day=f"{day.day:%d}",
        mark="◆" if day.new_series else "◇" if day.new_build else "",
    )


def _marks(figures: DigestFigures) -> str:
    meanings = [
        ("◆ другая модель или рубрика: оценки до и после не сравнить", any(day.new_series for day in figures.days)),
        ("◇ другая сборка той же модели", any(day.new_build and not day.new_series for day in figures.days)),
    ]
    return " · ".join(words for words, occurs in meanings if occurs)


def _longest_wait(figures: DigestFigures) -> str | None:
    return waited(min(buyer.since for buyer in figures.waiting_buyers), figures.period_end) if figures.waiting_buyers else None


def _preheader(figures: DigestFigures, problems: list[str]) -> str:
    """What a list of mails shows after the subject: what the subject does not say."""
    if problems:
        return f"Не всё получилось: {short(problems[0], 120)}"
    longest = _longest_wait(figures)
    waiting = f" Дольше всех ждут ответа: {longest}." if longest else ""
    if not figures.reports:
        return f"Новых отчётов нет.{waiting}"
    return f"Плохих чатов: {number(figures.bad_reports)} из {number(figures.reports)}.{waiting}"


def _coverage_line(coverage: Coverage) -> str:
    reasons = [f"{short(reason, NAME_LIMIT)}: {number(count)}" for reason, count in coverage.skipped.items() if count]
    parts = [
        f"оценено{NBSP}{number(coverage.graded)}",
        f"пропущено{NBSP}{number(sum(coverage.skipped.values()))}" + (f" ({', '.join(reasons)})" if reasons else ""),
        f"с{NBSP}ошибкой{NBSP}{number(coverage.failed)}",
        f"ждут{NBSP}{number(coverage.waiting)}" + (" (очередь на оценку)" if coverage.waiting else ""),
    ]
    return f"Чатов:{NBSP}{number(coverage.total)} = {' + '.join(parts)}"


def _trust_line(figures: DigestFigures) -> str:
    """What the grades rest on, and what they cost."""
    parts = []
    if figures.models:
        parts.append(f"Модель: {', '.join(listed(figures.models, most=4))}")
    if figures.prompt_versions:
        parts.append(f"рубрика: {', '.join(listed(figures.prompt_versions, most=4))}")
    if figures.reports:
        parts.append(f"стоимость: {dollars(figures.cost_usd)}")
    if figures.incomplete_chats:
        parts.append(f"чатов с неполной историей (Авито не отдаёт её целиком): {number(figures.incomplete_chats)}")
    if figures.cut_short_accounts:
        names = ", ".join(listed(figures.cut_short_accounts, most=4))
        parts.append(f"чатов больше, чем отдаёт Авито, самые старые не видны: {names}")
    return " · ".join(parts)
