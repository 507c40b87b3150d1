"""A trial of the service behind a real reverse proxy with TLS and the prefix /quality."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx

from app.api.attempts import ATTEMPTS_A_MINUTE
from app.sandbox.server import Sandbox
from tests.support.checkout import CHECKOUT
from tests.support.service_process import KEY, run_service

PREFIX = "/quality"
DAYS = "start_date=2020-01-01&end_date=2099-12-31"
SLOW_SECONDS = 0.3
"""Latency of a request to Avito during the long POST, which makes several requests."""

Row = tuple[str, str]


def read_example(language: str) -> str:
    """Return the configuration of a proxy from docs/operations.md."""
    text = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
    [example] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(example)


def replace_all(example: str, replacements: dict[str, str]) -> str:
    """Replace addresses and paths of an example, each of which must occur in it."""
    for old, new in replacements.items():
        assert old in example, old
        example = example.replace(old, new)
    return example


async def wait_until_listening(process: asyncio.subprocess.Process, port: int) -> None:
    """Wait until the proxy accepts connections; fail if it ends."""
    async with asyncio.timeout(20):
        while True:
            assert process.returncode is None, "the proxy has ended"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@asynccontextmanager
async def serve_behind(database_url: str, folder: Path) -> AsyncIterator[tuple[Sandbox, str]]:
    """Start the service for a proxy; yield its sandbox and its ``host:port``."""
    async with (
        Sandbox() as sandbox,
        run_service(database_url, sandbox, folder, ROOT_PATH=PREFIX) as service,
    ):
        yield sandbox, service.url.removeprefix("http://")


def open_client(url: str, certificate: Path, local_address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client of the proxy that trusts its certificate."""
    transport = httpx.AsyncHTTPTransport(
        verify=ssl.create_default_context(cafile=certificate), local_address=local_address
    )
    return httpx.AsyncClient(transport=transport, base_url=url, timeout=60)


async def try_proxy(
    sandbox: Sandbox, url: str, certificate: Path, *, cuts_long_calls: bool
) -> list[Row]:
    """Return what worked behind the proxy at ``url``, which ends in the prefix and a slash.

    ``cuts_long_calls``: the proxy sends a 504 after a second.

    Raises:
        AssertionError: something did not work.
    """
    async with open_client(url, certificate) as client:
        rows = [await try_pages(client)]
        client.headers["X-API-Key"] = KEY
        rows.append(await try_long_call(client, sandbox, cuts_long_calls=cuts_long_calls))
        rows += [await try_run(client, "llm/analyze"), await try_links(client)]
    return [*rows, await try_addresses(url, certificate)]


async def try_pages(client: httpx.AsyncClient) -> Row:
    """Load the pages, what they refer to, and the OpenAPI document."""
    found = 0
    for page in (str(client.base_url).removesuffix("/"), "", "docs"):
        answer = await client.get(page, follow_redirects=True)
        assert answer.status_code == 200, (page, answer.status_code)
        references = re.findall(r"(?:src|href|url)[=:] ?['\"]([^'\"#]+)", answer.text)
        for reference in {urljoin(str(answer.url), one) for one in references}:
            assert reference.startswith(str(client.base_url)), reference
            assert (await client.get(reference)).status_code == 200, reference
            found += 1
    document = (await client.get("openapi.json")).json()
    assert document["servers"][0]["url"] == PREFIX
    return "page, docs and OpenAPI under the prefix", f"{found} references found"


async def try_long_call(
    client: httpx.AsyncClient, sandbox: Sandbox, *, cuts_long_calls: bool
) -> Row:
    """Make a call that takes longer than the proxy waits; the run must go on."""
    sandbox.avito.switches.latency_seconds = SLOW_SECONDS
    answer = await client.post("api/v1/avito/sync", json={"full": True})
    sandbox.avito.switches.latency_seconds = 0
    assert answer.status_code == (504 if cuts_long_calls else 200), answer.text
    run = (await client.get("api/v1/runs")).json()[0]
    ended = await wait_for_end(client, f"api/v1/runs/{run['id']}")
    assert ended == "done"
    return "POST of several seconds", f"{answer.status_code}, its run: {ended}"


async def try_run(client: httpx.AsyncClient, action: str) -> Row:
    """Make the call with ``Prefer: respond-async`` and follow its ``Location``."""
    answer = await client.post(f"api/v1/{action}", headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    location = urljoin(str(answer.url), answer.headers["location"])
    assert location.startswith(str(client.base_url)), location
    ended = await wait_for_end(client, location)
    assert ended == "done"
    return "POST with Prefer: respond-async", f"202, its run: {ended}"


async def wait_for_end(client: httpx.AsyncClient, url: str) -> str:
    """Return the final state of a run."""
    async with asyncio.timeout(60):
        while True:
            state = (await client.get(url)).json()["state"]
            if state not in ("queued", "running"):
                return str(state)
            await asyncio.sleep(0.1)


async def try_links(client: httpx.AsyncClient) -> Row:
    """Read all reports by following ``Link``."""
    url, pages = f"api/v1/reports?{DAYS}&limit=10", 0
    while url:
        answer = await client.get(url)
        assert answer.status_code == 200, answer.text
        link = re.match(r"<([^>]+)>", answer.headers.get("link", ""))
        url = urljoin(str(answer.url), link[1]) if link else ""
        assert url == "" or url.startswith(str(client.base_url)), url
        pages += 1
    assert pages > 1
    return "pages of reports by Link", f"{pages}, all https"


async def try_addresses(url: str, certificate: Path) -> Row:
    """Exhaust the attempts of one client; the proxy reports the address of another."""
    async with open_client(url, certificate, "127.0.0.2") as first:
        statuses = [
            (await first.get("api/v1/runs")).status_code for _ in range(ATTEMPTS_A_MINUTE + 1)
        ]
    async with open_client(url, certificate, "127.0.0.3") as second:
        forged = await second.get("api/v1/runs", headers={"X-Forwarded-For": "127.0.0.2"})
    assert (statuses[-1], forged.status_code) == (429, 401)
    return "wrong keys of two clients", "counted apart, X-Forwarded-For cannot be forged"
