"""Tables of the agreement report: one per comparison, one row per scale, with explanatory notes."""

from collections.abc import Callable, Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from app.domain.grades import Grade
from app.grading.agreement import (
    SMALLEST_FOR_INTERVAL,
    SMALLEST_FOR_TRUST,
    Agreement,
    Interval,
)
from app.services.agreement.comparison import AgreementComparison, Scale

_NOTHING = "—"


def make_comparison_table(comparison: AgreementComparison) -> Table:
    """Return a table of the scales with their figures, intervals and confusion tables.

    The rows of a confusion table are the levels of ``row``, its columns those of ``column``.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Критерий", max_width=26)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("Совпало", justify="right", no_wrap=True)
    table.add_column("Каппа", justify="center", no_wrap=True)
    table.add_column("AC2", justify="center", no_wrap=True)
    table.add_column(Text(f"строки: {comparison.row}\nстолбцы: {comparison.column}"), no_wrap=True)
    for scale, found in comparison.results:
        table.add_row(
            scale.label,
            _format_count(found),
            _format_share(found.exact, found.exact_interval),
            _format_coefficient(found.kappa, found.kappa_interval),
            _format_coefficient(found.ac2, found.ac2_interval),
            _format_levels(scale, found) if found.n else "нет общих оценок",
        )
        table.add_section()
    return table


def has_few_chats(comparison: AgreementComparison) -> bool:
    """Whether a figure of the comparison is based on too few chats."""
    return any(found.chats < SMALLEST_FOR_TRUST for _, found in comparison.results)


def list_notes(*, has_few: bool) -> Iterator[str]:
    """Return notes that explain how to read the tables."""
    if has_few:
        yield (
            f"«мало» — меньше {SMALLEST_FOR_TRUST} чатов: выводов не делайте. На трёх уровнях каппа"
            " 0,6 известна с точностью ±0,22 при n = 50, ±0,15 при 100, ±0,09 при 300."
        )
    yield (
        "Каппа — взвешенная квадратично (Cohen 1968), AC2 — Гвета с теми же весами (Gwet 2014): 1 —"
        " согласие полное, 0 — как случайно. Когда почти все оценки одинаковы, каппа мала и при"
        " согласии; смотрите AC2."
    )
    yield (
        "Под ними — 95-процентный интервал: байесовский бутстрэп по чатам с поправкой на оценки,"
        f" которых в выборке не встретилось; при n < {SMALLEST_FOR_INTERVAL} его нет. «{_NOTHING}»"
        " у каппы: обе стороны ставили одну и ту же оценку, и она не определена."
    )
    grades = f"В — {Grade.HIGH}, С — {Grade.MEDIUM}, Н — {Grade.LOW}"
    yield f"В таблицах {grades}; на диагонали — совпавшие."
    yield (
        f"«{Grade.NONE}» — не ступень шкалы: сначала согласие в том, было ли возражение, потом — в"
        " оценке работы с ним там, где его видели оба."
    )
    yield (
        "Выборка agreement export уравнивает редкие и частые оценки: цифры верны для неё, "
        "а среди всех чатов оценки встречаются с другой частотой."
    )


def _format_count(found: Agreement) -> Text:
    text = str(found.n) if found.n == found.chats else f"{found.n}\n({found.chats} ч.)"
    return Text(text if found.chats >= SMALLEST_FOR_TRUST else f"{text}\nмало")


def _format_share(value: float | None, interval: Interval | None) -> Text:
    return _format_figure(value, interval, lambda share: f"{100 * share:.0f}", unit=" %")


def _format_coefficient(value: float | None, interval: Interval | None) -> Text:
    return _format_figure(value, interval, _format_decimal)


def _format_figure(
    value: float | None, interval: Interval | None, shown: Callable[[float], str], unit: str = ""
) -> Text:
    """Format a figure with its interval in the next line."""
    if value is None:
        return Text(_NOTHING)
    lines = [f"{shown(value)}{unit}"]
    if interval is not None:
        lines.append(f"{shown(interval.low)}…{shown(interval.high)}{unit}")
    return Text("\n".join(lines))


def _format_levels(scale: Scale, found: Agreement) -> Text:
    """Format the confusion table, best level first."""
    order = range(len(scale.names) - 1, -1, -1)
    name_width = max(map(len, scale.names))
    width = 1 + max(3, name_width, *(len(str(count)) for line in found.table for count in line))
    heading = " " * name_width + "".join(f"{scale.names[level]:>{width}}" for level in order)
    lines = [
        f"{scale.names[row]:{name_width}}"
        + "".join(f"{found.table[row][column]:>{width}}" for column in order)
        for row in order
    ]
    return Text("\n".join([heading, *lines]))


def _format_decimal(value: float) -> str:
    """Format with two decimal places, a comma and a minus sign; never «−0,00»."""
    return f"{round(value, 2) + 0.0:.2f}".replace(".", ",").replace("-", "−")
