"""Readiness and metrics: they name a part of the process that has not worked for a minute."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.jobs.heartbeat import Heartbeats
from tests.support.monotonic import Seconds
from tests.support.stage import Stage, make_app


@asynccontextmanager
async def serve_with_heartbeats(
    stage: Stage, heartbeats: Heartbeats
) -> AsyncIterator[httpx.AsyncClient]:
    """REST of the stage's service with the test's heartbeats."""
    app = make_app(replace(stage.service, heartbeats=heartbeats))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as rest:
        yield rest


def start_heartbeats(seconds: Seconds) -> Heartbeats:
    heartbeats = Heartbeats.by(seconds)
    heartbeats.worker.start("poll")
    heartbeats.scheduler.start("daily_report", "sync", "mail_retries")
    return heartbeats


def get_states(body: dict[str, Any]) -> dict[str, str]:
    return {
        "database": body["database"],
        **{part: body[part]["status"] for part in ("worker", "scheduler") if part in body},
    }


async def test_process_with_working_parts_is_ready(stage: Stage) -> None:
    seconds = Seconds()
    async with serve_with_heartbeats(stage, start_heartbeats(seconds)) as rest:
        seconds.now += 60
        answer = await rest.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert get_states(answer.json()) == {"database": "ok", "worker": "ok", "scheduler": "ok"}
    assert answer.json()["clock"] == {
        "status": "ok",
        "jumps": 0,
        "database_offset_seconds": pytest.approx(0, abs=2),
    }


async def test_a_worker_without_a_poll_for_a_minute_is_named(stage: Stage) -> None:
    seconds = Seconds()
    heartbeats = start_heartbeats(seconds)
    async with serve_with_heartbeats(stage, heartbeats) as rest:
        seconds.now += 61
        for job in ("daily_report", "sync", "mail_retries"):
            heartbeats.scheduler.beat(job)
        answer = await rest.get("/health/ready")
        metrics = (await rest.get("/metrics")).text
    body = answer.json()
    assert (answer.status_code, body["status"], body["stale"]) == (503, "error", ["worker"])
    assert "(worker)" in body["message"]
    assert get_states(body) == {"database": "ok", "worker": "stale", "scheduler": "ok"}
    assert body["worker"]["age_seconds"] == 61
    assert "avito_quality_worker_poll_age_seconds 61.0" in metrics
    assert "avito_quality_scheduler_tick_age_seconds 0.0" in metrics


@pytest.mark.parametrize("job", ["daily_report", "sync", "mail_retries"])
async def test_one_job_that_does_not_succeed_makes_the_scheduler_stale(
    stage: Stage, job: str
) -> None:
    seconds = Seconds()
    heartbeats = start_heartbeats(seconds)
    async with serve_with_heartbeats(stage, heartbeats) as rest:
        seconds.now += 61
        heartbeats.worker.beat("poll")
        for other in {"daily_report", "sync", "mail_retries"} - {job}:
            heartbeats.scheduler.beat(other)
        answer = await rest.get("/health/ready")
    assert (answer.status_code, answer.json()["stale"]) == (503, ["scheduler"])


async def test_switched_off_part_is_not_checked(stage: Stage) -> None:
    """The scheduler is off on every stage, so the response does not contain it."""
    answer = await stage.rest.get("/health/ready")
    assert answer.status_code == 200
    assert get_states(answer.json()) == {"database": "ok", "worker": "ok"}
    assert "scheduler_tick_age" not in (await stage.rest.get("/metrics")).text


async def test_unresponsive_database_is_named_within_seconds(stage: Stage) -> None:
    async with stage.service.database.transaction() as session:
        await session.execute(text("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE"))
        answer = await stage.rest.get("/health/ready")
        metrics = await stage.rest.get("/metrics")
    assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")
    assert "database" in answer.json()["stale"]
    assert "avito_quality_database_up 0.0" in metrics.text
