"""Log of requests: one line each, with the id of the key and without any secret."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.security import compute_key_id
from app.sandbox.server import Sandbox
from tests.support.patience import PATIENCE
from tests.support.service_process import KEY, RunningService, run_service

SECOND_KEY = "second-key-of-the-log-tests"
WEBHOOK_SECRET = "webhook-secret-of-the-tests"
METHOD_CANARY = "CANARY"
CLIENT_SECRET = Sandbox().environment()["AVITO_CLIENT_SECRET"]
SETTINGS = {
    "API_KEYS": f"{KEY},{SECOND_KEY}",
    "LOG_FORMAT": "json",
    "AVITO_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "PUBLIC_URL": "https://quality.example.ru",
}


@asynccontextmanager
async def serve(
    database_url: str, folder: Path, **settings: str
) -> AsyncIterator[tuple[RunningService, httpx.AsyncClient]]:
    async with (
        Sandbox() as sandbox,
        run_service(database_url, sandbox, folder, **{**SETTINGS, **settings}) as service,
        httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=PATIENCE) as rest,
    ):
        yield service, rest


def list_requests(service: RunningService) -> list[dict[str, Any]]:
    """Return the logged requests without those of the wait for the service."""
    lines = [json.loads(line) for line in service.log.decode().splitlines()]
    return [line for line in lines if line["event"] == "rest.request"]


def summarize(line: dict[str, Any]) -> tuple[str, str, int, str | None]:
    return line["method"], line["path"], line["status"], line.get("key")


async def test_each_request_is_one_line(tmp_path: Path, database_url: str) -> None:
    first, second = compute_key_id(KEY), compute_key_id(SECOND_KEY)
    calls = [
        ("GET", "/api/v1/runs?limit=1", KEY, 200, first),
        ("HEAD", "/api/v1/runs", SECOND_KEY, 200, second),
        ("POST", "/api/v1/avito/sync", KEY, 200, first),
        ("GET", "/api/v1/reports", KEY, 400, first),
        ("GET", "/api/v1/runs/99", KEY, 404, first),
        ("GET", "/api/v1/runs", None, 401, None),
        ("GET", "/api/v1/runs", "wrong-key-of-a-stranger", 401, None),
        ("DELETE", "/api/v1/runs", KEY, 405, None),
        ("GET", "/", None, 200, None),
        ("GET", "/nothing", None, 404, None),
    ]
    async with serve(database_url, tmp_path) as (service, rest):
        for method, path, key, status, _ in calls:
            answer = await rest.request(method, path, headers={"X-API-Key": key} if key else {})
            assert answer.status_code == status, answer.text
    logged = list_requests(service)
    assert [summarize(line) for line in logged] == [
        (method, path.partition("?")[0], status, key_id)
        for method, path, _, status, key_id in calls
    ]
    assert all(0 < line["duration_ms"] < 60_000 for line in logged)
    assert first != second


async def test_no_secret_is_logged(tmp_path: Path, database_url: str) -> None:
    canary = "canary-in-the-query"
    async with serve(database_url, tmp_path) as (service, rest):
        for path in (
            f"/api/v1/reports?key={canary}&X-API-Key={KEY}",
            f"/api/v1/chats/{KEY}",
            f"/api/v1/chats/%2525{ord(KEY[0]):X}{KEY[1:]}",
            f"/api/v1/{WEBHOOK_SECRET}",
            f"/api/v1/{CLIENT_SECRET}",
            f"/webhooks/avito/{canary}",
            f"/prefix/webhooks/avito/{canary}/more",
            f"/webhooks/%61vito/{canary}",
        ):
            await rest.get(path, headers={"X-API-Key": KEY})
        await rest.request(METHOD_CANARY, "/nothing")
        answer = await rest.post(f"/webhooks/avito/{WEBHOOK_SECRET}", json={})
        assert answer.status_code == 200
    log = service.log.decode()
    paths = [line["path"] for line in list_requests(service)]
    assert paths == [
        "/api/v1/reports",
        "/api/v1/chats/***",
        "/api/v1/chats/***",
        "/api/v1/***",
        "/api/v1/***",
        "/webhooks/avito/",
        "/prefix/webhooks/avito/",
        "/webhooks/avito/",
        "/nothing",
        "/webhooks/avito/",
    ]
    assert not [
        secret
        for secret in (canary, KEY, WEBHOOK_SECRET, CLIENT_SECRET, METHOD_CANARY)
        if secret in log
    ]


@pytest.mark.parametrize(("level", "is_logged"), [("INFO", False), ("DEBUG", True)])
async def test_probes_are_logged_at_debug(
    tmp_path: Path, database_url: str, level: str, is_logged: bool
) -> None:
    async with serve(database_url, tmp_path, LOG_LEVEL=level, ROOT_PATH="/quality") as (
        service,
        rest,
    ):
        for path in ("/health/live", "/quality/health/ready", "/metrics"):
            assert (await rest.get(path)).status_code == 200
    paths = {line["path"] for line in list_requests(service)}
    assert paths == (
        {"/health/live", "/health/ready", "/quality/health/ready", "/metrics"}
        if is_logged
        else set()
    )


async def test_a_path_cannot_forge_a_line(tmp_path: Path, database_url: str) -> None:
    async with serve(database_url, tmp_path, LOG_FORMAT="console") as (service, rest):
        await rest.get("/a%0Ab%1B[31m%20c/%D0%B9" + "x" * 5000)
    [line] = [one for one in service.log.decode().splitlines() if "rest.request" in one]
    assert re.search(r"path=/a%0Ab%1B%5B31m%20c/%D0%B9x{200,300} ", line)
    assert len(line) < 500


def test_key_id_is_short_and_stable() -> None:
    assert compute_key_id(KEY) == compute_key_id(KEY)
    assert re.fullmatch(r"[0-9a-f]{8}", compute_key_id(KEY))
