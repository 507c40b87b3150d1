"""Accounts larger than one list of Avito's: reached by narrower lists, and said where even those
are too long.
"""

from app.sandbox.avito_state import AvitoListing
from tests.stage import GOOD_TALK, Stage


async def list_alone(stage: Stage) -> None:
    """A sync that ends after its list pass: without the plan no message can be read."""
    stage.avito.switches.plan_missing = "flat"
    await stage.post("/avito/sync", status=500)


async def test_chats_past_the_reach_are_found_by_their_listings(stage: Stage) -> None:
    stage.avito.add_synthetic_chats(1_300, 1)
    await list_alone(stage)
    assert {row["avito_id"] for row in await stage.rows("SELECT avito_id FROM chats")} == set(
        stage.avito.accounts[0].chats
    )
    assert (await stage.rows("SELECT lists_cut_short FROM accounts"))[0]["lists_cut_short"] == 0


async def test_a_listing_with_more_chats_than_a_list_gives_is_counted(stage: Stage) -> None:
    listing = AvitoListing(8_000_000_001, "Очень популярный диван")
    for number in range(1_150):
        chat = stage.avito.add_chat(
            item=listing, chat_id=f"u2i-popular-{number:04}", at=stage.clock()
        )
        stage.avito.add_message(chat.id, "client", text="Ещё продаётся?")
    await list_alone(stage)
    assert len(await stage.rows("SELECT 1 FROM chats")) == 1_100
    assert (await stage.rows("SELECT lists_cut_short FROM accounts"))[0]["lists_cut_short"] == 1


async def test_what_no_list_reaches_is_said_in_the_answer_and_in_the_mail(stage: Stage) -> None:
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


async def test_who_the_keys_belong_to_is_asked_once_a_day(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=600)

    async def asked() -> int:
        stage.avito.traffic.requests.clear()
        await stage.sync()
        return len([request for request in stage.avito.requests if request.path.endswith("/self")])

    assert [await asked(), await asked()] == [1, 0]
    stage.clock.move(hours=25)
    assert await asked() == 1
