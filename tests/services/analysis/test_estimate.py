"""``--estimate`` compared with what the same gradings are billed."""

from decimal import Decimal

import pytest

from tests.support.estimates import estimate_grading
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

WITHIN = 0.1
SHORT = (("client", "Ещё есть?"), ("company", "Да"))
LONG = 6 * (
    *GOOD_TALK,
    ("client", "А доставка до Химок сколько будет стоить и когда привезёте, в выходные можно?"),
    ("company", "Доставка 1 500 рублей, привезём в субботу с 10 до 14, подъём на этаж бесплатно."),
)
ENGLISH = (
    ("client", "Hello! Is the sofa still available? Can I come and see it tomorrow?"),
    ("company", "Good afternoon! Yes, it is. Come any time between 10 and 19, the price is final."),
    ("client", "Great, I will come at noon. Do you accept payment by card?"),
    ("company", "Yes, we accept cards and cash. See you tomorrow at noon!"),
)
NUMBERS = (
    ("client", "Размеры 80x120 см, 90x200 см и 140x200 см есть? Цена 12 500, 14 900, 18 000?"),
    ("company", "Да: 80x120 — 12 500 ₽, 90x200 — 14 900 ₽, 140x200 — 18 000 ₽, до 19:00."),
)


async def get_bill(stage: Stage) -> dict[str, Decimal]:
    rows = await stage.rows(
        "SELECT sum(prompt_miss_tokens) AS miss, sum(prompt_hit_tokens) AS hit,"
        " sum(completion_tokens) AS written, sum(cost_usd) AS usd FROM reports"
    )
    return rows[0]


def check_close(estimated: float | Decimal, billed: float | Decimal) -> None:
    assert float(estimated) == pytest.approx(float(billed), rel=WITHIN)


async def test_estimate_of_all_dialogues_is_close(full_stage: Stage) -> None:
    await full_stage.sync()
    estimate = await estimate_grading(full_stage)
    assert (await full_stage.analyze())["analyzed_chats"] == estimate.windows
    bill = await get_bill(full_stage)
    check_close(estimate.usage.prompt_miss_tokens, bill["miss"])
    check_close(estimate.usage.prompt_hit_tokens, bill["hit"])
    assert estimate.usd is not None
    check_close(estimate.usd, bill["usd"])


@pytest.mark.parametrize(
    "talk",
    [SHORT, GOOD_TALK, BAD_TALK, LONG, ENGLISH, NUMBERS],
    ids=["short", "good", "bad", "long", "English", "numbers"],
)
async def test_estimate_of_equal_chats_is_close(
    stage: Stage, talk: tuple[tuple[str, str], ...]
) -> None:
    """The first two chats show how long the answers are; the next two are estimated."""
    for number in range(4):
        stage.add_talk(*talk, title=f"Диван {number}")
    await stage.sync()
    await stage.analyze(limit=2)
    before, estimate = await get_bill(stage), await estimate_grading(stage)
    await stage.analyze()
    after = await get_bill(stage)
    # The system message is cached by now, which an estimate does not count on for its first chat.
    usage, system = estimate.usage, estimate.usage.prompt_hit_tokens
    check_close(usage.prompt_miss_tokens - system, after["miss"] - before["miss"])
    check_close(usage.completion_tokens, after["written"] - before["written"])
