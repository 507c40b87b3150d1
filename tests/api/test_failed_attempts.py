"""Requests without a valid key: counted, logged with the address, and throttled with a 429.

The throttling starts with the 31st request of a minute.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.api.attempts import ATTEMPTS_A_MINUTE, MAX_ADDRESSES, FailedAttempts
from app.config import load_settings
from app.errors import SettingsError
from tests.support.stage import KEY, Stage, make_app

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WRONG = {"X-API-Key": "wrong"}


async def send_failing_requests(stage: Stage, times: int) -> list[httpx.Response]:
    return [await stage.rest.get("/api/v1/runs", headers=WRONG) for _ in range(times)]


async def test_31st_attempt_of_a_minute_is_a_429_but_a_valid_key_is_served(
    stage: Stage,
) -> None:
    stage.clock.set(NOW)
    answers = await send_failing_requests(stage, ATTEMPTS_A_MINUTE + 3)
    assert [answer.status_code for answer in answers] == [401] * 30 + [429] * 3
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["status"] == "error"
    assert answers[-1].headers["retry-after"] in answers[-1].json()["message"]
    assert (await stage.rest.get("/api/v1/runs")).status_code == 200
    assert (await stage.rest.get("/api/v1/runs", headers=WRONG)).status_code == 429, (
        "a valid key does not reset the count"
    )
    stage.clock.move(seconds=61)
    assert (await stage.rest.get("/api/v1/runs", headers=WRONG)).status_code == 401


async def test_401_names_the_authentication_scheme(stage: Stage) -> None:
    answer = await stage.rest.get("/api/v1/runs", headers={"X-API-Key": "wrong"})
    assert answer.headers["www-authenticate"] == 'ApiKey realm="avito-quality", header="X-API-Key"'


async def test_a_missing_key_counts_and_the_body_is_not_read(stage: Stage) -> None:
    del stage.rest.headers["X-API-Key"]
    for _ in range(ATTEMPTS_A_MINUTE):
        await stage.rest.post("/api/v1/avito/sync", content=b"{")
    assert (await stage.rest.post("/api/v1/avito/sync", content=b"{")).status_code == 429


async def test_addresses_do_not_share_their_attempts(stage: Stage) -> None:
    await send_failing_requests(stage, ATTEMPTS_A_MINUTE + 1)
    transport = httpx.ASGITransport(make_app(stage.service), client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as other:
        assert (await other.get("/api/v1/runs")).status_code == 401


async def test_attempts_are_counted_in_a_metric(stage: Stage) -> None:
    await send_failing_requests(stage, ATTEMPTS_A_MINUTE + 2)
    metrics = (await stage.rest.get("/metrics")).text
    assert 'avito_quality_failed_key_attempts_total{status="401"} 30.0' in metrics
    assert 'avito_quality_failed_key_attempts_total{status="429"} 2.0' in metrics


async def test_attempts_are_logged_with_the_address_and_without_the_key(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """One line each up to the limit, then one line a minute: a flood cannot fill the disk."""
    await send_failing_requests(stage, ATTEMPTS_A_MINUTE + 20)
    logged: list[Any] = [record.msg for record in caplog.records if "key." in str(record.msg)]
    assert [line["event"] for line in logged] == ["key.refused"] * ATTEMPTS_A_MINUTE + [
        "key.throttled"
    ]
    assert {line["address"] for line in logged} == {"127.0.0.1"}
    assert "wrong" not in str(logged)
    assert KEY not in str(logged)


def is_throttled(
    attempts: FailedAttempts, host: str | None, times: int, now: datetime = NOW
) -> list[bool]:
    return [attempts.add(host, now) is not None for _ in range(times)]


def test_ipv6_network_of_one_customer_counts_as_one_address() -> None:
    attempts = FailedAttempts()
    for number in range(ATTEMPTS_A_MINUTE):
        assert attempts.add(f"2001:db8:1:2::{number:x}", NOW) is None
    assert attempts.add("2001:db8:1:2:ffff::1", NOW) == 60
    assert attempts.add("2001:db8:1:3::1", NOW) is None


def test_an_ipv4_address_is_the_same_over_ipv6() -> None:
    attempts = FailedAttempts()
    is_throttled(attempts, "192.0.2.1", ATTEMPTS_A_MINUTE)
    assert is_throttled(attempts, "::ffff:192.0.2.1", 1) == [True]


def test_a_connection_without_an_address_is_counted_as_well() -> None:
    """For example a connection over a Unix socket."""
    assert is_throttled(FailedAttempts(), None, ATTEMPTS_A_MINUTE + 1)[-1]


def test_what_is_no_address_is_counted_together() -> None:
    """A proxy that passes X-Forwarded-For on unchanged lets a client write anything into it."""
    attempts = FailedAttempts()
    for number in range(ATTEMPTS_A_MINUTE):
        assert attempts.add(f"{number}" + "x" * 10_000, NOW) is None
    assert attempts.add("another", NOW) == 60


def test_a_clock_set_back_throttles_no_longer_than_a_minute() -> None:
    attempts = FailedAttempts()
    is_throttled(attempts, "192.0.2.1", ATTEMPTS_A_MINUTE + 1)
    assert attempts.add("192.0.2.1", NOW - timedelta(days=1)) is None


def test_least_recently_failed_address_is_dropped_above_the_maximum() -> None:
    attempts = FailedAttempts()
    for host in ("192.0.2.1", "192.0.2.2"):
        is_throttled(attempts, host, ATTEMPTS_A_MINUTE + 1)
    for number in range(MAX_ADDRESSES - 2):
        attempts.add(f"10.1.{number // 256}.{number % 256}", NOW)
    assert is_throttled(attempts, "192.0.2.1", 1) == [True], "all of them are kept"
    attempts.add("192.0.2.3", NOW)
    assert is_throttled(attempts, "192.0.2.2", 1) == [False], "one more address drops this one"
    assert is_throttled(attempts, "192.0.2.1", 1) == [True]


@pytest.mark.parametrize(
    "keys",
    ["fifteen-letters", "sixteen-letters-1,short", "шестнадцать-букв", "a b c d e f g h i j k"],
)
def test_guessable_key_stops_the_start(keys: str) -> None:
    with pytest.raises(SettingsError, match="16 и более") as raised:
        load_settings(_env_file=None, api_keys=keys)
    assert keys not in str(raised.value)


def test_a_key_of_sixteen_characters_is_accepted() -> None:
    assert [
        key.get_secret_value()
        for key in load_settings(_env_file=None, api_keys="sixteen-letters1").api_keys
    ] == ["sixteen-letters1"]
