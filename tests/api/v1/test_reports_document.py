"""Every row of the customer's document, over HTTP.

Covers paths, fields, their order and types, grade words and status codes.
"""

import re
from datetime import datetime

import pytest

from tests.support.reports import FIELDS, GRADES
from tests.support.stage import BAD_TALK, GOOD_TALK, KEY, SECOND_KEY, Stage


@pytest.mark.parametrize("path", ["/api/v1/avito/sync", "/api/v1/v1/avito/sync"])
async def test_sync_response_matches_the_document(stage: Stage, path: str) -> None:
    """Both interpretations of the document's path start the sync."""
    stage.add_talk(*GOOD_TALK)
    answer = await stage.rest.post(path, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == "success"
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["synced_chats"] == 1
    assert {
        "new_chats": 1,
        "updated_chats": 0,
        "new_messages": 4,
        "incomplete_chats": 0,
    }.items() <= body.items()


async def test_analyze_response_matches_the_document(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(("client", "Есть кто живой?"))
    await stage.sync()
    body = await stage.analyze()
    assert body["status"] == "success"
    assert body["analyzed_chats"] == 1
    assert {"skipped_chats": 1, "failed_chats": 0, "waiting_chats": 0}.items() <= body.items()


async def test_timer_response_matches_the_document(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    body = await stage.mail()
    assert body["status"] == "success"
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", body["date"])
    assert body["send_reports"] == 1
    assert len(stage.sandbox.smtp.messages) == 2


async def test_reports_have_the_documents_fields_in_its_order(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, title="Диван угловой", client="Анна")
    stage.add_talk(*BAD_TALK, title="Шкаф", client=None)
    await stage.sync()
    await stage.analyze()
    today = stage.clock().astimezone(stage.service.settings.report_timezone).date().isoformat()
    answer = await stage.rest.get(
        "/api/v1/reports", params={"start_date": today, "end_date": today}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert "\\u" not in answer.text, "Cyrillic is not escaped"
    reports = answer.json()
    assert len(reports) == 2
    for report in reports:
        assert list(report) == [*FIELDS, "id"]
        assert {name: type(report[name]) for name in FIELDS} == FIELDS
        assert report["total_messages"] == report["company_messages"] + report["client_messages"]
        assert {
            report[name]
            for name in FIELDS
            if name.endswith("_grade") and name != "objection_handling_grade"
        } <= GRADES
        assert report["objection_handling_grade"] in GRADES | {"Нет возражений"}
        assert datetime.fromisoformat(report["created_at"]).utcoffset() is not None
        assert report["summary"]
    good, bad = sorted(reports, key=lambda report: report["chat_title"] != "Диван угловой")
    assert (good["chat_title"], good["client_name"]) == ("Диван угловой", "Анна")
    assert (good["total_messages"], good["company_messages"], good["client_messages"]) == (4, 2, 2)
    assert good["objection_handling_grade"] == "Нет возражений"
    assert bad["client_name"] == "Клиент"
    assert bad["objection_handling_grade"] in GRADES


async def test_a_missing_or_wrong_key_is_a_401(stage: Stage) -> None:
    """Also with invalid parameters: a client without a key learns nothing about them."""
    stage.rest.headers.pop("X-API-Key")
    endpoints = [
        "POST /avito/sync",
        "POST /v1/avito/sync",
        "POST /llm/analyze",
        "POST /timer/reports",
        "GET /reports",
        "GET /runs",
    ]
    for method, path in (endpoint.split() for endpoint in endpoints):
        for key in (None, "", "wrong", KEY[:-1], "тест"):
            headers = {} if key is None else {b"X-API-Key": key.encode()}
            answer = await stage.rest.request(
                method, f"/api/v1{path}", headers=headers, content=b"{not json"
            )
            assert answer.status_code == 401, (method, path, key)
            assert answer.json()["status"] == "error"
            assert "X-API-Key" in answer.json()["message"]
    assert stage.avito.requests == []
    assert await stage.rows("SELECT * FROM runs") == []


async def test_every_configured_key_is_accepted(stage: Stage) -> None:
    answer = await stage.rest.get("/api/v1/runs", headers={"X-API-Key": SECOND_KEY})
    assert answer.status_code == 200


async def test_failure_of_avito_is_a_500_with_the_reason(stage: Stage) -> None:
    """The plan is not paid: the document's 500, with the figures of the finished work."""
    stage.add_talk(*GOOD_TALK)
    stage.avito.switches.plan_missing = "nested"
    body = await stage.post("/avito/sync", status=500)
    assert body["status"] == "error"
    assert "тариф" in body["message"]
    assert body["synced_chats"] == 0
    assert body["new_chats"] == 1


async def test_failure_of_the_mail_is_a_500_with_send_reports(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    stage.sandbox.smtp.switches.refuse_connections = True
    body = await stage.post("/timer/reports", status=500)
    assert body["status"] == "error"
    assert body["send_reports"] == 0
    assert "boss@example.ru" in body["message"]


async def test_repeated_calls_change_nothing(full_stage: Stage) -> None:
    """Sync, analyze and mail again: no new row, no new mail, and zeros in the responses."""
    stage = full_stage
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    before = await _snapshot(stage)
    mails = len(stage.sandbox.smtp.messages)
    graded = len(stage.sandbox.deepseek.requests)
    second = await stage.sync()
    assert (second["new_chats"], second["updated_chats"], second["new_messages"]) == (0, 0, 0)
    assert second["synced_chats"] == len(stage.avito.accounts[0].chats)
    assert {
        "analyzed_chats": 0,
        "skipped_chats": 0,
        "failed_chats": 0,
        "waiting_chats": 0,
    }.items() <= (await stage.analyze()).items()
    assert (await stage.mail())["send_reports"] == 0
    assert await _snapshot(stage) == before
    assert len(stage.sandbox.smtp.messages) == mails
    assert len(stage.sandbox.deepseek.requests) == graded


async def _snapshot(stage: Stage) -> dict[str, object]:
    """Return the rows of every table except ``runs``, without the times of reading."""
    tables = ("messages", "reports", "digests", "deliveries")
    rows: dict[str, object] = {
        table: await stage.rows(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 - our own
        for table in tables
    }
    chats = await stage.rows("SELECT * FROM chats ORDER BY id")
    rows["chats"] = [
        {name: value for name, value in chat.items() if name != "messages_read_at"}
        for chat in chats
    ]
    return rows
