"""The cache of listings: read in few requests, continued by the next sync, never a failure."""

from typing import Any

import pytest

from app.sandbox.avito_routes import ITEMS
from app.sandbox.avito_state import AvitoListing
from app.sandbox.avito_switches import FORBIDDEN, SERVER_ERROR, too_many
from app.sandbox.faults import CannedResponse
from tests.support.stage import GOOD_TALK, Stage


def list_pages(stage: Stage) -> list[str]:
    """Return the pages of listings that were requested since the last call."""
    pages = [request.query["page"][0] for request in stage.avito.requests if request.path == ITEMS]
    stage.avito.requests.clear()
    return pages


async def list_stored(stage: Stage) -> list[dict[str, Any]]:
    return await stage.rows(
        "SELECT title, price, category, address, status FROM listings ORDER BY item_id"
    )


async def test_listing_is_read_once_a_day(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    assert chat.item is not None
    chat.item.category, chat.item.address = "Диваны", "Казань, улица Мира, 1"
    await stage.sync()
    assert await list_stored(stage) == [
        {
            "title": "Диван",
            "price": "1 000 ₽",
            "category": "Диваны",
            "address": "Казань, улица Мира, 1",
            "status": "active",
        }
    ]
    assert list_pages(stage) == ["1"]
    chat.item.status = "old"
    stage.clock.move(hours=23)
    await stage.sync()
    assert list_pages(stage) == []
    stage.clock.move(hours=2)
    await stage.sync()
    assert list_pages(stage) == ["1"]
    assert (await list_stored(stage))[0]["status"] == "old"


async def test_new_chat_about_an_unknown_listing_begins_a_pass(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    stage.clock.move(hours=2)
    stage.add_talk(*GOOD_TALK, title="Стол", minutes_ago=5)
    list_pages(stage)
    await stage.sync()
    assert list_pages(stage) == ["1"]
    assert [row["title"] for row in await list_stored(stage)] == ["Диван", "Стол"]
    await stage.sync()
    assert list_pages(stage) == []


async def test_account_without_listings_costs_no_request(stage: Stage) -> None:
    stage.avito.add_chat(chat_id="u2u-1", at=stage.clock())
    await stage.sync()
    assert list_pages(stage) == []


async def test_interrupted_pass_is_continued_by_the_next_sync(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    account = stage.avito.accounts[0]
    account.listings |= {number: AvitoListing(number, f"Товар {number}") for number in range(150)}
    fault = stage.avito.switches.fail(
        SERVER_ERROR, path=ITEMS, when=lambda request: request.query["page"] == ["2"], times=None
    )
    await stage.sync()
    assert list_pages(stage) == ["1", "2", "2", "2"]
    stage.avito.switches.faults.remove(fault)
    await stage.sync()
    assert list_pages(stage) == ["2"]
    assert len(await list_stored(stage)) == 151
    await stage.sync()
    assert list_pages(stage) == []


@pytest.mark.parametrize(
    ("refusal", "later"),
    [(FORBIDDEN, []), (too_many("1"), ["1"] * 3), (SERVER_ERROR, ["1"] * 3)],
)
async def test_refusal_fails_no_sync(
    stage: Stage, refusal: CannedResponse, later: list[str]
) -> None:
    """Refused access is requested again a day later, anything else by the next sync."""
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    stage.avito.switches.fail(refusal, path=ITEMS, times=None)
    answer = await stage.sync()
    assert (answer["status"], answer["synced_chats"]) == ("success", 1)
    list_pages(stage)
    await stage.sync()
    assert list_pages(stage) == later
    shown = (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()["listing"]
    assert (shown["title"], shown["price"], shown["category"], shown["read_at"]) == (
        "Диван",
        "1 000 ₽",
        None,
        None,
    )


async def test_refused_listings_do_not_fail_a_scan_by_listings(stage: Stage) -> None:
    stage.avito.add_synthetic_chats(1_120, 1)
    stage.avito.switches.fail(FORBIDDEN, path=ITEMS, times=None)
    answer = await stage.sync()
    assert answer["status"] == "success"
    assert answer["synced_chats"] >= 1_100
    assert "Чатов больше, чем отдаёт Авито" in answer["message"]


async def test_scan_by_listings_fills_the_cache(stage: Stage) -> None:
    """The same reader serves both; nothing is read twice."""
    stage.avito.add_synthetic_chats(1_120, 1)
    await stage.sync()
    assert list_pages(stage) == ["1", "2"]
    assert len(await list_stored(stage)) == len(stage.avito.accounts[0].listings)


async def test_employees_key_gets_no_listings(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    stage.avito.switches.fail(CannedResponse(200, {"resources": []}), path=ITEMS, times=None)
    assert (await stage.sync())["status"] == "success"
    assert await list_stored(stage) == []
