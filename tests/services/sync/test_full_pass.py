"""The full pass finds what the watermark misses: in small accounts each day, in others in parts."""

from collections import Counter
from typing import Any

from app.sandbox.avito_state import AvitoListing
from app.sandbox.avito_switches import FORBIDDEN, SERVER_ERROR
from app.sandbox.faults import ReceivedRequest
from tests.support.stage import GOOD_TALK, Stage

LARGE, SMALLER = 4_500, 1_300


async def list_chats_only(stage: Stage) -> list[ReceivedRequest]:
    """Run a sync that reads no message, and return its requests for lists of chats."""
    stage.avito.switches.plan_missing = "flat"
    stage.avito.requests.clear()
    await stage.post("/avito/sync", status=500)
    return [one for one in stage.avito.requests if one.path.endswith("/chats")]


async def list_titles(stage: Stage) -> Counter[str]:
    rows = await stage.rows("SELECT item_title AS title, count(*) AS n FROM chats GROUP BY 1")
    return Counter({row["title"]: row["n"] for row in rows})


def rename_all(stage: Stage, title: str) -> None:
    """Change what no activity shows."""
    for chat in stage.avito.accounts[0].chats.values():
        assert chat.item is not None
        chat.item.title = title


async def get_account(stage: Stage) -> dict[str, Any]:
    return (await stage.rows("SELECT * FROM accounts"))[0]


def get_items(requests: list[ReceivedRequest]) -> list[str]:
    """Return the listings of all filters, one for each list and not for each page."""
    firsts = [one for one in requests if one.query.get("offset", ["0"]) == ["0"]]
    return [number for one in firsts for number in one.query.get("item_ids", [""])[0].split(",")]


async def test_small_account_is_listed_whole_once_a_day(stage: Stage) -> None:
    stage.avito.switches.page_cap = 10
    for number in range(60):
        stage.add_talk(*GOOD_TALK, minutes_ago=5_000 + 10 * number)
    await list_chats_only(stage)
    rename_all(stage, "Комод")
    await list_chats_only(stage)
    assert 0 < (await list_titles(stage))["Комод"] < 60
    stage.clock.move(hours=25)
    await list_chats_only(stage)
    assert await list_titles(stage) == {"Комод": 60}


async def test_large_account_is_listed_in_four_days_or_more(stage: Stage) -> None:
    """Each day at most a quarter is read, and after the last day everything was read."""
    stage.avito.add_synthetic_chats(LARGE, 1)
    whole = len(await list_chats_only(stage))
    rename_all(stage, "Комод")
    found = [0]
    while found[-1] < LARGE and len(found) < 9:
        stage.clock.move(hours=25)
        assert len(await list_chats_only(stage)) <= whole / 4
        found.append((await list_titles(stage))["Комод"])
    assert found[-1] == LARGE
    assert 4 <= len(found) - 1 <= 7
    assert (await get_account(stage))["full_pass_position"] is None


async def test_frequent_syncs_share_the_pages_of_a_day(stage: Stage) -> None:
    """The newest chats are one filter: they are read at once, and the next part waits longer."""
    stage.avito.add_synthetic_chats(SMALLER, 1)
    await list_chats_only(stage)
    pages = []
    for _ in range(8):
        stage.clock.move(hours=3)
        pages.append(len(await list_chats_only(stage)))
    *others, most = sorted(pages)
    assert most <= 16
    assert max(others) <= 4


async def test_interrupted_pass_continues_where_it_was(stage: Stage) -> None:
    """No listing is read twice or left out, and chats that arrive meanwhile are found."""
    stage.avito.add_synthetic_chats(SMALLER, 1)
    await list_chats_only(stage)
    read, days = Counter[str](), 0
    while days == 0 or (await get_account(stage))["full_pass_position"] is not None:
        assert days < 20
        stage.clock.move(hours=25)
        days += 1
        for number in (7_000_000_000, 7_000_000_129):  # both ends of the order of the pass
            listing = stage.avito.accounts[0].listings[number]
            chat = stage.avito.add_chat(item=listing, at=stage.clock())
            stage.avito.add_message(chat.id, "client", text="Здравствуйте", at=stage.clock())
        fault = stage.avito.switches.fail(
            SERVER_ERROR, when=is_in_middle, path="/chats", times=3 * (days % 2)
        )
        read.update(get_items(drop_repeated(await list_chats_only(stage))))
        stage.avito.switches.faults.remove(fault)
    del read[""]
    assert read == Counter(str(number) for number in stage.avito.accounts[0].listings)
    assert (await stage.rows("SELECT count(*) AS n FROM chats"))[0]["n"] == SMALLER + 2 * days


