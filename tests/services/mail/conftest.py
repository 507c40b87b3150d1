"""Fixtures of the mail tests."""

from collections.abc import AsyncIterator

import pytest

from app.database.engine import Database
from tests.support.daily_mails import grade_day
from tests.support.mail_runs import (
    Process,
)
from tests.support.stage import Stage


@pytest.fixture
async def idle_stage(stage: Stage) -> AsyncIterator[Stage]:
    """A graded day; the test sends its mail itself."""
    await grade_day(stage)
    async with stage.resting():
        yield stage


@pytest.fixture
def process(idle_stage: Stage, database: Database) -> Process:
    return Process(idle_stage, database)
