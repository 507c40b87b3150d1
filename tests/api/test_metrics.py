"""/metrics: requests, attempts, tokens, ages and counts, without personal data."""

import pytest
from sqlalchemy import text

from app.database.engine import Database
from app.repositories import health
from app.sandbox.deepseek_faults import BALANCE_EMPTY
from app.sandbox.faults import CannedResponse
from app.sandbox.server import Sandbox
from tests.support.metrics import read_metrics
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage

REQUESTS = "http_request_duration_seconds"


async def test_requests_by_method_route_and_class_of_the_status(stage: Stage) -> None:
    before = await read_metrics(stage.rest)
    await stage.rest.get("/api/v1/runs/1")
    await stage.rest.get("/api/v1/runs/2")
    await stage.rest.head("/api/v1/runs/3")
    await stage.rest.get("/api/v1/reports", params={"nonsense": "1"})
    await stage.rest.get("/nothing/at/7-999-111-22-33")
    await stage.rest.request("BREW", "/api/v1/runs")
    await stage.rest.post("/api/v1/avito/sync", json={}, headers={"X-API-Key": "wrong"})
    await stage.post("/v1/avito/sync")
    after = await read_metrics(stage.rest)
    expected = {
        ("GET", "/api/v1/runs/{run_id}", "4xx"): 2,
        ("HEAD", "/api/v1/runs/{run_id}", "4xx"): 1,
        ("GET", "/api/v1/reports", "4xx"): 1,
        ("GET", "unmatched", "4xx"): 1,
        ("other", "/api/v1/runs", "4xx"): 1,
        ("POST", "unmatched", "4xx"): 1,
        ("POST", "/api/v1/v1/avito/sync", "2xx"): 1,
        ("GET", "/metrics", "2xx"): 1,
    }
    for (method, route, status), count in expected.items():
        labels = {"method": method, "route": route, "status": status}
        name = f"{REQUESTS}_count"
        assert after.get(name, **labels) - before.get(name, **labels) == count, labels
        assert after.get(f"{REQUESTS}_sum", **labels) > before.get(f"{REQUESTS}_sum", **labels)
    assert "7-999-111-22-33" not in after.text


async def test_crash_and_waiting_time_of_a_request(stage: Stage) -> None:
    """A run of half a second is a request of half a second, and a crash is a 5xx."""
    before = await read_metrics(stage.rest)
    stage.avito.switches.latency_seconds = 0.5
    await stage.sync()
    await stage.change("ALTER TABLE accounts RENAME TO hidden")
    try:
        await stage.rest.get("/api/v1/chats/u2i-1")
    finally:
        await stage.change("ALTER TABLE hidden RENAME TO accounts")
    after = await read_metrics(stage.rest)
    sync = {"method": "POST", "route": "/api/v1/avito/sync", "status": "2xx"}
    seconds = after.get(f"{REQUESTS}_sum", **sync) - before.get(f"{REQUESTS}_sum", **sync)
    assert seconds >= 0.5
    crashed = {"method": "GET", "route": "/api/v1/chats/{chat_id}", "status": "5xx"}
    assert (
        after.get(f"{REQUESTS}_count", **crashed) - before.get(f"{REQUESTS}_count", **crashed) == 1
    )


async def test_attempts_by_system_and_kind_of_error(stage: Stage) -> None:
    """Each retry counts. A day in which both systems fail at first."""
    stage.add_talk(*GOOD_TALK)
    before = await read_metrics(stage.rest)
    stage.avito.switches.fail(CannedResponse(503, {}), path="/chats", times=2)
    await stage.sync()
    stage.sandbox.deepseek.switches.fail(CannedResponse(429, {}), path="chat/completions", times=1)
    await stage.analyze()
    stage.sandbox.deepseek.switches.fail(BALANCE_EMPTY, path="chat/completions", times=None)
    stage.add_talk(*BAD_TALK)
    await stage.sync()
    await stage.post("/llm/analyze", status=500)
    after = await read_metrics(stage.rest)

    def count(system: str, result: str) -> float:
        labels = {"system": system, "result": result}
        name = "upstream_attempts_total"
        return after.get(name, **labels) - before.get(name, **labels)

    assert count("avito", "unavailable") == 2
    assert count("avito", "ok") >= 4
    assert count("deepseek", "rate_limited") == 1
    assert count("deepseek", "ok") == 1
    assert count("deepseek", "balance") >= 1


