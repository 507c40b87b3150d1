"""Enum members as literals: the form that partial indexes need."""

from sqlalchemy import column, func, select, table, text

from app.database.engine import Database
from app.models import ReportKind
from app.repositories.sql_values import bigint_array, inline, text_array


async def test_an_inline_member_is_a_literal_in_the_statement(database: Database) -> None:
    """Postgres uses a partial index only if the statement contains the literal.

    The table has no other index: the choice between two depends on statistics, which other tests
    and autovacuum change.
    """
    kinds = table("kinds", column("kind"))
    gradings = (
        select(func.count()).select_from(kinds).where(kinds.c.kind == inline(ReportKind.GRADING))
    )
    compiled = gradings.compile(
        dialect=database.engine.dialect, compile_kwargs={"render_postcompile": True}
    )
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("CREATE TEMPORARY TABLE kinds (kind text) ON COMMIT DROP"))
        await session.execute(
            text(f"CREATE INDEX partial_index ON kinds (kind) WHERE kind = '{ReportKind.GRADING}'")
        )
        plan = list(await session.scalars(text(f"EXPLAIN {compiled}")))
    assert any("partial_index" in line for line in plan), plan


async def test_arrays_may_be_empty_and_large(database: Database) -> None:
    async with database.session() as session:
        arrays = select(bigint_array([]), bigint_array(range(100_000)), text_array(["а"]))
        empty, many, words = (await session.execute(arrays)).one()
    assert (empty, len(many), words) == ([], 100_000, ["а"])
