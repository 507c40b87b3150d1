"""Response headers: no caching of personal data, no type sniffing, a strict policy for /docs."""

import re
from base64 import b64encode
from hashlib import sha256

from tests.support.stage import GOOD_TALK, Stage

DAYS = "start_date=2020-01-01&end_date=2099-12-31"


async def test_responses_to_a_key_are_not_cached(stage: Stage) -> None:
    """For every status, and for responses of the endpoints and of the framework."""
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    places = [
        ("GET", f"/reports?{DAYS}", 200),
        ("GET", f"/reports?{DAYS}&format=csv", 200),
        ("GET", f"/reports?{DAYS}&format=xlsx", 200),
        ("GET", "/reports/1", 200),
        ("GET", f"/chats/{chat.id}", 200),
        ("HEAD", f"/chats/{chat.id}", 200),
        ("GET", "/runs", 200),
        ("POST", "/avito/sync", 200),
        ("GET", "/runs/zero", 400),
        ("GET", "/runs/99", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/reports", 405),
    ]
    for method, path, status in places:
        answer = await stage.rest.request(method, f"/api/v1{path}")
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert "X-API-Key" in answer.headers["vary"].split(", "), path
    answer = await stage.rest.get("/api/v1/runs", headers={"X-API-Key": "wrong"})
    assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")


async def test_response_to_a_crash_is_not_cached(stage: Stage) -> None:
    await stage.change("ALTER TABLE runs RENAME TO gone")
    try:
        answer = await stage.rest.get("/api/v1/runs")
    finally:
        await stage.change("ALTER TABLE gone RENAME TO runs")
    assert (
        answer.status_code,
        answer.headers["cache-control"],
        answer.headers["x-content-type-options"],
    ) == (500, "no-store", "nosniff")


async def test_every_response_forbids_type_sniffing(stage: Stage) -> None:
    for path in (
        "/",
        "/page/page.js",
        "/docs",
        "/docs/assets/swagger-ui.css",
        "/openapi.json",
        "/health/live",
        "/metrics",
        "/nothing",
    ):
        assert (await stage.rest.get(path)).headers["x-content-type-options"] == "nosniff", path


async def test_documentation_page_runs_only_its_own_script(stage: Stage) -> None:
    page = await stage.rest.get("/docs")
    policy = dict(
        rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; ")
    )
    assert (
        policy["default-src"]
        == policy["base-uri"]
        == policy["form-action"]
        == policy["frame-ancestors"]
        == "'none'"
    )
    inline = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    hashes = [
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in inline
    ]
    assert policy["script-src"].split() == ["'self'", *hashes]
    assert len(hashes) == 1
    assert not re.search(r"<[^>]+ on\w+=", page.text), "handlers in attributes would be blocked"
