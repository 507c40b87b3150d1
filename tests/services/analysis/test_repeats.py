"""A share of chats is graded twice: the first grading is the report, the second a comparison."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from app.cli.estimates import estimate_analyze
from app.repositories import model_exchanges
from app.sandbox import deepseek_faults as faults
from app.sandbox.deepseek import estimate_tokens
from app.sandbox.faults import ReceivedRequest
from app.sandbox.server import Sandbox
from app.services.analysis.worker_pool import WorkerPool
from tests.support.estimates import estimate_grading
from tests.support.stage import GOOD_TALK, Stage, on_stage, until

ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


def _flip_check(answer: dict[str, Any]) -> None:
    answer["criteria"]["tonality"]["checks"]["courteous"] = "n"


@asynccontextmanager
async def repeating(database_url: str) -> AsyncIterator[Stage]:
    """Every chat is graded twice, by one worker process: the first grading is asked first."""
    async with (
        WorkerPool(1) as graders,
        Sandbox() as sandbox,
        on_stage(
            database_url,
            sandbox,
            graders=graders,
            steadiness_share=1,
            deepseek_max_concurrency=2,
        ) as stage,
    ):
        sandbox.avito.accounts[0].chats.clear()
        yield stage


async def grade(stage: Stage, chats: int) -> dict[str, Any]:
    for _ in range(chats):
        stage.add_talk(*GOOD_TALK)
    await stage.sync()
    return await stage.analyze()


async def fetch_steadiness(stage: Stage) -> dict[str, Any]:
    answer = await stage.rest.get("/api/v1/reports/summary", params=ALL)
    return dict(answer.json()["steadiness"])


async def test_second_grading_is_compared(database_url: str) -> None:
    async with repeating(database_url) as stage:
        sandbox = stage.sandbox
        sandbox.deepseek.switches.fail(
            faults.edit_grading(_flip_check), when=_counts_to(sandbox, {4}), times=None
        )
        assert (await grade(stage, 2))["analyzed_chats"] == 2
        steadiness = await fetch_steadiness(stage)
        courteous = steadiness["checks"]["courteous"]
        assert (courteous["n"], courteous["flipped"], courteous["rate"]) == (2, 1, 0.5)
        low, high = courteous["interval"]
        assert 0 < low < 0.5 < high < 1
        assert steadiness["criteria"]["tonality"]["flipped"] == 1
        assert steadiness["checks"]["readable"]["flipped"] == 0
        reports = await stage.reports()
        assert [report["tonality_grade"] for report in reports] == ["Высокая", "Высокая"]
        await stage.mail()
        assert "на повторный вопрос модель меняет" in stage.last_mail().replace("\xa0", " ")


def _counts_to(sandbox: Sandbox, places: set[int]) -> Any:
    """Match the requests for a completion at these places, from 1."""

    def matches(request: ReceivedRequest) -> bool:
        asked = [entry for entry in sandbox.deepseek.requests if entry.path.endswith("completions")]
        return asked.index(request) + 1 in places

    return matches


async def test_report_contains_the_cost_of_both(database_url: str) -> None:
    async with repeating(database_url) as stage:
        await grade(stage, 1)
        (row,) = await stage.rows("SELECT completion_tokens, cost_usd FROM reports")
        async with stage.service.database.session() as session:
            exchanges = await model_exchanges.list_of_report(session, 1)
        assert [exchange.purpose for exchange in exchanges] == ["grading", "repeat"]
        answers = [exchange.answer for exchange in exchanges]
        assert row["completion_tokens"] == sum(map(estimate_tokens, answers))


async def test_failing_second_grading_costs_no_report(database_url: str) -> None:
    async with repeating(database_url) as stage:
        sandbox = stage.sandbox
        sandbox.deepseek.switches.fail(
            faults.WRONG_GRADE, when=_counts_to(sandbox, {2, 3}), times=None
        )
        assert (await grade(stage, 1))["analyzed_chats"] == 1
        assert await fetch_steadiness(stage) == {"criteria": {}, "checks": {}}


async def test_no_chat_is_repeated_without_a_share(stage: Stage) -> None:
    await grade(stage, 3)
    assert len(await stage.rows("SELECT id FROM packed_exchanges")) == 3
    assert await fetch_steadiness(stage) == {"criteria": {}, "checks": {}}


async def test_stop_keeps_the_first_grading(database_url: str) -> None:
    """The second one is given up; the first one is billed already."""
    async with repeating(database_url) as stage:
        switches = stage.sandbox.deepseek.switches
        switches.fail(faults.Hang(30), when=_counts_to(stage.sandbox, {2}), times=None)
        stage.add_talk(*GOOD_TALK)
        await stage.sync()
        answer = asyncio.create_task(stage.analyze())
        await until(lambda: _is_asked(stage, 2))
        await asyncio.sleep(0.5)
        async with stage.resting():
            (row,) = await stage.rows("SELECT repeat FROM reports")
        assert row["repeat"] is None
        answer.cancel()


async def _is_asked(stage: Stage, times: int) -> bool:
    asked = [entry for entry in stage.sandbox.deepseek.requests if "completions" in entry.path]
    return len(asked) >= times


async def test_estimate_counts_a_repeated_chat_twice(stage: Stage, database_url: str) -> None:
    for _ in range(20):
        stage.add_talk(*GOOD_TALK)
    await stage.sync()
    once = await estimate_grading(stage)
    async with stage.resting(), on_stage(database_url, stage.sandbox, steadiness_share=0.5) as half:
        expected = await estimate_grading(half)
        await half.analyze()
        (made,) = await half.rows(
            "SELECT count(*) AS reports, count(repeat) AS repeats FROM reports"
        )
    assert 0 < expected.repeats < 20
    assert (expected.windows, expected.repeats) == (made["reports"], made["repeats"])
    assert once.repeats == 0
    assert once.most_usd and expected.most_usd and once.usd and expected.usd
    gradings = 20 + expected.repeats
    assert expected.most_usd / once.most_usd == pytest.approx(Decimal(gradings) / 20)
    assert expected.usage.completion_tokens * 20 == once.usage.completion_tokens * gradings


async def test_estimate_uses_the_mean_of_single_gradings(database_url: str) -> None:
    async with Sandbox() as sandbox:
        sandbox.avito.accounts[0].chats.clear()
        async with on_stage(database_url, sandbox, steadiness_share=1) as stage:
            await grade(stage, 2)
            stage.add_talk(*GOOD_TALK)
            await stage.sync()
            (of_both,) = await stage.rows("SELECT avg(completion_tokens)::float8 FROM reports")
            found = (await estimate_grading(stage)).usage.completion_tokens
            assert found == pytest.approx(of_both["avg"], abs=2), "half the mean, twice"
            await stage.change(
                "UPDATE reports SET repeat = NULL, completion_tokens = 100 WHERE id = 1"
            )
            assert (await estimate_grading(stage)).usage.completion_tokens == 200


async def test_command_names_the_repeats(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        stage.add_talk(*GOOD_TALK)
    await stage.sync()
    settings = stage.service.settings.model_copy(update={"steadiness_share": 1.0})
    await estimate_analyze(settings, limit=None, chat_ids=[], force=False)
    assert "К оценке: 2 чата, из них дважды: 2." in capsys.readouterr().out
