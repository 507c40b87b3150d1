"""Chats that cannot be read, and what of it is the account's fault: they stand in nobody's way and
are counted right.
"""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import text

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_payloads import PLAN_PLACEHOLDER
from app.sandbox.avito_state import AvitoChat, numbered_account
from app.sandbox.avito_switches import SERVER_ERROR, error_body, too_many
from app.sandbox.faults import CannedResponse, Fault
from app.sandbox.server import Sandbox
from tests.api.webhooks import RECEIVER, tell
from tests.services.avito_worlds import assert_equal
from tests.stage import GOOD_TALK, Stage, on_stage, until


def break_chat(stage: Stage, chat: AvitoChat) -> Fault:
    return stage.avito.switches.fail(SERVER_ERROR, path=f"{chat.id}/messages", times=None)


def figures(answer: dict[str, Any]) -> tuple[Any, ...]:
    return (
        answer["status"],
        answer["synced_chats"],
        answer["new_chats"],
        answer["new_messages"],
        answer["incomplete_chats"],
    )


async def test_a_chat_that_stays_broken_is_counted_once_and_its_reason_named(stage: Stage) -> None:
    """Also by the next sync, which finds it waiting before it looks at the list."""
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    break_chat(stage, stage.add_talk(*GOOD_TALK, minutes_ago=700))
    assert figures(await stage.sync()) == ("success", 1, 2, 4, 0)
    stage.avito.requests.clear()
    answer = await stage.sync()
    assert figures(answer) == ("success", 1, 0, 0, 0)
    assert (
        ": 1 чат не прочитан и остался в очереди. Причина: Авито временно не работает (500)"
        in answer["message"]
    )
    assert (await stage.rows("SELECT read_error FROM chats WHERE messages_due"))[0][
        "read_error"
    ].startswith("Авито временно")


async def test_what_avito_says_of_a_failure_is_for_people_and_in_no_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """It stands in the answer, but who knows what else is in it."""
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    stage.avito.switches.fail(
        CannedResponse(500, error_body(500, "canary of a buyer")), path="/messages/", times=None
    )
    answer = await stage.post("/avito/sync", status=500)
    assert re.search(
        rf"новых сообщений: 0\. {stage.avito.accounts[0].name}: .*canary", answer["message"]
    )
    logged = " ".join(str(record.msg) for record in caplog.records)
    assert "run.ended" in logged
    assert "canary" not in logged


async def test_many_broken_chats_stop_neither_the_account_nor_new_chats(stage: Stage) -> None:
    """More of them in a row than make one ask whether anything can be read at all."""
    stage.add_talk(*GOOD_TALK, minutes_ago=900)
    await stage.sync()
    broken = [break_chat(stage, stage.add_talk(*GOOD_TALK, minutes_ago=700)) for _ in range(12)]
    assert figures(await stage.sync()) == ("success", 1, 12, 0, 0)
    stage.add_talk(*GOOD_TALK, minutes_ago=500)
    answer = await stage.sync()
    assert figures(answer) == ("success", 2, 1, 4, 0)
    assert "12 чатов не прочитаны" in answer["message"]
    for fault in broken:
        fault.times = 0
    assert figures(await stage.sync()) == ("success", 14, 0, 48, 0)
    await assert_equal(stage)


async def test_a_new_account_gets_past_its_broken_chats(stage: Stage) -> None:
    """Nothing was ever read, so the fault may well be the account's; but the next sync begins with
    the chats not tried yet.
    """
    for _ in range(9):
        break_chat(stage, stage.add_talk(*GOOD_TALK, minutes_ago=700))
    for _ in range(6):
        stage.add_talk(*GOOD_TALK, minutes_ago=500)
    first = await stage.post("/avito/sync", status=500)
    assert "Лавка на Садовой: Авито временно не работает (500)" in first["message"]
    assert figures(await stage.sync()) == ("success", 6, 0, 24, 0)


async def test_what_is_read_and_not_written_yet_speaks_for_the_account(stage: Stage) -> None:
    """Writing is held up until all that can fail has failed."""
    for _ in range(6):
        stage.add_talk(*GOOD_TALK, minutes_ago=700)
    for _ in range(9):
        break_chat(stage, stage.add_talk(*GOOD_TALK, minutes_ago=500))

    async def all_have_failed() -> bool:
        return (
            len(await stage.rows("SELECT 1 FROM chats WHERE read_error IS NOT NULL")) == 9
            or call.done()
        )

    async with stage.service.database.engine.begin() as other:
        await other.execute(text("LOCK TABLE messages IN EXCLUSIVE MODE"))
        call = asyncio.create_task(stage.sync())
        await until(all_have_failed)
    assert figures(await call) == ("success", 6, 15, 24, 0)


async def test_a_joke_is_not_a_missing_plan(stage: Stage) -> None:
    """A buyer sends the sentence that stands in for texts: it is left out and said, and no other
    chat has to wait.
    """
    stage.add_talk(*GOOD_TALK, minutes_ago=900)
    joke = stage.add_talk(*GOOD_TALK, ("client", PLAN_PLACEHOLDER), minutes_ago=500)
    alone = stage.add_talk(("client", PLAN_PLACEHOLDER), minutes_ago=400)
    stage.add_talk(*GOOD_TALK, minutes_ago=300)
    answer = await stage.sync()
    assert figures(answer) == ("success", 3, 4, 12, 1)
    assert "1 чат не прочитан" in answer["message"]
    assert "Не оплачен тариф" in answer["message"]
    incomplete = (
        "SELECT avito_id, messages_due FROM chats WHERE NOT history_complete ORDER BY messages_due"
    )
    assert await stage.rows(incomplete) == [
        {"avito_id": joke.id, "messages_due": False},
        {"avito_id": alone.id, "messages_due": True},
    ]
    assert await stage.rows("SELECT 1 FROM messages WHERE text LIKE 'Перейдите%'") == []


