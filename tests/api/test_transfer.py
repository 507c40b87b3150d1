"""gzip by negotiation, ``ETag`` and 304, and the length of bounded responses."""

import gzip
import json

import pytest

from app.services.reports.reading import CHUNK
from tests.support.reports import ALL, add_two_reports, fetch_reports
from tests.support.stage import Stage

REPORTS = "/api/v1/reports"


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("gzip;q=0", False),
        ("deflate, gzip; q=0.000", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.1, gzip;q=0.5", True),
        ("gzip;q=many", False),
        ("gzipped", False),
        ("*", False),
        ("", False),
    ],
)
async def test_gzip_is_sent_to_clients_that_accept_it(
    stage: Stage, accepted: str, compressed: bool
) -> None:
    await add_two_reports(stage)
    for form in ("json", "csv"):
        plain = await stage.rest.get(
            REPORTS, params={**ALL, "format": form}, headers={"Accept-Encoding": "identity"}
        )
        asked = stage.rest.build_request(
            "GET", REPORTS, params={**ALL, "format": form}, headers={"Accept-Encoding": accepted}
        )
        answer = await stage.rest.send(asked, stream=True)
        raw = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers["vary"] == "Accept, Accept-Encoding, X-API-Key"
        assert answer.headers.get("content-encoding") == ("gzip" if compressed else None)
        assert (gzip.decompress(raw) if compressed else raw) == plain.content
        if compressed:
            assert len(raw) < len(plain.content)


async def test_what_is_small_or_compressed_already_is_sent_as_it_is(stage: Stage) -> None:
    await add_two_reports(stage)
    for path in ("/health/live", f"{REPORTS}?{DAYS}&format=xlsx"):
        answer = await stage.rest.get(path)
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers, path


async def test_long_list_is_compressed_while_it_is_sent(stage: Stage) -> None:
    await add_two_reports(stage)
    await stage.copy_first_report(2 * CHUNK)
    answer = await fetch_reports(stage)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()) == 2 * CHUNK + 2


@pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
async def test_page_has_its_length(stage: Stage, form: str) -> None:
    await add_two_reports(stage)
    answer = await stage.rest.get(
        REPORTS, params={**ALL, "format": form, "limit": 2}, headers={"Accept-Encoding": "identity"}
    )
    assert int(answer.headers["content-length"]) == len(answer.content) > 500


async def test_unchanged_list_is_not_sent_again(stage: Stage) -> None:
    """Its tag changes with a review and with an erasure, and differs for each encoding."""
    await add_two_reports(stage)
    paths = (f"{REPORTS}?{DAYS}", f"{REPORTS}?{DAYS}&grades=reviewed", f"{REPORTS}/1")
    tags = {}
    for path in paths:
        first = await stage.rest.get(path)
        tags[path] = first.headers["etag"]
        for known in (tags[path], f'"a", W/{tags[path]}', "*"):
            second = await stage.rest.get(path, headers={"If-None-Match": known})
            assert (second.status_code, second.content) == (304, b"")
            assert second.headers["etag"] == tags[path]
            assert second.headers["vary"] == first.headers["vary"]
            assert second.headers["cache-control"] == "no-store"
        plain = await stage.rest.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.headers["etag"] != tags[path]
        assert plain.content == first.content
    review = {"grades": {"clarity_grade": "Низкая"}, "reviewer": "Ольга"}
    answer = await stage.rest.put(f"{REPORTS}/1/review", json=review)
    assert answer.status_code == 200, answer.text
    unchanged = {
        path: (await stage.rest.get(path, headers={"If-None-Match": tags[path]})).status_code
        for path in paths
    }
    assert list(unchanged.values()) == [304, 200, 200]
    await stage.change("DELETE FROM reviews")
    await stage.change("DELETE FROM reports WHERE id = 1")
    answer = await stage.rest.get(paths[0], headers={"If-None-Match": tags[paths[0]]})
    assert (answer.status_code, len(answer.json())) == (200, 1)


async def test_only_a_success_has_a_tag(stage: Stage) -> None:
    for path in (f"{REPORTS}/77", f"{REPORTS}?limit=0&{DAYS}"):
        answer = await stage.rest.get(path, headers={"If-None-Match": "*"})
        assert answer.status_code in {400, 404}
        assert "etag" not in answer.headers
    answer = await stage.rest.post("/api/v1/avito/sync", headers={"If-None-Match": "*"})
    assert answer.status_code == 200
    assert json.loads(answer.content)


DAYS = "&".join(f"{name}={value}" for name, value in ALL.items())
