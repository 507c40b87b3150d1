"""Chats and messages that move, vanish or age between syncs or between pages are found."""

from datetime import timedelta

from app.sandbox.avito_state import AvitoListing
from app.sandbox.faults import CannedResponse
from tests.support.avito_worlds import assert_equal, assert_manners
from tests.support.stage import GOOD_TALK, Stage


async def test_message_removed_between_pages_hides_no_other(stage: Stage) -> None:
    """The messages behind it move up across the page's edge, by more than the pages overlap."""
    (chat,) = stage.avito.add_synthetic_chats(1, 250)

    def vanish(path: str, offset: int) -> None:
        if path.endswith("/messages/") and len(chat.messages) == 250:
            for message in chat.messages[-30:]:
                stage.avito.remove_message(chat.id, message.id)

    stage.avito.switches.after_page = vanish
    assert (await stage.sync())["incomplete_chats"] == 0
    stored = {row["avito_id"] for row in await stage.rows("SELECT avito_id FROM messages")}
    assert {message.id for message in chat.messages} < stored
    assert len(stored) == 250


async def test_chats_removed_between_pages_hide_no_other(stage: Stage) -> None:
    chats = stage.avito.add_synthetic_chats(250, 1)

    def leave(path: str, offset: int) -> None:
        if path.endswith("/chats") and len(stage.avito.accounts[0].chats) == 250:
            for chat in chats[:30]:
                stage.avito.remove_chat(chat.id)

    stage.avito.switches.after_page = leave
    await stage.sync()
    stored = {row["avito_id"] for row in await stage.rows("SELECT avito_id FROM chats")}
    assert stored == {chat.id for chat in chats}


async def test_deletion_behind_the_first_page_is_found(stage: Stage) -> None:
    """More than a page of messages is written between two syncs.

    Messages that were young at the first sync are final at the second.
    """
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    gone = chat.messages[-1]
    stage.avito.delete_message(chat.id, gone.id)
    stage.clock.move(hours=5)
    for number in range(97):  # the first page ends among the old messages, before the deleted one
        stage.avito.add_message(
            chat.id,
            "client",
            text=f"Вопрос {number}",
            at=stage.clock() - timedelta(minutes=200 - number),
        )
    stage.avito.switches.page_cap = 98
    early = chat.messages[0]
    stage.avito.delete_message(chat.id, early.id)
    await stage.sync()
    deleted = await stage.rows(
        "SELECT avito_id FROM messages WHERE deleted_at IS NOT NULL ORDER BY id"
    )
    assert deleted == [{"avito_id": early.id}, {"avito_id": gone.id}]


async def test_more_changes_than_one_list_are_found_by_narrower_lists(stage: Stage) -> None:
    """A busy account after an outage: changes beyond the first 1,100 chats are found at once."""
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    stage.clock.move(hours=5)
    listings = [AvitoListing(8_400_000_000 + number, f"Товар {number}") for number in range(15)]
    for number in range(1_130):
        at = stage.clock() - timedelta(seconds=10 + number)
        stage.avito.add_chat(item=listings[number % 15], chat_id=f"u2i-{number}", at=at)
    stage.avito.switches.plan_missing = "flat"  # only the list pass succeeds
    await stage.post("/avito/sync", status=500)
    assert (await stage.rows("SELECT count(*) AS n FROM chats"))[0]["n"] == 1_131
    await assert_manners(stage)


async def test_removed_listing_is_scanned_because_of_its_stored_chats(
    stage: Stage,
) -> None:
    sold = AvitoListing(8_300_000_001, "Продано и удалено")
    hidden = [
        stage.avito.add_chat(
            item=sold, chat_id=f"u2i-sold-{number}", at=stage.clock() - timedelta(days=9)
        )
        for number in range(2)
    ]
    stage.avito.add_message(hidden[0].id, "client", text="Ещё продаётся?", at=stage.clock())
    stage.avito.add_synthetic_chats(1_120, 1)
    del stage.avito.accounts[0].listings[sold.id]
    stage.avito.switches.plan_missing = "flat"
    await stage.post("/avito/sync", status=500)
    assert (await stage.rows("SELECT count(*) AS n FROM chats"))[0]["n"] == 1_122


async def test_repeated_page_of_listings_ends_the_scan(stage: Stage) -> None:
    """A full page of listings implies another page; if that repeats the first, the scan ends."""
    stage.avito.add_synthetic_chats(1_120, 1)
    same = [{"id": number} for number in list(stage.avito.accounts[0].listings)[:99]]
    stage.avito.switches.fail(
        CannedResponse(200, {"resources": same}), path="/core/v1/items", times=None
    )
    stage.avito.switches.plan_missing = "flat"
    await stage.post("/avito/sync", status=500)
    assert (
        len([request for request in stage.avito.requests if request.path == "/core/v1/items"]) == 2
    )


async def test_future_time_hides_no_change(stage: Stage) -> None:
    """Avito's clock may be ahead, or a value invalid: the watermark is never in the future."""
    stage.avito.switches.page_cap = 10
    chats = [
        stage.add_talk(("client", "Здравствуйте"), minutes_ago=600 + number) for number in range(60)
    ]
    late = stage.add_talk(("client", "Из будущего"), minutes_ago=-60 * 24 * 365)
    await stage.sync()
    for chat in chats[:50]:
        stage.avito.add_message(chat.id, "client", text="Ещё вопрос", at=stage.clock())
    assert (await stage.sync())["new_messages"] == 50
    assert late.id in {row["avito_id"] for row in await stage.rows("SELECT avito_id FROM chats")}
    await assert_equal(stage)


async def test_message_times_do_not_depend_on_the_zone(stage: Stage) -> None:
    """Avito's Unix seconds are stored unchanged, whatever the zone of the database session is."""
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    row = (
        await stage.rows(
            "SELECT extract(epoch FROM sent_at)::bigint AS at FROM messages ORDER BY id DESC"
            " LIMIT 1"
        )
    )[0]
    assert row["at"] == chat.messages[-1].created
    shown = (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()["messages"][-1]["sent_at"]
    assert shown.endswith("+03:00")


async def test_many_active_chats_are_read_again_once_and_a_few_in_each_sync(stage: Stage) -> None:
    """The list itself shows that the newest message was deleted."""
    chats = stage.avito.add_synthetic_chats(130, 2)
    for number, chat in enumerate(chats):
        for place, message in enumerate(chat.messages):
            message.created = int(stage.clock().timestamp()) - 1_200 + number + place
    assert await count_readings(stage) == 130
    assert await count_readings(stage) == 100
    for chat in chats:
        stage.avito.delete_message(chat.id, chat.messages[-1].id)
    assert await count_readings(stage) == 130
    deleted = "SELECT 1 FROM messages WHERE deleted_at IS NOT NULL"
    assert len(await stage.rows(deleted)) == 130
    stage.clock.move(minutes=70)
    stage.avito.delete_message(chats[0].id, chats[0].messages[0].id)
    assert await count_readings(stage) == 130
    assert len(await stage.rows(deleted)) == 131
    assert await count_readings(stage) == 0


async def count_readings(stage: Stage) -> int:
    """Sync, and return the number of requests for messages."""
    stage.avito.requests.clear()
    await stage.sync()
    return len([one for one in stage.avito.requests if one.path.endswith("/messages/")])
