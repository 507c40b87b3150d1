"""A second service beside the one of ``stage``."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.stage import Stage, on_stage


@pytest_asyncio.fixture
async def replica(stage: Stage, database_url: str) -> AsyncIterator[Stage]:
    """Yield another service with the same database and the same sandbox."""
    async with on_stage(database_url, stage.sandbox, stage.clock, stage.service.database) as other:
        yield other
