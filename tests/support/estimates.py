"""Estimates of what the due chats cost."""

from decimal import Decimal

from app.adapters import open_grader
from app.repositories.grading_scope import Scope
from app.services.analysis.estimate import estimate_due
from tests.support.stage import Stage


async def estimate_maximum_usd(stage: Stage) -> Decimal:
    """Return the estimated maximum cost of the due chats."""
    async with open_grader(stage.service.settings, clock=stage.clock) as grader:
        most = (await estimate_due(stage.service.database, grader, Scope(), None)).most_usd
    assert most is not None
    return most
