"""The OpenAPI document: Russian texts, complete errors, real responses; and its offline page."""

import json
import re
import threading
from dataclasses import replace
from typing import Any

import httpx

from tests.support.openapi_document import faults, iterate_texts
from tests.support.stage import GOOD_TALK, Stage, make_app


async def test_all_texts_are_russian(stage: Stage) -> None:
    document = (await stage.rest.get("/openapi.json")).json()
    assert [
        where for where, words in iterate_texts(document) if not re.search("[а-яё]", words)
    ] == []
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert all(
        operation["summary"] and operation["description"] and operation["operationId"]
        for operation in operations
    )


async def test_every_endpoint_declares_its_errors_and_its_key(stage: Stage) -> None:
    document = (await stage.rest.get("/openapi.json")).json()
    assert {
        "/api/v1/avito/sync",
        "/api/v1/llm/analyze",
        "/api/v1/timer/reports",
        "/api/v1/reports",
    } <= set(document["paths"])
    assert "/api/v1/v1/avito/sync" not in document["paths"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"]
            if path.startswith("/api/v1"):
                assert {"400", "401", "500"} <= set(operation["responses"])
                assert operation["security"] == [{"APIKeyHeader": []}]
                assert (operation.get("requestBody", {}).get("required") is False) is (
                    path in POSTS
                )


POSTS = {"/api/v1/avito/sync", "/api/v1/llm/analyze", "/api/v1/timer/reports"}


async def test_responses_match_the_document(stage: Stage) -> None:
    """Real responses of every endpoint, errors included."""
    document = (await stage.rest.get("/openapi.json")).json()
    chat = stage.add_talk(*GOOD_TALK)
    days = "start_date=2020-01-01&end_date=2099-12-31"
    cases = [
        ("POST /avito/sync", "", 200),
        ("POST /llm/analyze", "", 200),
        ("POST /timer/reports", "", 200),
        ("GET /reports", f"?{days}", 200),
        ("GET /reports/{report_id}", "1", 200),
        ("GET /chats/{chat_id}", chat.id, 200),
        ("GET /reports/daily", "", 200),
        ("GET /reports/daily/{date}", "1999-12-31", 404),
        ("GET /runs", "", 200),
        ("GET /runs/{run_id}", "3", 200),
        ("GET /reports", "?start_date=0", 400),
        ("GET /reports/{report_id}", "99", 404),
        ("GET /chats/{chat_id}", "u2i-nobody", 404),
        ("GET /runs/{run_id}", "99", 404),
        ("POST /timer/reports", "?date=2026-11-22", 400),
    ]
    for endpoint, more, status in cases:
        method, path = endpoint.split()
        answer = await stage.rest.request(method, f"/api/v1{path.split('{')[0]}{more}")
        assert answer.status_code == status, (endpoint, answer.text)
        content = document["paths"][f"/api/v1{path}"][method.lower()]["responses"][str(status)][
            "content"
        ]["application/json"]
        assert faults(answer.json(), content["schema"], document) == [], endpoint
        assert set(get_first_object(content["example"])) <= set(get_first_object(answer.json())), (
            endpoint
        )


def get_first_object(body: Any) -> dict[str, Any]:
    """Return the first object of the body."""
    return dict(body[0] if isinstance(body, list) else body)


async def test_page_has_all_its_assets_locally(stage: Stage) -> None:
    page = await stage.rest.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) >= 3
    for link in links:
        assert re.match(r"[a-z/]+[.-]", link), "relative to the page"
        assert (await stage.rest.get(f"/{link}")).status_code == 200


async def test_documentation_can_be_switched_off(stage: Stage) -> None:
    hidden = stage.service.settings.model_copy(update={"docs_enabled": False})
    app = make_app(replace(stage.service, settings=hidden))
    assert {"/docs", "/openapi.json"}.isdisjoint(
        {getattr(route, "path", "") for route in app.routes}
    )


async def test_document_is_built_beside_the_event_loop_and_once(stage: Stage) -> None:
    """It takes a third of a second, for which no other request may wait."""
    app = make_app(stage.service)
    build, threads = app.openapi, []

    def build_noted() -> dict[str, Any]:
        threads.append(threading.current_thread())
        return build()

    app.openapi = build_noted  # type: ignore[method-assign]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://service"
    ) as client:
        answers = [await client.get("/openapi.json") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert json.loads(answers[0].content) == build()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_health_and_metrics_need_no_key_and_have_no_personal_data(stage: Stage) -> None:
    stage.add_talk(
        ("client", "Мой номер 8 900 123-45-67"), ("company", "Спасибо"), client="Евдокия"
    )
    await stage.sync()
    stage.rest.headers.pop("X-API-Key")
    for path in ("/health/live", "/health/ready", "/metrics"):
        answer = await stage.rest.get(path)
        assert answer.status_code == 200
        assert "Евдокия" not in answer.text
    assert (await stage.rest.get("/health/ready")).json()["last_runs"]["sync"]["state"] == "done"
    assert "avito_quality_chats 1.0" in (await stage.rest.get("/metrics")).text
