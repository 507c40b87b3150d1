"""Column types that change while the service works, as in a migration of the next release."""

import asyncio

from app.database.engine import Database
from app.database.migrate import migrate
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox
from tests.support.clusters import fetch_value
from tests.support.stage import GOOD_TALK, Stage, on_stage

CHANGES = (
    ("ALTER TABLE reports ALTER COLUMN fingerprint TYPE {}", ("text", "varchar(400)")),
    ("ALTER TABLE report_figures ALTER COLUMN model TYPE {}", ("text", "varchar(400)")),
    ("ALTER TABLE chats ALTER COLUMN item_title TYPE {}", ("text", "varchar(400)")),
    ("ALTER TABLE chats ALTER COLUMN client_name TYPE {}", ("text", "varchar(400)")),
    ("ALTER TABLE chats ALTER COLUMN hints TYPE {}", ("bigint", "integer")),
)
PATHS = (
    "/api/v1/reports?start_date=2020-01-01&end_date=2099-12-31",
    "/api/v1/reports/1",
    "/api/v1/reports/summary?start_date=2020-01-01&end_date=2099-12-31",
)


async def test_changed_column_types_cause_no_error(postgres_url: str) -> None:
    pool = Database(postgres_url)
    await migrate(pool)
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(postgres_url, sandbox, pool=pool) as stage,
    ):
        chat = stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        paths = (*PATHS, f"/api/v1/chats/{chat.id}")
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            readers = [tasks.create_task(read_until(stage, path, ended)) for path in paths]
            tasks.create_task(sync_until(stage, ended))
            await change_columns(postgres_url)
            ended.set()
        statuses = [reader.result() for reader in readers]
    await pool.close()
    assert {status for seen in statuses for status in seen} == {200}
    assert min(map(len, statuses)) >= len(CHANGES)


async def change_columns(url: str) -> None:
    for number in range(4):
        for change, kinds in CHANGES:
            await fetch_value(url, change.format(kinds[number % 2]))
            await asyncio.sleep(0.1)


async def read_until(stage: Stage, path: str, ended: asyncio.Event) -> list[int]:
    statuses = []
    while not ended.is_set():
        statuses.append((await stage.rest.get(path)).status_code)
    return statuses


async def sync_until(stage: Stage, ended: asyncio.Event) -> None:
    while not ended.is_set():
        await stage.sync()
