"""A whole day of two service processes on one database."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from app.sandbox.server import Sandbox
from tests.support.command_line import run_app
from tests.support.service_process import (
    RunningService,
    open_rest_client,
    run_service,
    service_environment,
)

GETS = 200
_PERIOD = "start_date=2020-01-01&end_date=2099-12-31"
_PATHS = (
    f"/api/v1/reports?{_PERIOD}&limit=10",
    f"/api/v1/reports?{_PERIOD}&sort=score",
    f"/api/v1/reports/summary?{_PERIOD}",
    "/health/ready",
)
_AT_A_TIME = 8

Row = tuple[str, str]


async def run_day(folder: Path, *urls: str, **settings: str) -> list[Row]:
    """Run a day: sync, grade, mail and read with a process for each address, then start again.

    ``urls`` lead to one empty database.
    """
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    async with Sandbox() as sandbox:
        rows = await _use(sandbox, folder, urls, settings)
        async with run_service(urls[0], sandbox, folder, **settings) as service:
            await _post(service, "/avito/sync")
            environment = service_environment(urls[0], sandbox, folder) | settings
            doctor = await run_app(folder, "doctor", **environment)
    fault = [line for line in doctor.lines if "База" in line and not line.startswith("✓")]
    assert not fault, fault
    return [*rows, ("second start, sync, doctor", "done")]


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
        failed = sum(await asyncio.gather(_count_failed(first), _count_failed(second)))
        for service in (first, second):
            assert b"Traceback" not in service.log, service.log.decode()
    figures = [
        synced["synced_chats"],
        graded["analyzed_chats"],
        mailed["send_reports"],
    ]
    assert figures[1] == figures[2] > 0, figures
    assert failed == 0, f"{failed} of {GETS} GETs failed"
    return [
        ("chats, reports, mailed", ", ".join(map(str, figures))),
        (f"failed of {GETS} GETs", str(failed)),
    ]


async def _post(service: RunningService, path: str) -> dict[str, int]:
    async with open_rest_client(service) as rest:
        answer = await rest.post(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def _count_failed(service: RunningService) -> int:
    """Return how many of this process's share of the GETs failed."""
    slots = asyncio.Semaphore(_AT_A_TIME)
    async with open_rest_client(service) as rest:

        async def get(number: int) -> bool:
            async with slots:
                answer = await rest.get(_PATHS[number % len(_PATHS)])
            return answer.status_code != 200

        return sum(await asyncio.gather(*map(get, range(GETS // 2))))
