"""Enum members as literals: the form that partial indexes need."""

from sqlalchemy import func, select, text

from app.database.engine import Database
from app.models import Report, ReportKind
from app.repositories.sql_values import bigint_array, inline, text_array


async def test_an_inline_member_is_a_literal_in_the_statement(database: Database) -> None:
    """A generic plan, which cannot use the values of parameters, must use a partial index."""
    unmailed = select(func.count()).where(
        Report.digest_id.is_(None), Report.kind == inline(ReportKind.GRADING)
    )
    compiled = unmailed.compile(
        dialect=database.engine.dialect, compile_kwargs={"render_postcompile": True}
    )
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = list(await session.scalars(text(f"EXPLAIN {compiled}")))
    partial = ("ix_reports_unmailed", "ix_reports_score")  # both have the condition on kind
    assert any(name in line for line in plan for name in partial), plan


async def test_arrays_may_be_empty_and_large(database: Database) -> None:
    async with database.session() as session:
        arrays = select(bigint_array([]), bigint_array(range(100_000)), text_array(["а"]))
        empty, many, words = (await session.execute(arrays)).one()
    assert (empty, len(many), words) == ([], 100_000, ["а"])
