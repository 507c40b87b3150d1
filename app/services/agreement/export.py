"""Draw a sample of chats for people to grade without the model's grades, and write a workbook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.database.engine import Database
from app.domain.messages import ChatMessage, Side
from app.errors import NotFoundError
from app.grading.prompt import prompt_version
from app.grading.rubric import Rubric
from app.grading.sample import balanced_sample
from app.repositories import agreement
from app.repositories.agreement import Candidate, WindowMessage
from app.services.agreement.label_sheet import SheetChat, write_label_sheet


@dataclass(frozen=True)
class Export:
    """A workbook and its figures.

    ``available``: chats that could be drawn. ``changed``: chats that were left out because messages
    were added to the graded part later. ``other_rubric``: chats whose report was made with another
    rubric or prompt than the current one.
    """

    content: bytes
    chats: int
    accounts: int
    available: int
    changed: int
    other_rubric: int


async def export_sheet(
    database: Database,
    rubric: Rubric,
    zone: ZoneInfo,
    *,
    facts: str = "",
    start: datetime | None,
    end: datetime | None,
    size: int,
    seed: int,
) -> Export:
    """Return a workbook with at most ``size`` chats that have a report written in ``[start, end)``.

    ``facts``: the company's, which the prompt of the reports contains.

    Raises:
        NotFoundError: there is no such report.
    """
    async with database.session() as session:
        chats = await agreement.count_chats(session, start, end)
        candidates = {
            found.report_id: found for found in await agreement.list_candidates(session, start, end)
        }
        drawn = _draw_reports(candidates, size, seed)
        titles = await agreement.get_titles(session, drawn)
        rows = await agreement.list_window_messages(session, drawn)
    chosen = [candidates[number] for number in drawn]
    sheet_chats = [
        SheetChat(number, titles[number], messages)
        for number, messages in _group_by_report(drawn, rows).items()
    ]
    return Export(
        content=write_label_sheet(sheet_chats, rubric, zone),
        chats=len(sheet_chats),
        accounts=len({candidate.account_id for candidate in chosen}),
        available=len(candidates),
        changed=chats - len(candidates),
        other_rubric=_count_other_rubric(chosen, prompt_version(rubric, facts)),
    )


def _draw_reports(candidates: Mapping[int, Candidate], size: int, seed: int) -> list[int]:
    groups = {number: (*found.grades, found.account_id) for number, found in candidates.items()}
    drawn = balanced_sample(groups, size, seed)
    if not drawn:
        raise NotFoundError(
            "Отчётов за этот период нет: оценивать нечего. Проверьте --since и --until или"
            " вызовите analyze."
        )
    return drawn


def _group_by_report(
    drawn: Sequence[int], rows: Sequence[WindowMessage]
) -> dict[int, list[ChatMessage]]:
    messages: dict[int, list[ChatMessage]] = {number: [] for number in drawn}
    for row in rows:
        messages[row.report_id].append(
            ChatMessage(row.message_id, Side(row.side), row.sent_at, row.text, row.has_text)
        )
    return messages


def _count_other_rubric(chosen: list[Candidate], version: str) -> int:
    return sum(candidate.prompt_version != version for candidate in chosen)
