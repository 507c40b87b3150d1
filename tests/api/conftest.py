"""Fixture of a service with the webhook receiver on."""

from collections.abc import AsyncIterator

import pytest_asyncio

from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.support.stage import Stage, on_stage
from tests.support.webhooks import RECEIVER


@pytest_asyncio.fixture
async def receiving_stage(database_url: str) -> AsyncIterator[Stage]:
    """The service with the receiver on; its Avito has no chats yet."""
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, **RECEIVER) as stage,
    ):
        yield stage