async def test_a_missing_plan_takes_no_words_away_that_are_here(stage: Stage) -> None:
    """Where placeholders come instead of texts, under 200: nothing that was stored changes, and the
    plan is named.
    """
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    before = await stage.rows("SELECT * FROM messages ORDER BY id")
    for message in chat.messages:
        message.text = PLAN_PLACEHOLDER
    answer = await stage.post("/avito/sync", status=500)
    assert "Не оплачен тариф" in answer["message"]
    assert await stage.rows("SELECT * FROM messages ORDER BY id") == before


async def test_chats_are_seen_while_no_message_can_be_read(stage: Stage) -> None:
    """What an earlier sync left unread does not keep the list from being looked at."""
    stage.avito.switches.plan_missing = "nested"
    for number in (1, 2):
        stage.add_talk(*GOOD_TALK, minutes_ago=600 - number)
        answer = await stage.post("/avito/sync", status=500)
        assert "не оплачен тариф" in answer["message"]
        assert len(await stage.rows("SELECT 1 FROM chats WHERE messages_due")) == number
    stage.avito.switches.plan_missing = None
    assert figures(await stage.sync()) == ("success", 2, 0, 8, 0)


async def test_a_message_that_cannot_be_read_leaves_the_history_incomplete(stage: Stage) -> None:
    """Without a time it has no place in the chat; the others come, and nobody is told that they are
    all.
    """
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    stage.avito.add_message(chat.id, "client", text="Ещё вопрос")
    timeless = {
        "id": "m-timeless",
        "type": "text",
        "content": {"text": "Без времени"},
        "direction": "in",
    }
    known = [
        {
            "id": message.id,
            "created": message.created,
            "type": "text",
            "content": {"text": message.text},
        }
        for message in chat.messages
    ]
    stage.avito.switches.fail(
        CannedResponse(200, {"messages": [timeless, *known[::-1]], "meta": {"has_more": True}}),
        path="/messages/",
    )
    assert figures(await stage.sync()) == ("success", 1, 0, 1, 1)
    stage.avito.add_message(chat.id, "client", text="И ещё")
    assert (await stage.sync())["new_messages"] == 1


async def test_a_named_chat_that_avito_does_not_know_is_no_synced_chat(database_url: str) -> None:
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, **RECEIVER) as stage,
    ):
        await stage.sync()
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await tell(stage, chat)
        stage.avito.remove_chat(chat.id)
        assert figures(await stage.sync()) == ("success", 0, 0, 0, 0)


async def test_a_chat_that_leaves_avito_stays_here_and_costs_nothing(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    stage.avito.remove_chat(chat.id)
    assert figures(await stage.sync()) == ("success", 1, 0, 0, 0)
    stage.avito.requests.clear()
    await stage.sync()
    assert not [request for request in stage.avito.requests if "messages" in request.path]
    assert len(await stage.rows("SELECT 1 FROM messages")) == 4


@pytest.mark.parametrize("known", [True, False])
async def test_each_account_is_named_with_its_own_fault_and_the_others_go_on(
    database_url: str, known: bool
) -> None:
    """In the answer, in the run and in the mail: one account's plan is not paid, another's keys are
    wrong, be it seen before or not.
    """
    avito = LocalAvito([numbered_account(number) for number in (1, 2, 3)])
    async with Sandbox(avito=avito) as sandbox, on_stage(database_url, sandbox) as stage:
        good, unpaid, locked = avito.accounts
        stage.add_talk(*GOOD_TALK, minutes_ago=60)
        if known:
            await stage.sync()
        chat = avito.add_chat(account=unpaid, chat_type="u2u")
        avito.add_message(chat.id, "client", text="Здравствуйте", account=unpaid)
        no_plan = CannedResponse(402, error_body(402, "Payment required"))
        avito.switches.fail(
            no_plan, path=f"/accounts/{unpaid.user_id}/chats/{chat.id}/messages", times=None
        )
        locked.client_secret = "changed since"
        avito.expire_tokens()
        stage.clock.move(hours=25)
        answer = await stage.post("/avito/sync", status=500)
        assert answer["synced_chats"] == 1
        run = (await stage.rest.get("/api/v1/runs")).json()[0]
        run = (await stage.rest.get(f"/api/v1/runs/{run['id']}")).json()
        await stage.analyze()
        await stage.mail()
        mail = " ".join(stage.last_mail().split())
        for text in (answer["message"], run["message"], mail):
            assert f"{unpaid.name}: Авито не отдаёт сообщения, пока не оплачен тариф" in text
            assert f"{locked.name}: Авито не принял ключи" in text
            assert f"{good.name}:" not in text


async def test_after_a_429_fewer_chats_are_read_at_a_time(stage: Stage) -> None:
    """Four at a time by the settings, two after a refusal; none is lost for it."""
    for _ in range(5):
        stage.add_talk(*GOOD_TALK, minutes_ago=600)
    stage.avito.switches.fail(too_many(), path="/self")
    stage.avito.switches.latency_seconds = 0.05
    assert figures(await stage.sync()) == ("success", 5, 5, 20, 0)
    assert stage.avito.traffic.max_in_flight == 2
