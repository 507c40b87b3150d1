"""The amount reserved for a chat is its maximum cost.

The estimate shows it, the daily budget uses it, and no chat costs more.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.cli.estimates import estimate_analyze
from app.clients.deepseek import Usage, cost_usd
from app.sandbox.deepseek_faults import Rewrite
from tests.support.estimates import estimate_maximum_usd
from tests.support.stage import GOOD_TALK, Stage, on_stage

SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEFORE_THE_PEAK = datetime(2026, 11, 23, 5, 59, tzinfo=UTC)
DEAR = Usage(prompt_miss_tokens=4_800, completion_tokens=1_500)


def spend_the_maximum(finish_reason: str) -> Rewrite:
    """Make the answer unusable and as expensive as possible."""

    def change(completion: dict[str, Any]) -> None:
        completion["choices"][0]["finish_reason"] = finish_reason
        completion["choices"][0]["message"]["content"] = "{"
        completion["usage"] = {
            "prompt_cache_miss_tokens": DEAR.prompt_miss_tokens,
            "completion_tokens": DEAR.completion_tokens,
        }

    return Rewrite(change)


async def one_due(stage: Stage, moment: datetime = SUNDAY) -> Decimal:
    stage.clock.set(moment)
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    return await estimate_maximum_usd(stage)


@pytest.mark.parametrize(("short_of", "figures"), [("0", (1, 0)), ("0.00001", (0, 1))])
async def test_estimated_maximum_is_the_reserved_amount(
    stage: Stage, database_url: str, short_of: str, figures: tuple[int, int]
) -> None:
    limit = await one_due(stage) - Decimal(short_of)
    async with (
        stage.resting(),
        on_stage(
            database_url, stage.sandbox, stage.clock, deepseek_daily_budget_usd=limit
        ) as frugal,
    ):
        answer = await frugal.analyze()
    assert (answer["analyzed_chats"], answer["waiting_chats"]) == figures
    assert ("сегодня потрачено 0,0000" in answer["message"]) is (short_of != "0")


@pytest.mark.parametrize("finish_reason", ["aborted", "length", "stop"])
async def test_no_chat_costs_more_than_reserved(
    stage: Stage, database_url: str, finish_reason: str
) -> None:
    """A second request that might exceed the amount is not sent."""
    most = await one_due(stage)
    stage.sandbox.deepseek.switches.fail(
        spend_the_maximum(finish_reason),
        when=lambda request: request.body["max_tokens"] > 100,
        times=None,
    )
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, stage.clock, deepseek_daily_budget_usd=1) as frugal,
    ):
        assert (await frugal.analyze())["analyzed_chats"] == 0
    lost = (await stage.rows("SELECT lost_usd FROM runs WHERE kind = 'analyze'"))[0]["lost_usd"]
    one = cost_usd("deepseek-flash", DEAR, SUNDAY)
    assert one is not None
    assert 2 * one <= lost < most + one / 4, "a probe costs next to nothing"


@pytest.mark.parametrize("usage", [None, {}, "absent"])
async def test_answer_without_usage_books_the_most_that_its_request_may_cost(
    stage: Stage, database_url: str, usage: Any
) -> None:
    """Otherwise a server without usage would be free, and the budget would never end."""
    most = await one_due(stage)
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    stage.sandbox.deepseek.switches.fail(report_usage(usage), times=None)
    async with (
        stage.resting(),
        on_stage(
            database_url, stage.sandbox, stage.clock, deepseek_daily_budget_usd=most
        ) as frugal,
    ):
        answer = await frugal.analyze()
    assert (answer["analyzed_chats"], answer["waiting_chats"]) == (1, 1)
    (report,) = await stage.rows("SELECT cost_usd FROM reports")
    (asked,) = stage.sandbox.deepseek.requests
    characters = sum(len(message["content"]) for message in asked.body["messages"])
    assert report["cost_usd"] == cost_usd(
        "deepseek-flash",
        Usage(prompt_miss_tokens=characters // 2, completion_tokens=asked.body["max_tokens"]),
        SUNDAY,
    )
    assert most / 4 < report["cost_usd"] < most


def report_usage(usage: Any) -> Rewrite:
    """Replace the usage of the answer, or remove it."""

    def change(completion: dict[str, Any]) -> None:
        completion["usage"] = usage
        if usage == "absent":
            del completion["usage"]

    return Rewrite(change)


async def test_grading_shortly_before_peak_hours_reserves_the_peak_price(stage: Stage) -> None:
    before = await one_due(stage, BEFORE_THE_PEAK)
    stage.clock.move(minutes=5)
    assert before == await estimate_maximum_usd(stage)
    stage.clock.set(SUNDAY)
    assert before == 2 * await estimate_maximum_usd(stage)


async def test_estimate_reports_the_cost_of_the_day(
    stage: Stage, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the budget is spent already, the price of a chat does not explain the refusal."""
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    (report,) = await stage.rows("SELECT cost_usd FROM reports")
    spent = f"{report['cost_usd']:.4f}".replace(".", ",")
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_daily_budget_usd=Decimal("0.001")) as frugal,
    ):
        await estimate_analyze(frugal.service.settings, limit=None, chat_ids=[], force=False)
    assert (
        f"Дневной бюджет: 0,0010\u00a0$, сегодня из него потрачено {spent}\u00a0$."
        in capsys.readouterr().out
    )
