"""SQL of figures about the model's answers: repeated gradings and equal answers."""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    RowMapping,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Report, ReportFigures
from app.repositories.report_figures import build_condition
from app.repositories.report_filter import ReportFilter
from app.repositories.report_measures import select_figures

Row = RowMapping


async def count_repeated(session: AsyncSession, wanted: ReportFilter) -> Sequence[Row]:
    """Return for each ``part`` and ``name`` how often it was answered twice and how often
    differently.

    Reports are counted by the whole list of names first: most of them have the same list.
    """
    selected = (
        select_figures(wanted, ReportFigures.repeated, ReportFigures.flipped)
        .where(ReportFigures.repeated.is_not(None))
        .cte("selected")
    )
    repeated, flipped = selected.c.repeated, func.unnest(selected.c.flipped)
    lists = select(repeated, func.count().label("n")).group_by(repeated).cte("lists")
    asked = select(func.unnest(lists.c.repeated).label("key"), lists.c.n, literal(0).label("flips"))
    differing = select(flipped, literal(0), literal(1))
    of = union_all(asked, differing).subquery("counted").c
    statement = (
        select(
            func.split_part(of.key, "/", 1).label("part"),
            func.split_part(of.key, "/", 2).label("name"),
            cast(func.sum(of.n), BigInteger).label("n"),
            cast(func.sum(of.flips), BigInteger).label("flipped"),
        )
        .group_by(of.key)
        .order_by(of.key)
    )
    return (await session.execute(statement)).mappings().all()


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
