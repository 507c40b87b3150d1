"""Cost of tokens by model and hour."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.clients.deepseek import Usage, cost_usd

MILLION_EACH = Usage(1_000_000, 1_000_000, 1_000_000)
SUNDAY = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def test_each_kind_of_token_has_its_price() -> None:
    assert cost_usd("deepseek-flash", Usage(1_000_000, 0, 0), SUNDAY) == Decimal("0.003")
    assert cost_usd("deepseek-flash", Usage(0, 1_000_000, 0), SUNDAY) == Decimal("0.15")
    assert cost_usd("deepseek-flash", Usage(0, 0, 1_000_000), SUNDAY) == Decimal("0.60")
    assert cost_usd("deepseek-v4-pro", MILLION_EACH, SUNDAY) == Decimal("2.662")
    assert cost_usd("deepseek-flash", Usage(), SUNDAY) == 0


def test_an_unknown_model_has_no_price() -> None:
    assert cost_usd("deepseek-chat", MILLION_EACH, SUNDAY) is None


@pytest.mark.parametrize(
    ("moment", "is_peak"),
    [
        (datetime(2026, 11, 23, 0, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 1, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 3, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 4, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 6, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 27, 9, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 27, 10, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 28, 7, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 9, 30, tzinfo=ZoneInfo("Europe/Moscow")), True),
        (datetime(2026, 11, 23, 2, 0, tzinfo=ZoneInfo("Europe/Moscow")), False),
    ],
)
def test_flash_costs_twice_as_much_at_peak_hours(moment: datetime, is_peak: bool) -> None:
    assert cost_usd("deepseek-flash", MILLION_EACH, moment) == Decimal("0.753") * (
        2 if is_peak else 1
    )
    assert cost_usd("deepseek-v4-pro", MILLION_EACH, moment) == Decimal("2.662")


def test_day_before_the_table_has_its_first_price() -> None:
    assert cost_usd("deepseek-flash", MILLION_EACH, datetime(2020, 1, 5, tzinfo=UTC)) == Decimal(
        "0.753"
    )
