"""Estimates of what the due chats cost."""

from decimal import Decimal

from app.adapters import open_grader
from app.repositories.gradings import Scope
from app.services.analysis.estimate import estimate_due
from tests.support.stage import Stage


async def most_of_all(stage: Stage) -> Decimal:
    """What the estimate says that the due chats may cost."""
    async with open_grader(stage.service.settings, clock=stage.clock) as grader:
        most = (await estimate_due(stage.service.database, grader, Scope(), None)).most_usd
    assert most is not None
    return most
