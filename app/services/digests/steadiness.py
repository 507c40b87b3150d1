"""Figures about the model itself: how often it answers differently, and whether it reads at all."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.steadiness import are_suspicious
from app.repositories import answer_figures
from app.repositories.report_filter import ReportFilter
from app.russian_text import number, plural
from app.services.digests.figures import RepeatedAnswer, Steadiness


async def measure_steadiness(session: AsyncSession, wanted: ReportFilter) -> Steadiness:
    """Compare the first and the second grading of the reports that were graded twice."""
    counted = [
        (row["part"], RepeatedAnswer(name=row["name"], n=row["n"], flipped=row["flipped"]))
        for row in await answer_figures.count_repeated(session, wanted)
    ]
    return Steadiness(
        criteria=tuple(answer for part, answer in counted if part == "criteria"),
        checks=tuple(answer for part, answer in counted if part == "checks"),
    )


async def describe_equal_answers(session: AsyncSession, wanted: ReportFilter) -> str | None:
    """Return a warning if the model gave most chats the same answers; None otherwise."""
    found = await answer_figures.get_commonest_answers(session, wanted)
    if found is None or not are_suspicious(found["vector"], found["equal"], found["reports"]):
        return None
    return (
        "Модель ответила на все проверки одинаково в"
        f" {plural(found['equal'], 'отчёте', 'отчётах', 'отчётах')} из {number(found['reports'])}:"
        " похоже, она не читает переписку. Проверьте DEEPSEEK_MODEL"
    )
