"""``GET /reports/summary``: periods and filters of the list, consistent sums, separate series."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import numbered_account
from app.sandbox.server import Sandbox
from tests.support.reports import add_ordered_reports
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage

ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def fetch_summary(stage: Stage, /, **params: Any) -> dict[str, Any]:
    answer = await stage.rest.get("/api/v1/reports/summary", params=params or ALL)
    return dict(answer.json()) | {"code": answer.status_code}


async def test_days_match_the_list_and_add_up(stage: Stage) -> None:
    await add_ordered_reports(stage)
    zone = stage.service.settings.report_timezone
    midnight = datetime(2026, 3, 15, tzinfo=zone)
    await stage.change(
        "UPDATE reports SET created_at = :at WHERE id = 1", at=midnight - timedelta(seconds=1)
    )
    await stage.change("UPDATE reports SET created_at = :at WHERE id = 2", at=midnight)
    whole = await fetch_summary(stage)
    assert [(day["date"], day["reports"]) for day in whole["days"]] == [
        ("2026-03-14", 1),
        ("2026-03-15", 1),
    ]
    assert (whole["reports"], whole["chats"], whole["timezone"]) == (2, 2, "Europe/Moscow")
    mean = sum(day["mean_score"] for day in whole["days"]) / 2
    assert whole["mean_score"] == pytest.approx(mean, abs=0.01), "rounded twice"
    first = await fetch_summary(stage, start_date="2026-03-14", end_date="2026-03-14")
    assert {name: first[name] for name in whole["days"][0] if name != "date"} == {
        name: value for name, value in whole["days"][0].items() if name != "date"
    }
    nothing = await fetch_summary(stage, start_date="2026-03-16", end_date="2026-03-16")
    assert (nothing["reports"], nothing["mean_score"], nothing["days"], nothing["series"]) == (
        0,
        None,
        [],
        [],
    )
    assert (
        nothing["bad_share"],
        nothing["first_answer"]["median_seconds"],
        nothing["criteria"][0]["high_share"],
    ) == (None, None, None)


async def test_accounts_are_separated(database_url: str) -> None:
    accounts = [numbered_account(1), numbered_account(2)]
    async with (
        Sandbox(avito=LocalAvito(accounts)) as sandbox,
        on_stage(database_url, sandbox) as stage,
    ):
        chat = stage.add_talk(*GOOD_TALK)
        accounts[1].put(accounts[0].chats.pop(chat.id))
        stage.add_talk(*BAD_TALK)
        await stage.sync()
        await stage.analyze()
        whole = await fetch_summary(stage)
        rows = {row["account_id"]: row for row in whole["accounts"]}
        assert {number: row["reports"] for number, row in rows.items()} == {
            account.user_id: 1 for account in accounts
        }
        for account in accounts:
            for key in (account.name, str(account.user_id)):
                selected = await fetch_summary(stage, **ALL, account=key)
                assert (selected["reports"], selected["mean_score"]) == (
                    1,
                    rows[account.user_id]["mean_score"],
                )
        assert (await fetch_summary(stage, **ALL, account="Чужой"))["reports"] == 0


async def test_mixed_series_are_reported(stage: Stage) -> None:
    await add_ordered_reports(stage)
    alone = await fetch_summary(stage)
    assert (alone["mixed_series"], alone["message"], len(alone["series"])) == (False, None, 1)
    await stage.change(
        "UPDATE reports SET model = 'deepseek-v4-pro', fingerprint = 'other' WHERE id = 2"
    )
    mixed = await fetch_summary(stage)
    assert mixed["mixed_series"] is True
    assert "разные модели" in mixed["message"]
    assert [(series["model"], series["reports"]) for series in mixed["series"]] == [
        ("deepseek-flash", 1),
        ("deepseek-v4-pro", 1),
    ]
    assert mixed["series"][0]["mean_score"] != mixed["series"][1]["mean_score"]
    assert mixed["mean_score"] == alone["mean_score"]
    await stage.change("UPDATE reports SET model = 'deepseek-flash' WHERE id = 2")
    assert (await fetch_summary(stage))["mixed_series"] is False, (
        "a new build of the same model does not start a new series"
    )


async def test_regrades_are_not_counted(stage: Stage) -> None:
    await add_ordered_reports(stage)
    await stage.change("UPDATE reports SET kind = 'regrade' WHERE id = 2")
    assert (await fetch_summary(stage))["reports"] == 1


async def test_invalid_parameters_are_named(stage: Stage) -> None:
    for params, field in (
        ({"start_date": "2026-03-14"}, "end_date"),
        (ALL | {"start_date": "2100-01-01"}, "start_date"),
        (ALL | {"chat_id": "u2i-1"}, "chat_id"),
        ({"mail": "22.11.2026"}, "mail"),
    ):
        refused = await fetch_summary(stage, **params)
        assert (refused["code"], [error["field"] for error in refused["errors"]]) == (400, [field])


async def test_reviewed_grades_count_if_requested(stage: Stage) -> None:
    await add_ordered_reports(stage)
    before = await fetch_summary(stage)
    answer = await stage.rest.put(
        "/api/v1/reports/1/review", json={"grades": {"tonality_grade": "Низкая"}}
    )
    corrected = answer.json()["review"]
    machine = await fetch_summary(stage)
    assert (before["reviewed_reports"], machine["reviewed_reports"]) == (0, 1)
    assert machine | {"reviewed_reports": 0, "days": [], "accounts": [], "series": []} == before | {
        "days": [],
        "accounts": [],
        "series": [],
    }
    reviewed = await fetch_summary(stage, **ALL, grades="reviewed")
    assert reviewed["criteria"][0]["low"] == before["criteria"][0]["low"] + 1
    listed = await stage.reports(grades="reviewed")
    assert reviewed["criteria"][0]["low"] == sum(
        report["tonality_grade"] == "Низкая" for report in listed
    )
    other = (await stage.rest.get("/api/v1/reports/2")).json()["score"]
    assert reviewed["mean_score"] == round((corrected["score"] + other) / 2, 2)
    assert (await fetch_summary(stage, **ALL, grades="both"))["code"] == 400
