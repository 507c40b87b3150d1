"""Accounts with more chats than one list: narrower lists, and a report if they are too long."""

from app.sandbox.avito_state import AvitoListing
from tests.support.stage import GOOD_TALK, Stage


async def run_list_pass(stage: Stage) -> None:
    """Run a sync that fails after its list pass: without the plan no message can be read."""
    stage.avito.switches.plan_missing = "flat"
    await stage.post("/avito/sync", status=500)


async def test_chats_beyond_the_limit_are_found_by_their_listings(stage: Stage) -> None:
    stage.avito.add_synthetic_chats(1_300, 1)
    await run_list_pass(stage)
    assert {row["avito_id"] for row in await stage.rows("SELECT avito_id FROM chats")} == set(
        stage.avito.accounts[0].chats
    )
    assert (await stage.rows("SELECT lists_cut_short FROM accounts"))[0]["lists_cut_short"] == 0


async def test_listing_with_more_chats_than_the_limit_is_counted(stage: Stage) -> None:
    listing = AvitoListing(8_000_000_001, "Очень популярный диван")
    for number in range(1_150):
        chat = stage.avito.add_chat(
            item=listing, chat_id=f"u2i-popular-{number:04}", at=stage.clock()
        )
        stage.avito.add_message(chat.id, "client", text="Ещё продаётся?")
    await run_list_pass(stage)
    assert len(await stage.rows("SELECT 1 FROM chats")) == 1_100
    assert (await stage.rows("SELECT lists_cut_short FROM accounts"))[0]["lists_cut_short"] == 1


async def test_truncated_lists_are_reported_in_the_response_and_the_mail(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.change("UPDATE accounts SET lists_cut_short = 1")
    answer = await stage.sync()
    assert answer["status"] == "success"
    assert "больше, чем отдаёт" in answer["message"]
    await stage.analyze()
    await stage.mail()
    figures = (await stage.rows("SELECT figures FROM digests"))[0]["figures"]
    assert figures["cut_short_accounts"] == [stage.avito.accounts[0].name]
    assert "самые старые не видны" in stage.last_mail()


async def test_owner_of_the_keys_is_requested_once_a_day(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=600)

    async def count_requests() -> int:
        stage.avito.traffic.requests.clear()
        await stage.sync()
        return len([request for request in stage.avito.requests if request.path.endswith("/self")])

    assert [await count_requests(), await count_requests()] == [1, 0]
    stage.clock.move(hours=25)
    assert await count_requests() == 1
