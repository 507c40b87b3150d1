"""A whole day of two service processes on one database."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from app.sandbox.server import Sandbox
from tests.real.calls import PERIOD, review_and_read, run_commands
from tests.real.programs import run_to_end
from tests.support.checkout import CHECKOUT
from tests.support.command_line import run_app
from tests.support.service_process import (
    RunningService,
    open_rest_client,
    run_service,
    service_environment,
)

GETS = 200
_PATHS = (
    f"/api/v1/reports?{PERIOD}&limit=10",
    f"/api/v1/reports?{PERIOD}&sort=score",
    f"/api/v1/reports/summary?{PERIOD}",
    "/health/ready",
)
_AT_A_TIME = 8
_EARLY_REVISION = "0007"

Row = tuple[str, str]


async def run_day(folder: Path, *urls: str, **settings: str) -> list[Row]:
    """Run a day: sync, grade, mail and read with a process for each address.

    Then run the other commands, and start again with the tables of an early release.

    ``urls`` lead to one empty database.
    """
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    async with Sandbox() as sandbox:
        rows = await _use(sandbox, folder, urls, settings)
        environment = service_environment(urls[0], sandbox, folder) | settings
        await run_commands(folder, **environment)
        await _downgrade(environment)
        async with run_service(urls[0], sandbox, folder, **settings) as service:
            await _post(service, "/avito/sync")
            doctor = await run_app(folder, "doctor", **environment)
    fault = [line for line in doctor.lines if "База" in line and not line.startswith("✓")]
    assert not fault, fault
    return [*rows, ("commands, downgrade, second start, sync, doctor", "done")]


async def _use(
    sandbox: Sandbox, folder: Path, urls: Sequence[str], settings: dict[str, str]
) -> list[Row]:
    async with (
        run_service(urls[0], sandbox, folder, **settings) as first,
        run_service(urls[-1], sandbox, folder, **settings) as second,
    ):
        synced, _ = await asyncio.gather(_post(first, "/avito/sync"), _post(second, "/avito/sync"))
        graded = await _post(second, "/llm/analyze")
        mailed = await _post(first, "/timer/reports")
        async with open_rest_client(second) as rest:
            paths = await review_and_read(rest)
        failed = await asyncio.gather(_list_failed(first), _list_failed(second))
        for service in (first, second):
            assert b"Traceback" not in service.log, service.log.decode()
    figures = [
        synced["synced_chats"],
        graded["analyzed_chats"],
        mailed["send_reports"],
    ]
    assert figures[1] == figures[2] > 0, figures
    assert not any(failed), failed
    return [
        ("chats, reports, mailed", ", ".join(map(str, figures))),
        ("paths of GETs, each with its parameters", str(paths)),
        (f"failed of {GETS} GETs", "0"),
    ]


async def _downgrade(environment: dict[str, str]) -> None:
    """Remove what the releases since an early one have added, as operations.md describes it."""
    command = (sys.executable, "-m", "alembic", "downgrade", _EARLY_REVISION)
    await run_to_end(*command, cwd=CHECKOUT, env=environment)


async def _post(service: RunningService, path: str) -> dict[str, int]:
    async with open_rest_client(service) as rest:
        answer = await rest.post(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def _list_failed(service: RunningService) -> list[str]:
    """Return the status and the path of each failure of this process's share of the GETs."""
    slots = asyncio.Semaphore(_AT_A_TIME)
    async with open_rest_client(service) as rest:

        async def get(number: int) -> httpx.Response:
            async with slots:
                return await rest.get(_PATHS[number % len(_PATHS)])

        answers = await asyncio.gather(*map(get, range(GETS // 2)))
    return [
        f"{answer.status_code} {answer.url.path}: {answer.text}"
        for answer in answers
        if answer.status_code != 200
    ]
