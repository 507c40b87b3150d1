"""Weeks of reports and their blind labels."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.support.stage import GOOD_TALK, Stage

HIGH = {
    "tonality_grade": "Высокая",
    "professionalism_grade": "Высокая",
    "clarity_grade": "Высокая",
    "problem_solving_grade": "Высокая",
    "objection_handling_grade": "Нет возражений",
    "closure_grade": "Высокая",
}
LOW = {**dict.fromkeys(HIGH, "Низкая"), "objection_handling_grade": "Нет возражений"}


async def add_weeks(stage: Stage, *, weeks: int, reports: int) -> None:
    """Add good reports: so many in each of the last weeks, the current one included."""
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.copy_first_report(weeks * reports - 1)
    await stage.change(
        "UPDATE reports SET created_at = CAST(:now AS timestamptz)"
        " - (greatest(id, 1000) % CAST(:weeks AS int)) * interval '7 days'",
        now=stage.clock(),
        weeks=weeks,
    )


async def fetch_sample(stage: Stage, **params: str) -> dict[str, Any]:
    answer = await stage.rest.get("/api/v1/labels", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def put_label(
    stage: Stage, report_id: int, grades: Mapping[str, str], status: int = 200, **more: str
) -> dict[str, Any]:
    answer = await stage.rest.put(
        f"/api/v1/labels/{report_id}", json={"grades": dict(grades), **more}
    )
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def put_correction(stage: Stage, report_id: int) -> None:
    """Correct one grade of a report, with the model's grades in sight."""
    answer = await stage.rest.put(
        f"/api/v1/reports/{report_id}/review", json={"grades": {"closure_grade": "Низкая"}}
    )
    assert answer.status_code == 200, answer.text


async def withdraw_review(stage: Stage, report_id: int) -> None:
    answer = await stage.rest.delete(f"/api/v1/reports/{report_id}/review")
    assert (answer.status_code, answer.json()["review"]) == (200, None)


async def label_weeks(stage: Stage, *, weeks: int, bad_each: int) -> None:
    """Label the samples of the last weeks: so many of each as bad, the others as good."""
    zone = stage.service.settings.report_timezone
    for ago in range(weeks):
        day = (stage.clock() - timedelta(weeks=ago)).astimezone(zone).date()
        sample = await fetch_sample(stage, week=day.isoformat())
        for place, chat in enumerate(sample["chats"]):
            await put_label(stage, chat["report_id"], LOW if place < bad_each else HIGH)
