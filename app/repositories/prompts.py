"""SQL of the prompts."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Prompt


async def add_prompt(
    session: AsyncSession,
    version: str,
    system: str,
    rubric: dict[str, Any],
    facts: str,
    now: datetime,
) -> None:
    """Add a prompt unless it is stored."""
    statement = insert(Prompt).values(
        version=version, system=system, rubric=rubric, facts=facts or None, first_used_at=now
    )
    await session.execute(statement.on_conflict_do_nothing())


async def get_prompt(session: AsyncSession, version: str) -> Prompt | None:
    """Return the prompt; None for a version that was used before prompts were stored."""
    return await session.scalar(select(Prompt).where(Prompt.version == version))
