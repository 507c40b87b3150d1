"""A day on the embedded Postgres that is moved to another server, for example an older version."""

from pathlib import Path

import asyncpg

from app.database.embedded import embedded_postgres
from app.sandbox.server import Sandbox
from tests.support.backups import TABLES, read_rows
from tests.support.command_line import run_app
from tests.support.service_process import open_rest_client, run_service
from tests.support.slow_sandbox import keep_every_third

Row = tuple[str, str]


async def run_trial(database_url: str, folder: Path) -> list[Row]:
    """Move a day from the embedded Postgres to the server and go on there.

    ``database_url``: an empty database.
    """
    other_url = database_url.replace("postgresql://", "postgresql+asyncpg://")
    async with embedded_postgres(folder / "embedded", durable=False) as embedded_url:
        return await _move(embedded_url, other_url, folder)


async def _move(database_url: str, other_url: str, folder: Path) -> list[Row]:
    file, again = str(folder / "day.dump"), str(folder / "again.dump")
    async with Sandbox() as sandbox:
        keep_every_third(sandbox)
        await _work(database_url, sandbox, folder)
        mails = len(sandbox.smtp.messages)
        for command, path, url in (
            ("backup", file, database_url),
            ("restore", file, other_url),
            ("backup", again, other_url),
        ):
            ended = await run_app(folder, command, path, DATABASE_URL=url)
            assert (ended.code, ended.err) == (0, ""), command
        rows = await read_rows(database_url)
        assert await read_rows(other_url) == rows
        await _work(other_url, sandbox, folder)
        assert len(sandbox.smtp.messages) == mails
    versions = " → ".join([await _read_version(database_url), await _read_version(other_url)])
    counted = sum(rows[table][0] for table in TABLES)
    return [
        (f"backup and restore, Postgres {versions}", f"{counted} rows equal"),
        ("the same day again on the restored database", f"{mails} mails before, none repeated"),
    ]


async def _work(url: str, sandbox: Sandbox, folder: Path) -> None:
    async with (
        run_service(url, sandbox, folder) as service,
        open_rest_client(service) as rest,
    ):
        for path in ("/avito/sync", "/llm/analyze", "/timer/reports"):
            assert (await rest.post(f"/api/v1{path}")).status_code == 200


async def _read_version(url: str) -> str:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    try:
        return str(connection.get_settings().server_version)
    finally:
        await connection.close()