async def test_tokens_and_cost_of_the_answers(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    before = await read_metrics(stage.rest)
    await stage.analyze()
    after = await read_metrics(stage.rest)
    [report] = await stage.rows(
        "SELECT prompt_hit_tokens, prompt_miss_tokens, completion_tokens, cost_usd FROM reports"
    )

    def grow(name: str, **labels: str) -> float:
        return after.get(name, **labels) - before.get(name, **labels)

    for kind in ("prompt_hit", "prompt_miss", "completion"):
        assert grow("model_tokens_total", kind=kind) == report[f"{kind}_tokens"]
    assert grow("model_cost_usd_total") == pytest.approx(float(report["cost_usd"]))


async def test_ages_of_the_last_sync_and_the_last_mail(stage: Stage) -> None:
    """A failed sync and a mail that reached no recipient change nothing."""
    empty = await read_metrics(stage.rest)
    assert not {"last_sync_age_seconds", "last_mail_age_seconds"} & empty.names
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    stage.clock.move(hours=2)
    stage.avito.switches.fail(CannedResponse(402, {}), times=None)
    await stage.post("/avito/sync", status=500)
    later = await read_metrics(stage.rest)
    for name in ("last_sync_age_seconds", "last_mail_age_seconds"):
        assert 7200 <= later.get(name) < 7260


async def test_waiting_failed_and_undelivered(stage: Stage) -> None:
    for talk in (GOOD_TALK, BAD_TALK, GOOD_TALK):
        stage.add_talk(*talk)
    await stage.sync()
    await stage.analyze(limit=1)
    stage.sandbox.smtp.switches.data_answer = "451 4.3.0 Try again later"
    await stage.post("/timer/reports", status=500)
    found = await read_metrics(stage.rest)
    assert (found.get("chats"), found.get("chats_due"), found.get("chats_waiting")) == (3, 2, 2)
    assert (found.get("reports"), found.get("reports_unmailed")) == (1, 0)
    assert (found.get("deliveries_open"), found.get("deliveries_failed")) == (2, 0)


async def test_no_personal_data(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, title="Диван-Единорог", client="Аполлинария")
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    await stage.rest.get("/api/v1/chats/Аполлинария")
    await stage.rest.get("/Аполлинария")
    found = (await read_metrics(stage.rest)).text
    assert found.isascii()
    for word in ("u2i", "boss@", "example.ru", stage.rest.headers["X-API-Key"]):
        assert word not in found


async def test_large_tables_are_estimated_and_not_read(postgres_url: str) -> None:
    """A scrape of 20,000 chats, reports and runs reads as few rows as one of 12,000."""
    async with Sandbox() as sandbox, on_stage(postgres_url, sandbox) as stage:
        stage.add_talk(*GOOD_TALK)
        await stage.sync()
        await stage.analyze()
        await stage.mail()
        read = []
        for copies in (12_000, 8_000):
            await copy_rows(stage, copies)
            await stage.change("ANALYZE")
            read.append(await count_read_rows(stage.service.database))
        found = await read_metrics(stage.rest)
    assert found.get("chats") == pytest.approx(20_001, rel=0.01)
    assert found.get("reports") == pytest.approx(20_001, rel=0.01)
    assert max(read) < 300


async def copy_rows(stage: Stage, copies: int) -> None:
    """Add copies of the first chat, of its report and of the run."""
    for table, changed in (
        ("chats", {"avito_id": "gen_random_uuid()::text"}),
        ("reports", {}),
        ("runs", {"slot": "NULL"}),
    ):
        statement = (
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = :table AND is_generated = 'NEVER'"
        )
        rows = await stage.rows(statement, table=table)
        columns = [row["column_name"] for row in rows if row["column_name"] != "id"]
        values = ", ".join(changed.get(column, column) for column in columns)
        await stage.change(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"  # noqa: S608 - our own
            f" FROM (SELECT * FROM {table} ORDER BY id LIMIT 1) AS one,"
            f" generate_series(1, {copies})"
        )


async def count_read_rows(database: Database) -> int:
    """Return how many rows of tables and entries of indexes the queries of a scrape read."""
    statement = text(
        "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables)"
        " + (SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_index"
        "    WHERE indexrelid >= 16384)"  # not of the catalogue
    )
    async with database.session() as session:
        before = int(await session.scalar(statement) or 0)
        await health.count_rows(session, None)
        await health.list_newest_ended_runs(session)
        await health.get_last_successes(session)
        return int(await session.scalar(statement) or 0) - before
