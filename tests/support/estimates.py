"""Estimates of what the due chats cost."""

from decimal import Decimal

from app.adapters import open_grader
from app.repositories.grading_scope import Scope
from app.services.analysis.estimate import Estimate, estimate_due
from tests.support.stage import Stage


async def estimate_grading(stage: Stage) -> Estimate:
    """Return the estimate of the due chats, without those that are settling."""
    settings = stage.service.settings
    scope = Scope(settling=settings.settling.find_span(stage.clock()))
    async with open_grader(settings, clock=stage.clock) as grader:
        return await estimate_due(stage.service.database, grader, scope, None)


async def estimate_maximum_usd(stage: Stage) -> Decimal:
    """Return the estimated maximum cost of the due chats."""
    most = (await estimate_grading(stage)).most_usd
    assert most is not None
    return most
