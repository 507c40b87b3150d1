"""Draws the chats that people are to grade by hand, blind, and writes them into a workbook."""

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
    """A workbook and what is to be known of it. ``changed``: chats left out because messages came
    into the graded part afterwards; ``other_rubric``: chats whose report was made with another
    rubric or prompt than today's.
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
    start: datetime | None,
    end: datetime | None,
    size: int,
    seed: int,
) -> Export:
    """A sheet of at most ``size`` chats out of those with a report written in ``[start, end)``.

    Raises:
        NotFoundError: there is no such report.
    """
    async with database.session() as session:
        chats = await agreement.count_chats(session, start, end)
        candidates = {
            found.report_id: found for found in await agreement.list_candidates(session, start, end)
        }
        drawn = balanced_sample(
            {number: (*found.grades, found.account_id) for number, found in candidates.items()},
            size,
            seed,
        )
        if not drawn:
            raise NotFoundError(
                "Отчётов за этот период нет: оценивать нечего. Проверьте --since и --until или"
                " вызовите analyze."
            )
        titles = await agreement.get_titles(session, drawn)
        seen = await agreement.list_window_messages(session, drawn)
    chosen = [candidates[number] for number in drawn]
    talks = [
        SheetChat(number, titles[number], messages)
        for number, messages in _by_report(drawn, seen).items()
    ]
    return Export(
        content=write_label_sheet(talks, rubric, zone),
        chats=len(talks),
        accounts=len({candidate.account_id for candidate in chosen}),
        available=len(candidates),
        changed=chats - len(candidates),
        other_rubric=_graded_otherwise(chosen, rubric),
    )


def _by_report(drawn: list[int], seen: list[WindowMessage]) -> dict[int, list[ChatMessage]]:
    messages: dict[int, list[ChatMessage]] = {number: [] for number in drawn}
    for row in seen:
        messages[row.report_id].append(
            ChatMessage(row.message_id, Side(row.side), row.sent_at, row.text, row.has_text)
        )
    return messages


def _graded_otherwise(chosen: list[Candidate], rubric: Rubric) -> int:
    version = prompt_version(rubric)
    return sum(candidate.prompt_version != version for candidate in chosen)
