"""Reports over REST: their fields, and the formats of their list."""

import csv
import io
from typing import Any

import httpx
from python_calamine import CalamineWorkbook

from app.services.sheets.formulas import unescape_formula
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

FIELDS = {
    "chat_id": str,
    "created_at": str,
    "chat_title": str,
    "client_name": str,
    "total_messages": int,
    "company_messages": int,
    "client_messages": int,
    "tonality_grade": str,
    "professionalism_grade": str,
    "clarity_grade": str,
    "problem_solving_grade": str,
    "objection_handling_grade": str,
    "closure_grade": str,
    "summary": str,
    "recommendations": str,
}


GRADES = {"Высокая", "Средняя", "Низкая"}


ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def add_two_reports(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, title="Диван")
    stage.add_talk(*BAD_TALK, title="Шкаф", client=None)
    await stage.sync()
    await stage.analyze()


async def fetch_reports(stage: Stage, accept: str | None = None, **params: Any) -> httpx.Response:
    headers = {} if accept is None else {"Accept": accept}
    answer = await stage.rest.get("/api/v1/reports", params={**ALL, **params}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def read_csv(answer: httpx.Response) -> list[dict[str, Any]]:
    """Parse with the documented pandas options and remove the guard.

    The options are ``sep=";"`` and ``encoding="utf-8-sig"``.
    """
    lines = csv.reader(
        io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True
    )
    names = next(lines)
    kinds = {**FIELDS, "id": int}
    return [
        {name: kinds[name](unescape_formula(cell)) for name, cell in zip(names, line, strict=True)}
        for line in lines
    ]


def read_xlsx(content: bytes, page: int = 0) -> list[list[Any]]:
    return list(
        CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(page).to_python()
    )


async def add_ordered_reports(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, title="Диван")
    stage.add_talk(*BAD_TALK, title="Шкаф")
    await stage.sync()
    for _ in range(2):  # in sequence: in parallel the order of the IDs would be random
        await stage.analyze(limit=1)