def is_in_middle(request: ReceivedRequest) -> bool:
    """Whether the request is for one of every other nine listings."""
    first = request.query.get("item_ids", [""])[0].split(",")[0]
    return bool(first) and int(first) // 9 % 2 == 1


def drop_repeated(requests: list[ReceivedRequest]) -> list[ReceivedRequest]:
    """Leave out the attempts at a list that ended a sync."""
    times = Counter(str(one.query) for one in requests)
    return [one for one in requests if times[str(one.query)] == 1]


async def test_lists_that_are_too_long_are_reported_after_a_pass(stage: Stage) -> None:
    """An employee's key gets no listings."""
    popular = AvitoListing(8_000_000_001, "Очень популярный диван")
    for number in range(1_150):
        chat = stage.avito.add_chat(item=popular, chat_id=f"u2i-{number:04}", at=stage.clock())
        stage.avito.add_message(chat.id, "client", text="Ещё продаётся?")
    stage.avito.add_synthetic_chats(60, 1)
    await list_chats_only(stage)
    assert (await get_account(stage))["lists_cut_short"] == 1
    stage.avito.switches.fail(FORBIDDEN, path="/core/v1/items", times=None)
    for _ in range(20):
        stage.clock.move(hours=25)
        await list_chats_only(stage)
        if (await get_account(stage))["lists_cut_short"] == 2:
            break
    account = await get_account(stage)
    assert (account["lists_cut_short"], account["full_pass_cut_short"]) == (2, 0)


async def test_account_of_the_release_before_begins_a_pass(stage: Stage) -> None:
    """It has no state of a pass. A whole list of a day ago is no reason to read it at once."""
    stage.avito.add_synthetic_chats(SMALLER, 1)
    await list_chats_only(stage)
    await stage.change("UPDATE accounts SET full_pass_due_at = NULL, full_pass_position = NULL")
    stage.clock.move(hours=25)
    assert len(await list_chats_only(stage)) <= 4
    assert (await get_account(stage))["full_pass_position"] is not None


async def test_watermark_in_the_future_hides_no_change(stage: Stage) -> None:
    """The clock was ahead by a day."""
    stage.avito.switches.page_cap = 10
    chats = [stage.add_talk(*GOOD_TALK, minutes_ago=600 + number) for number in range(60)]
    await stage.sync()
    await stage.change("UPDATE accounts SET listed_up_to = listed_up_to + interval '2 days'")
    for chat in chats[:50]:
        stage.avito.add_message(chat.id, "client", text="Ещё вопрос", at=stage.clock())
    assert (await stage.sync())["new_messages"] == 50


async def test_busy_account_needs_no_narrower_lists(stage: Stage) -> None:
    """More chats than one list returns have changed in the last hour, few since the last sync."""
    stage.avito.add_synthetic_chats(1_300, 1)
    for place, chat in enumerate(stage.avito.accounts[0].chats.values()):
        chat.messages[0].created = int(stage.clock().timestamp()) - 2 * place
    await list_chats_only(stage)
    stage.clock.move(minutes=15)
    stage.avito.add_message(chat.id, "client", text="Ещё вопрос", at=stage.clock())
    requests = await list_chats_only(stage)
    assert not [one for one in requests if "item_ids" in one.query]
    rows = await stage.rows("SELECT avito_updated_at AS at FROM chats ORDER BY 1 DESC LIMIT 1")
    assert int(rows[0]["at"].timestamp()) == chat.updated
