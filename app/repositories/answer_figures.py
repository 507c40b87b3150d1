"""SQL of figures about the model's answers: repeated gradings and equal answers."""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    RowMapping,
    Select,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Report
from app.repositories.report_figures import build_condition
from app.repositories.report_filter import ReportFilter

Row = RowMapping

_PARTS = ("criteria", "checks")
"""The keys of ``reports.repeat``. Each has a pair of answers by name."""


async def count_repeated(session: AsyncSession, wanted: ReportFilter) -> Sequence[Row]:
    """Return for each ``part`` and ``name`` how often it was answered twice and how often
    differently.
    """
    pairs = [_select_pairs(part, wanted) for part in _PARTS]
    of = union_all(*pairs).subquery("pairs").c
    statement = (
        select(
            of.part,
            of.name,
            func.count().label("n"),
            func.count().filter(of.first != of.second).label("flipped"),
        )
        .group_by(of.part, of.name)
        .order_by(of.part, of.name)
    )
    return (await session.execute(statement)).mappings().all()


def _select_pairs(part: str, wanted: ReportFilter) -> Select[tuple[str, str, str, str]]:
    pair = (
        func.jsonb_each(Report.repeat[part])
        .table_valued(
            column("name", Text), column("answers", JSONB), name="pair", joins_implicitly=True
        )
        .render_derived()
    )
    return (
        select(
            literal(part).label("part"),
            pair.c.name.label("name"),
            pair.c.answers[0].astext.label("first"),
            pair.c.answers[1].astext.label("second"),
        )
        .select_from(Report, pair)
        .where(Report.repeat.is_not(None), build_condition(wanted))
    )


async def get_commonest_answers(session: AsyncSession, wanted: ReportFilter) -> Row | None:
    """Return the commonest ``vector`` of answers, the number of ``equal`` reports, and of all.

    Return None if no report has one: reports of early versions have none.
    """
    vector = Report.detail["check_vector"].astext
    counted = (
        select(vector.label("vector"), func.count().label("equal"))
        .where(vector.is_not(None), build_condition(wanted))
        .group_by(vector)
        .subquery("counted")
    )
    statement = (
        select(
            counted.c.vector,
            counted.c.equal,
            cast(func.sum(counted.c.equal).over(), BigInteger).label("reports"),
        )
        .order_by(counted.c.equal.desc(), counted.c.vector)
        .limit(1)
    )
    return (await session.execute(statement)).mappings().first()
