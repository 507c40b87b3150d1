"""What the demo shows of a day: the grades as a table, where every chat went, the mail, and how to
ask the service for more.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import GRADE_COLUMNS, Criterion
from app.domain.grades import Grade
from app.domain.outcomes import Outcome, SkipReason
from app.models import Report
from app.repositories import coverage, health
from app.services.plural import plural

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
_BEGINNING_OF_TIME = datetime(2000, 1, 1, tzinfo=UTC)

LEGEND = (
    f"{', '.join(f'{short} — {criterion.label.lower()}' for criterion, short in _SHORT.items())}.",
    (
        f"{', '.join(f'{mark} — {grade.value.lower()}' for grade, (mark, _) in _MARKS.items())}."
        " Балл — от 0 до 100."
    ),
)


def grades_table(reports: Iterable[Report]) -> Table:
    """One row a report, in the given order; on a narrow terminal it is the titles and names that
    are cut short.
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


async def where_chats_went(session: AsyncSession, until: datetime) -> str:
    """One line: every chat that was copied, in one of the ways that a chat can go."""
    always = {
        "start": _BEGINNING_OF_TIME,
        "end": until,
        "after_message_id": None,
        "late_since": _BEGINNING_OF_TIME,
    }
    ways = await coverage.list_coverage(session, (), always)
    counts = {
        status: sum(way["chats"] for way in ways if way["status"] == status) for status in Outcome
    }
    reasons = ", ".join(
        f"{SkipReason(way['reason']).label} — {way['chats']}"
        for way in ways
        if way["status"] == Outcome.SKIPPED
    )
    copied = (await health.counts(session))["chats"]
    parts = [
        f"оценено {counts[Outcome.GRADED]}",
        f"пропущено {counts[Outcome.SKIPPED]}" + (f" ({reasons})" if reasons else ""),
        f"с ошибкой {counts[Outcome.FAILED]}",
        f"ждут {counts[Outcome.WAITING]}",
    ]
    if empty := copied - sum(counts.values()):
        parts.append(f"без сообщений людей {empty}")
    return f"{plural(copied, 'чат', 'чата', 'чатов')} = {' + '.join(parts)}."


def curl_lines(
    openapi: Mapping[str, Any], base_url: str, key: str, samples: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    """A summary and a ready command for each endpoint, the API's first; ``samples`` are values by a
    parameter's name.
    """
    for path, operations in sorted(
        openapi["paths"].items(), key=lambda entry: not entry[0].startswith("/api/")
    ):
        for method, operation in operations.items():
            named: Sequence[Mapping[str, Any]] = operation.get("parameters", ())
            if any(
                parameter["in"] == "path" and parameter["name"] not in samples
                for parameter in named
            ):
                continue
            asked = [
                one["name"]
                for one in named
                if one["in"] == "query" and one["name"] in ("start_date", "end_date")
            ]
            query = "&".join(f"{name}={samples[name]}" for name in asked)
            address = base_url + path.format_map(samples) + (f"?{query}" if query else "")
            words = ["curl", *(["-X", method.upper()] if method != "get" else [])]
            if path.startswith("/api/"):
                words += ["-H", f"X-API-Key: {key}"]
            if (body := operation.get("requestBody", {})) and body["required"]:
                example = body["content"]["application/json"]["example"]
                words += [
                    "-H",
                    "Content-Type: application/json",
                    "-d",
                    json.dumps(example, ensure_ascii=False),
                ]
            yield operation["summary"], shlex.join([*words, address])
