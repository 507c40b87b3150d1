"""Behind a reverse proxy: path prefix, forwarded headers, references in responses."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from app.api.attempts import ATTEMPTS_A_MINUTE
from app.config import load_settings
from app.errors import SettingsError
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import numbered_account
from app.sandbox.server import Sandbox
from tests.support.patience import PATIENCE
from tests.support.service_process import KEY, run_service
from tests.support.stage import GOOD_TALK, on_stage
from tests.support.start_faults import start_and_read_error

WITH_KEY = {"X-API-Key": KEY}
DAYS = "start_date=2020-01-01&end_date=2099-12-31"


class PathProxy(httpx.AsyncBaseTransport):
    """Serves an application under ``prefix`` of a host with TLS, and removes it or not."""

    def __init__(self, inner: httpx.AsyncBaseTransport, prefix: str, *, strips: bool) -> None:
        self._inner = inner
        self._prefix = prefix
        self._strips = strips

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.scheme == "https", "the key was sent in plain text"
        path = request.url.raw_path.decode()
        assert path.startswith(self._prefix), path
        if self._strips:
            path = path.removeprefix(self._prefix)
        url = request.url.copy_with(scheme="http", raw_path=path.encode())
        return await self._inner.handle_async_request(
            httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        )


def make_empty_sandbox() -> Sandbox:
    """Return a sandbox with one account and no chats."""
    return Sandbox(avito=LocalAvito([numbered_account(1)]))


@asynccontextmanager
async def serve_under_prefix(
    url: str, *, strips: bool, prefix: str = "/quality"
) -> AsyncIterator[tuple[Any, httpx.AsyncClient]]:
    """Yield a stage with three reports, and a client of the proxy before it."""
    async with make_empty_sandbox() as sandbox, on_stage(url, sandbox, root_path=prefix) as stage:
        for _ in range(3):
            stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        transport = PathProxy(stage.rest._transport, prefix, strips=strips)
        async with httpx.AsyncClient(
            transport=transport, base_url=f"https://example.ru{prefix}/", headers=stage.rest.headers
        ) as client:
            yield stage, client


@pytest.mark.parametrize("strips", [True, False])
async def test_references_stay_under_the_prefix_and_the_scheme(
    database_url: str, strips: bool
) -> None:
    async with serve_under_prefix(database_url, strips=strips) as (_, client):
        answer = await client.get(f"api/v1/reports?{DAYS}&limit=1")
        found = answer.json()
        while link := answer.headers.get("link"):
            reference = link[1 : link.index(">")]
            assert reference.startswith("/quality/api/v1/reports?")
            answer = await client.get(urljoin(str(answer.url), reference))
            assert answer.status_code == 200
            found += answer.json()
        assert len({report["id"] for report in found}) == 3
        answer = await client.post("api/v1/avito/sync", headers={"Prefer": "respond-async"})
        location = answer.headers["location"]
        assert location.startswith("/quality/api/v1/runs/")
        assert location in answer.json()["message"]
        answer = await client.get(urljoin(str(answer.url), location))
        assert answer.json()["kind"] == "sync"


@pytest.mark.parametrize("strips", [True, False])
async def test_pages_and_documents_work_under_the_prefix(database_url: str, strips: bool) -> None:
    """Whatever the pages refer to is found by a browser."""
    async with serve_under_prefix(database_url, strips=strips) as (_, client):
        client.headers.pop("x-api-key")
        for page in ("", "docs"):
            answer = await client.get(page)
            assert answer.status_code == 200
            references = set(re.findall(r"(?:src|href|url)[=:] ?['\"]([^'\"#]+)", answer.text))
            assert len(references) > 2, page
            for reference in references:
                address = urljoin(str(answer.url), reference)
                assert (await client.get(address)).status_code == 200, address
        document = (await client.get("openapi.json")).json()
        assert [server["url"] for server in document["servers"]] == ["/quality"]
        for path in ("health/live", "health/ready", "metrics"):
            assert (await client.get(path)).status_code == 200


async def test_prefix_without_a_final_slash_is_redirected(database_url: str) -> None:
    """The references of the page are relative."""
    async with serve_under_prefix(database_url, strips=False) as (_, client):
        answer = await client.get("https://example.ru/quality?a=%20b")
        assert (answer.status_code, answer.headers["location"]) == (308, "/quality/?a=%20b")
        assert (await client.get("https://example.ru/quality-x")).status_code == 404


@pytest.mark.parametrize("strips", [True, False])
async def test_rules_for_paths_hold_under_the_prefix(database_url: str, strips: bool) -> None:
    """The key is checked before the body, answers are private, HEAD and both sync paths work."""
    async with serve_under_prefix(database_url, strips=strips, prefix="/api/quality") as (
        _,
        client,
    ):
        answer = await client.get("api/v1/runs")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert (await client.head("api/v1/runs")).status_code == 200
        assert (await client.post("api/v1/v1/avito/sync")).status_code == 200
        assert (await client.delete("api/v1/runs")).headers["allow"] == "HEAD, GET"
        answer = await client.post(
            "api/v1/avito/sync", content=b"{broken", headers={"X-API-Key": "wrong"}
        )
        assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")


async def test_scheme_of_the_service_is_in_no_reference(database_url: str) -> None:
    """Without ROOT_PATH too: the Link header named http behind a proxy with TLS."""
    async with make_empty_sandbox() as sandbox, on_stage(database_url, sandbox) as stage:
        for _ in range(2):
            stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        page = await stage.rest.get(f"/api/v1/reports?{DAYS}&limit=1", headers=forged)
        run = await stage.rest.post(
            "/api/v1/avito/sync", headers={**forged, "Prefer": "respond-async"}
        )
    for reference in (page.headers["link"][1:], run.headers["location"]):
        parts = urlsplit(reference)
        assert (parts.scheme, parts.netloc, parts.path[:8]) == ("", "", "/api/v1/")
    assert "evil" not in page.text + run.text + str(page.headers) + str(run.headers)


async def exhaust_attempts(rest: httpx.AsyncClient, forwarded: str) -> None:
    for _ in range(ATTEMPTS_A_MINUTE + 1):
        answer = await rest.get("/api/v1/runs", headers={"X-Forwarded-For": forwarded})
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("allowed", "is_trusted"),
    [
        ("127.0.0.1", True),
        ("10.0.0.1, 127.0.0.0/8", True),
        ("127.0.0.1/8,::1", True),
        ("*", True),
        ("10.0.0.0/8", False),
    ],
)
async def test_forwarded_address_counts_from_trusted_proxies_only(
    tmp_path: Path, database_url: str, allowed: str, is_trusted: bool
) -> None:
    async with (
        Sandbox() as sandbox,
        run_service(database_url, sandbox, tmp_path, FORWARDED_ALLOW_IPS=allowed) as service,
        httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=PATIENCE) as rest,
    ):
        await exhaust_attempts(rest, "203.0.113.7")
        answer = await rest.get("/api/v1/runs", headers={"X-Forwarded-For": "203.0.113.8"})
    assert answer.status_code == (401 if is_trusted else 429)
    assert ("203.0.113.7" in service.log.decode()) is is_trusted


async def test_proxy_is_trusted_on_a_dual_stack_socket(tmp_path: Path, database_url: str) -> None:
    async with (
        Sandbox() as sandbox,
        run_service(database_url, sandbox, tmp_path, HOST="::") as service,
        httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=PATIENCE) as rest,
    ):
        await exhaust_attempts(rest, "203.0.113.7")
        answer = await rest.get("/api/v1/runs", headers={"X-Forwarded-For": "203.0.113.8"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("/quality", "/quality"),
        ("quality/", "/quality"),
        ("/a/b-c_d.e~f/", "/a/b-c_d.e~f"),
        ("/api/quality", "/api/quality"),
        ("/", None),
        ("", None),
    ],
)
def test_root_path_is_normalized(written: str, read: str | None) -> None:
    assert load_settings(_env_file=None, root_path=written or None).root_path == read


UNUSABLE = [
    "/a b",
    "/a//b",
    "/a?b",
    "/..",
    "/a/../b",
    "/./a",
    "/q%20",
    "/качество",
    "https://a.ru/q",
]
OWN = ["/api", "/api/v1", "/api/v1/runs", "/docs", "/page", "/webhooks/x", "/metrics", "/health"]


@pytest.mark.parametrize("path", [*UNUSABLE, *OWN])
def test_unusable_root_path_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match=r"^ROOT_PATH: значение не подходит; нужно: путь вида"):
        load_settings(_env_file=None, root_path=path)


@pytest.mark.parametrize("proxies", ["canary", "*,127.0.0.1", "10.0.0.0/33", "127.0.0.1,,"])
async def test_unusable_proxy_addresses_refuse_the_start(tmp_path: Path, proxies: str) -> None:
    await start_and_read_error(tmp_path, 2, "FORWARDED_ALLOW_IPS", FORWARDED_ALLOW_IPS=proxies)
