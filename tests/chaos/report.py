"""The table at the end of a run: violations of each invariant, then the figures."""

from collections.abc import Callable, Sequence
from math import ceil
from statistics import median

from rich.table import Table

from tests.chaos.evidence import Evidence
from tests.chaos.invariants import (
    CHECKS,
    DUPLICATE_CALLS_PER_KILL,
    calculate_slope,
    drop_warm_up,
    run_checks,
)


def list_violations(worlds: Sequence[Evidence]) -> dict[str, list[str]]:
    """Return the violations of all worlds by title of the check, each with its world."""
    found: dict[str, list[str]] = {title: [] for title in CHECKS}
    for evidence in worlds:
        for title, lines in run_checks(evidence).items():
            found[title].extend(f"{evidence.world}: {one}" for one in lines)
    return found


def tabulate(worlds: Sequence[Evidence], violations: dict[str, list[str]]) -> Table:
    """Build the table."""
    table = Table("what", "figure", "goal", title="make chaos")
    for title, found in violations.items():
        table.add_row(title, str(len(found)), "0", style="bold red" if found else "")
    table.add_section()
    for name, figure, goal in _build_figures(worlds):
        table.add_row(name, figure, goal)
    return table


def _build_figures(worlds: Sequence[Evidence]) -> list[tuple[str, str, str]]:
    kills = sum(evidence.kills for evidence in worlds)
    duplicates = sum(evidence.duplicate_calls for evidence in worlds)
    exits = _collect(
        worlds,
        lambda evidence: [
            seconds for ledger in evidence.ledgers.values() for seconds in ledger.exit_seconds
        ],
    )
    recoveries = _collect(worlds, lambda evidence: evidence.recoveries)
    return [
        ("dates", str(sum(len(evidence.dates) for evidence in worlds)), ""),
        ("SIGKILLs", str(kills), ""),
        (
            "messages, reports",
            (
                f"{_sum(worlds, lambda one: len(one.written))},"
                f" {_sum(worlds, lambda one: len(one.reports))}"
            ),
            "",
        ),
        (
            "mails that arrived, again in doubt",
            f"{_sum(worlds, lambda one: len(one.arrivals))}, {_sum(worlds, _count_repeated)}",
            "",
        ),
        (
            "model calls, paid twice",
            f"{_sum(worlds, lambda one: one.model_calls)}, {duplicates}",
            "",
        ),
        (
            "model calls paid twice per kill",
            f"{duplicates / kills:.2f}" if kills else "–",
            f"{DUPLICATE_CALLS_PER_KILL}",
        ),
        (
            "seconds from a kill to the date's mail, p50, max",
            _format_spread(recoveries, median),
            "",
        ),
        ("seconds from SIGTERM to the exit, p95, max", _format_spread(exits, _compute_p95), "10"),
        (
            "seconds held up by a freeze in the lock, max",
            _format_spread(_collect(worlds, lambda one: one.lock_waits), max),
            "90",
        ),
        (
            "exits that nobody asked for",
            str(
                sum(
                    len(ledger.unexpected_exits)
                    for one in worlds
                    for ledger in one.ledgers.values()
                )
            ),
            "",
        ),
        *_build_growth(worlds),
    ]


def _build_growth(worlds: Sequence[Evidence]) -> list[tuple[str, str, str]]:
    """Rows for the processes that are never killed: change from the first date to the last."""
    rows = []
    for evidence in worlds:
        for name, ledger in evidence.ledgers.items():
            samples = drop_warm_up(ledger.samples)
            if ledger.kills or ledger.exit_seconds or len(samples) < 2:
                continue
            for what, lines in (
                ("rss_mb", "MB"),
                ("descriptors", "descriptors"),
                ("connections", "connections"),
            ):
                first, last = getattr(samples[0], what), getattr(samples[-1], what)
                rows.append(
                    (
                        f"{name}: {lines}, change per date",
                        f"{first:.0f} → {last:.0f}, {calculate_slope(samples, what):+.3f}",
                        "flat",
                    )
                )
    return rows


def _count_repeated(evidence: Evidence) -> int:
    mails = {(arrival.recipient, arrival.message_id) for arrival in evidence.arrivals}
    return len(evidence.arrivals) - len(mails)


def _collect(
    worlds: Sequence[Evidence], pick: Callable[[Evidence], Sequence[float]]
) -> list[float]:
    return sorted(value for evidence in worlds for value in pick(evidence))


def _sum(worlds: Sequence[Evidence], count: Callable[[Evidence], int]) -> int:
    return sum(count(evidence) for evidence in worlds)


def _format_spread(values: Sequence[float], typical: Callable[[Sequence[float]], float]) -> str:
    return f"{typical(values):.1f}, {max(values):.1f} (n = {len(values)})" if values else "–"


def _compute_p95(values: Sequence[float]) -> float:
    return values[ceil(0.95 * len(values)) - 1]
