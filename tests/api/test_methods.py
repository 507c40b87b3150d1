"""Undocumented methods: HEAD for every GET, and the ``Allow`` header of a 405."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from app.api.middleware import HeadAsGet
from tests.support.stage import GOOD_TALK, Stage

DAYS = "start_date=2020-01-01&end_date=2099-12-31"
PLACES = (
    "/",
    "/page/page.js",
    "/docs",
    "/docs/assets/swagger-ui.css",
    "/openapi.json",
    "/nothing",
    "/api/v1/avito/sync",
)
ANSWERS = (
    f"/api/v1/reports?{DAYS}",
    f"/api/v1/reports?{DAYS}&limit=1",
    f"/api/v1/reports?{DAYS}&format=csv",
    "/api/v1/reports",
)


async def test_head_is_get_without_the_body(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.copy_first_report(1)
    paths = (await stage.rest.get("/openapi.json")).json()["paths"]
    documented = [
        path.replace("{date}", "2026-11-22").replace("{", "").replace("}", "")
        for path in paths
        if "get" in paths[path]
    ]
    assert {"/health/live", "/health/ready", "/metrics", "/api/v1/reports/daily"} < set(documented)
    assert not any("head" in operations for operations in paths.values())
    for path in (*PLACES, *ANSWERS, *documented):
        get, head = await stage.rest.get(path), await stage.rest.head(path)
        assert head.status_code == get.status_code, path
        assert (head.content, bool(get.content)) == (b"", True), path
        if path == "/metrics":  # its figures change between two requests
            del get.headers["content-length"], head.headers["content-length"]
        assert head.headers == get.headers, path


async def test_head_of_a_sheet_does_not_build_it(stage: Stage) -> None:
    """A sheet is built before its first byte is sent, and only then is its length known."""
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    path = f"/api/v1/reports?{DAYS}&format=xlsx"
    get = await stage.rest.get(path)
    assert int(get.headers.pop("content-length")) == len(get.content)
    assert get.headers.pop("etag")
    incomplete = '{"created_at":"2026-11-25T15:12:03.247+03:00"}'
    await stage.change("UPDATE reports SET body = CAST(:body AS json)", body=incomplete)
    assert (await stage.rest.get(path)).status_code == 500, "a sheet's row cannot be built from it"
    head = await stage.rest.head(path)
    assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)


async def test_head_requires_the_key(stage: Stage) -> None:
    answer = await stage.rest.head("/api/v1/runs", headers={"X-API-Key": "wrong"})
    assert answer.status_code == 401


async def test_head_does_not_generate_the_body() -> None:
    app, made = FastAPI(), 0
    app.add_middleware(HeadAsGet)

    async def generate_parts() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(1000):
            made += 1
            yield b"a report"

    @app.get("/reports")
    async def reports() -> StreamingResponse:
        return StreamingResponse(generate_parts(), headers={"Vary": "Accept"})

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as rest:
        answer = await rest.head("/reports")
        assert (answer.status_code, answer.headers["vary"], answer.content, made) == (
            200,
            "Accept",
            b"",
            0,
        )
        assert len((await rest.get("/reports")).content) == 8000


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v1/reports/1/review", "PUT, DELETE"),
        ("/api/v1/reports", "HEAD, GET"),
        ("/api/v1/reports/summary", "HEAD, GET"),
        ("/api/v1/avito/sync", "POST"),
        ("/health/live", "HEAD, GET"),
        ("/docs/assets/swagger-ui.css", "HEAD, GET"),
        ("/", "HEAD, GET"),
    ],
)
async def test_a_405_names_every_method_of_the_address(
    stage: Stage, path: str, methods: str
) -> None:
    for method in {"OPTIONS", "PATCH", "TRACE", "POST", "DELETE"} - set(methods.split(", ")):
        answer = await stage.rest.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods), (method, path)
        assert answer.json()["status"] == "error"
