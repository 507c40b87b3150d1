"""The web page at ``/``: its files, headers and restrictions."""

import re
from pathlib import Path

import httpx
import pytest

import app
from tests.support.openapi_document import iterate_texts
from tests.support.stage import Stage

FOLDER = Path(app.__file__).parent / "templates" / "page"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
FILES = sorted(path.name for path in FOLDER.iterdir())


async def fetch(
    stage: Stage, path: str, status: int = 200, method: str = "GET", **headers: str
) -> httpx.Response:
    """Send a request without a key and return the response."""
    stage.rest.headers.pop("X-API-Key", None)
    answer = await stage.rest.request(method, path, headers=headers)
    assert answer.status_code == status, (path, answer.text)
    return answer


async def test_every_file_is_public_with_its_type_and_the_policy(stage: Stage) -> None:
    assert {"index.html", "page.css", "page.js"} < set(FILES)
    for path, name in (("/", "index.html"), *((f"/page/{name}", name) for name in FILES)):
        answer = await fetch(stage, path)
        assert answer.content == (FOLDER / name).read_bytes()
        kind = answer.headers["content-type"]
        assert kind.split(";")[0] == TYPES[Path(name).suffix]
        assert kind.endswith("charset=utf-8") is kind.startswith("text/")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        rules = dict(
            rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; ")
        )
        assert rules == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self'",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }


async def test_cached_file_is_not_sent_again(stage: Stage) -> None:
    for path in ("/", "/page/page.js"):
        first = await fetch(stage, path)
        assert first.headers["cache-control"] == "no-cache"
        etag = first.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}'):
            again = await fetch(stage, path, 304, **{"If-None-Match": known})
            assert (again.content, again.headers["etag"]) == (b"", etag)
            assert (
                again.headers["content-security-policy"] == first.headers["content-security-policy"]
            )
        await fetch(stage, path, 200, **{"If-None-Match": '"other"'})
        head = await fetch(stage, path, method="HEAD")
        assert (head.content, head.headers["etag"]) == (b"", etag)


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/../daily.html.jinja",
        "/page/%2e%2e/daily.html.jinja",
        "/page/%2e%2e%2fdaily.html.jinja",
        "/page/..%5Cdaily.html.jinja",
        "/page//etc/passwd",
        "/page/page.js%00",
        "/page/nothing.js",
        "/index.html",
    ],
)
async def test_other_paths_are_404s(stage: Stage, path: str) -> None:
    answer = await fetch(stage, path, 404)
    assert answer.json()["status"] == "error"


def test_html_has_no_inline_script_and_no_external_resource() -> None:
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert scripts == [(' type="module" src="page/page.js"', "")]
    assert not re.search(r"\son\w+\s*=|javascript:|<style|\sstyle=", page)
    for link in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert link.startswith(("page/", "#", "docs")), link
        if link.startswith("page/"):
            assert link.removeprefix("page/") in FILES


def test_scripts_build_text_and_import_only_local_modules() -> None:
    """They use no API that turns a buyer's text into HTML or code."""
    for path in FOLDER.glob("*.js"):
        source = path.read_text(encoding="utf-8")
        unsafe = (
            r"innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new"
            r" Function|localStorage|document\.cookie"
        )
        assert not re.search(unsafe, source), path.name
        for module in re.findall(r"from '([^']+)'", source):
            assert module.startswith("./"), path.name
            assert module.removeprefix("./") in FILES
        assert source.startswith("/** ")


async def test_page_is_not_part_of_the_api(stage: Stage) -> None:
    document = (await stage.rest.get("/openapi.json")).json()
    assert "/" not in document["paths"]
    assert not any(path.startswith("/page") for path in document["paths"])
    assert len(list(iterate_texts(document))) > 100


def test_page_is_part_of_the_package() -> None:
    """An installed service has the page, like a checkout."""
    patterns = re.search(
        r'^"\*" = \[(.*)\]$',
        (FOLDER.parents[2] / "pyproject.toml").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert patterns
    assert {f"*{Path(name).suffix}" for name in FILES} <= {
        pattern.strip('" ') for pattern in patterns[1].split(",")
    }
