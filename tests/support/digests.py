"""Mailed dates and their outputs: the stored figures, the summary, the attachment."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from statistics import mean
from typing import Any

from python_calamine import CalamineWorkbook

from tests.support.stage import Stage

NOON = datetime(2026, 3, 15, 9, 0, tzinfo=UTC)
MARKS = {"Высокая": 100, "Средняя": 50, "Низкая": 0}
GRADES = (
    "tonality",
    "professionalism",
    "clarity",
    "problem_solving",
    "objection_handling",
    "closure",
)


def read_attachment(
    stage: Stage,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the three pages of the last mail's attachment with rows as mappings."""
    message = message_from_bytes(stage.sandbox.smtp.messages[-1].data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    (attached,) = message.iter_attachments()
    book = CalamineWorkbook.from_filelike(BytesIO(attached.get_content()))
    assert book.sheet_names == ["Отчёты", "Ждут ответа", "Без оценки", "Столбцы"]
    pages = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[:3]]
    reports, waiting, ungraded = (
        [dict(zip(map(str, page[0]), row, strict=True)) for row in page[1:]] for page in pages
    )
    return reports, waiting, ungraded


def as_in_excel(report: dict[str, Any]) -> dict[str, Any]:
    """Return a listed report as Excel stores it: times without a zone."""
    return report | {
        "created_at": datetime.fromisoformat(report["created_at"]).replace(tzinfo=None)
    }


def score(report: dict[str, Any]) -> float:
    return mean(
        MARKS[report[f"{name}_grade"]] for name in GRADES if report[f"{name}_grade"] in MARKS
    )


async def figures(stage: Stage) -> dict[str, Any]:
    """Return the figures of the last mail."""
    sql = "SELECT figures FROM digests ORDER BY id DESC LIMIT 1"
    return dict((await stage.rows(sql))[0]["figures"])


async def summary(stage: Stage, **params: Any) -> dict[str, Any]:
    answer = await stage.rest.get("/api/v1/reports/summary", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def mail_day(stage: Stage, *talks: Any, days_ago: int = 0) -> dict[str, Any]:
    """Sync, grade and mail these talks on their date; return the figures of the mail."""
    stage.clock.set(NOON - timedelta(days=days_ago))
    for title, talk in enumerate(talks):
        stage.add_talk(*talk, title=f"Лот {title}", minutes_ago=200)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    return await figures(stage)
