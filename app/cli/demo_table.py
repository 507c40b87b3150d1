"""Output of the demo: a table of grades, the outcomes of the chats and example REST calls."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import GRADE_COLUMNS, Criterion
from app.domain.grades import Grade
from app.domain.outcomes import Outcome, OutcomeCode
from app.models import Report
from app.repositories import coverage, health
from app.russian_text import plural

_SHORT = {
    Criterion.TONALITY: "Тон",
    Criterion.PROFESSIONALISM: "Проф",
    Criterion.CLARITY: "Ясн",
    Criterion.PROBLEM_SOLVING: "Реш",
    Criterion.OBJECTION_HANDLING: "Возр",
    Criterion.CLOSURE: "Зав",
}
_MARKS = {
    Grade.HIGH: ("В", "green"),
    Grade.MEDIUM: ("С", "yellow"),
    Grade.LOW: ("Н", "bold red"),
    Grade.NONE: ("–", "dim"),
}
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_NEWEST = 2**63 - 1

LEGEND = (
    f"{', '.join(f'{short} — {criterion.label.lower()}' for criterion, short in _SHORT.items())}.",
    (
        f"{', '.join(f'{mark} — {grade.value.lower()}' for grade, (mark, _) in _MARKS.items())}."
        " Балл — от 0 до 100."
    ),
)


def make_grades_table(reports: Iterable[Report]) -> Table:
    """Return a table with one row per report, in the given order.

    On a narrow terminal only titles and names are truncated.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    table.add_column("Чат", max_width=40)
    table.add_column("Клиент", max_width=16)
    table.add_column("Балл", justify="right", no_wrap=True)
    for short in _SHORT.values():
        table.add_column(short, justify="center", no_wrap=True)
    for report in reports:
        names = [
            Text(report.body[name], no_wrap=True, overflow="ellipsis")
            for name in ("chat_title", "client_name")
        ]
        marks = [_MARKS[Grade(getattr(report, name))] for name in GRADE_COLUMNS]
        table.add_row(
            *names, f"{report.score:.0f}", *(Text(mark, style=style) for mark, style in marks)
        )
    return table


async def summarize_outcomes(session: AsyncSession, until: datetime) -> str:
    """Return one line with the number of copied chats by outcome."""
    parameters = {
        "start": _EARLIEST,
        "end": until,
        "after_message_id": None,
        "last_message_id": _NEWEST,
        "late_since": _EARLIEST,
    }
    counted = await coverage.list_coverage(session, (), parameters)
    counts = {
        outcome: sum(row["chats"] for row in counted if row["current_outcome"] == outcome)
        for outcome in Outcome
    }
    reasons = ", ".join(
        f"{OutcomeCode(row['code']).label} — {row['chats']}"
        for row in counted
        if row["current_outcome"] == Outcome.SKIPPED
    )
    copied = (await health.count_rows(session, None))["chats"]
    parts = [
        f"оценено {counts[Outcome.GRADED]}",
        f"пропущено {counts[Outcome.SKIPPED]}" + (f" ({reasons})" if reasons else ""),
        f"с ошибкой {counts[Outcome.FAILED]}",
        f"ждут {counts[Outcome.WAITING]}",
    ]
    if empty := copied - sum(counts.values()):
        parts.append(f"без сообщений людей {empty}")
    return f"{plural(copied, 'чат', 'чата', 'чатов')} = {' + '.join(parts)}."


def make_curl_lines(
    openapi: Mapping[str, Any], base_url: str, key: str, samples: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    """Yield a summary and a ready command for each endpoint, those of the API first.

    ``samples`` maps parameter names to values.
    """
    for path, operations in sorted(
        openapi["paths"].items(), key=lambda entry: not entry[0].startswith("/api/")
    ):
        for method, operation in operations.items():
            if not _needs_other_samples(operation, samples):
                address = base_url + _fill_address(path, operation, samples)
                arguments = _make_arguments(path, method, operation, key)
                yield operation["summary"], shlex.join([*arguments, address])


def _needs_other_samples(operation: Mapping[str, Any], samples: Mapping[str, object]) -> bool:
    return any(
        parameter["in"] == "path" and parameter["name"] not in samples
        for parameter in operation.get("parameters", ())
    )


def _fill_address(path: str, operation: Mapping[str, Any], samples: Mapping[str, object]) -> str:
    query = "&".join(
        f"{parameter['name']}={samples[parameter['name']]}"
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query" and parameter["name"] in ("start_date", "end_date")
    )
    return path.format_map(samples) + (f"?{query}" if query else "")


def _make_arguments(path: str, method: str, operation: Mapping[str, Any], key: str) -> list[str]:
    """Return the command without the address."""
    arguments = ["curl", *(["-X", method.upper()] if method != "get" else [])]
    if path.startswith("/api/"):
        arguments += ["-H", f"X-API-Key: {key}"]
    if (body := operation.get("requestBody", {})) and body["required"]:
        example = json.dumps(body["content"]["application/json"]["example"], ensure_ascii=False)
        arguments += ["-H", "Content-Type: application/json", "-d", example]
    return arguments
