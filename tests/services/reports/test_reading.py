"""Reading reports during an outage.

The list continues after the last key or fails; it never ends early.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import make_url, text

from app.database.connection import Limits
from app.database.engine import Database
from app.errors import DatabaseRefusedError, DatabaseUnavailableError
from app.repositories.report_filter import ReportFilter
from app.repositories.report_list import Page, ReportList
from app.services.reports.reading import CHUNK, read_page, stream_pages
from tests.support.network import open_network
from tests.support.stage import GOOD_TALK, Stage

EVERYTHING = ReportList(ReportFilter(), ZoneInfo("Europe/Moscow"))


async def test_list_continues_after_an_outage(stage: Stage, database_url: str) -> None:
    await many_reports(stage)
    async with open_network(database_url) as network:
        database = Database(network.url, connect_seconds=1)
        pages = stream_pages(database, EVERYTHING, None, None)
        numbers = read_ids(await anext(pages))
        network.refusing = True
        network.reset()
        rest = asyncio.create_task(rest_of(pages))
        while network.accepted < 3:  # noqa: ASYNC110 - it is tried again
            await asyncio.sleep(0.01)
        network.heal()
        numbers += await rest
        await database.close()
    expected = [report["id"] for report in await stage.reports()]
    assert numbers == expected


async def test_list_continues_after_a_silent_connection(stage: Stage, database_url: str) -> None:
    await many_reports(stage)
    async with open_network(database_url) as network:
        database = Database(network.url, limits=Limits(statement=1, lock=1, margin=0.5))
        pages = stream_pages(database, EVERYTHING, None, None)
        numbers = read_ids(await anext(pages))
        network.blackhole()
        rest = asyncio.create_task(rest_of(pages))
        await asyncio.sleep(0.2)
        network.heal()  # but not for the connection that lost bytes
        numbers += await rest
        await database.close()
    assert len(set(numbers)) == 2 * CHUNK + 1


async def test_limits_apply_to_the_list(stage: Stage, database_url: str) -> None:
    """Postgres enforces them: they are sent with each reading."""
    database = Database(database_url, limits=Limits(statement=20, lock=0.2))
    async with stage.service.database.transaction() as other:
        await other.execute(text("LOCK TABLE reports"))
        with pytest.raises(DatabaseUnavailableError, match="заблокированы"):
            await anext(stream_pages(database, EVERYTHING, None, 1))
    await database.close()


async def test_permanent_error_is_not_retried(database_url: str) -> None:
    async with open_network(database_url) as network:
        database = Database(
            make_url(network.url).set(password="wrong").render_as_string(hide_password=False)
        )
        with pytest.raises(DatabaseRefusedError):
            await anext(stream_pages(database, EVERYTHING, None, None))
        assert network.accepted == 1
        await database.close()


async def many_reports(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.copy_first_report(2 * CHUNK)


async def rest_of(pages: AsyncIterator[Page]) -> list[int]:
    return [number async for page in pages for number in read_ids(page)]


def read_ids(page: Page) -> list[int]:
    return [json.loads(body)["id"] for body in page.bodies]


async def test_page_is_read_in_parts(stage: Stage) -> None:
    """A page with more rows than one query reads, and the position after it."""
    await many_reports(stage)
    await stage.change("DELETE FROM reports WHERE id > 1")
    await stage.copy_first_report(2_500)
    expected = [report["id"] for report in await stage.reports()]
    database = stage.service.database
    page = await read_page(database, EVERYTHING, None, 2_100)
    assert read_ids(page) == expected[:2_100]
    rest = await read_page(database, EVERYTHING, page.following, 2_100)
    assert read_ids(rest) == expected[2_100:]
    assert rest.following is None
