"""Unreadable chats and faults of an account: no delay of other chats, and correct counts."""

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
from tests.support.avito_worlds import assert_equal
from tests.support.stage import GOOD_TALK, Stage, on_stage, until
from tests.support.webhooks import RECEIVER, post_webhooks


def break_chat(stage: Stage, chat: AvitoChat) -> Fault:
    return stage.avito.switches.fail(SERVER_ERROR, path=f"{chat.id}/messages", times=None)


def get_figures(answer: dict[str, Any]) -> tuple[Any, ...]:
    return (
        answer["status"],
        answer["synced_chats"],
        answer["new_chats"],
        answer["new_messages"],
        answer["incomplete_chats"],
    )


async def test_permanently_unreadable_chat_is_counted_once_with_its_reason(stage: Stage) -> None:
    """Also in the next sync, which reads it before the list."""
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    break_chat(stage, stage.add_talk(*GOOD_TALK, minutes_ago=700))
    assert get_figures(await stage.sync()) == ("success", 1, 2, 4, 0)
    stage.avito.requests.clear()
    answer = await stage.sync()
    assert get_figures(answer) == ("success", 1, 0, 0, 0)
    assert (
        ": 1 чат не прочитан и остался в очереди. Причина: Авито временно не работает (500)"
        in answer["message"]
    )
    assert (await stage.rows("SELECT read_error FROM chats WHERE messages_due"))[0][
        "read_error"
    ].startswith("Авито временно")


async def test_recent_chat_that_cannot_be_read_again_becomes_unread(stage: Stage) -> None:
    """It was read before, and its messages can still be deleted."""
    stage.add_talk(*GOOD_TALK, minutes_ago=600)
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=20)
    assert get_figures(await stage.sync()) == ("success", 2, 2, 8, 0)
    break_chat(stage, chat)
    stage.clock.move(minutes=15)
    assert get_figures(await stage.sync()) == ("success", 1, 0, 0, 0)
    unread = "SELECT avito_id FROM chats WHERE messages_due AND read_error IS NOT NULL"
    assert await stage.rows(unread) == [{"avito_id": chat.id}]


async def test_avitos_error_text_is_in_the_response_but_not_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The text may contain personal data."""
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


async def test_many_unreadable_chats_stop_neither_the_account_nor_new_chats(stage: Stage) -> None:
    """There are more consecutive failures than trigger the check of the account."""
    stage.add_talk(*GOOD_TALK, minutes_ago=900)
    await stage.sync()
    broken = [break_chat(stage, stage.add_talk(*GOOD_TALK, minutes_ago=700)) for _ in range(12)]
    assert get_figures(await stage.sync()) == ("success", 1, 12, 0, 0)
    stage.add_talk(*GOOD_TALK, minutes_ago=500)
    answer = await stage.sync()
    assert get_figures(answer) == ("success", 2, 1, 4, 0)
    assert "12 чатов не прочитаны" in answer["message"]
    for fault in broken:
        fault.times = 0
    assert get_figures(await stage.sync()) == ("success", 14, 0, 48, 0)
    await assert_equal(stage)


async def test_new_account_gets_past_its_unreadable_chats(stage: Stage) -> None:
    """No chat was ever read, so the account may be at fault.

    The next sync starts with the chats that were not tried.
    """
    for _ in range(9):
        break_chat(stage, stage.add_talk(*GOOD_TALK, minutes_ago=700))
    for _ in range(6):
        stage.add_talk(*GOOD_TALK, minutes_ago=500)
    first = await stage.post("/avito/sync", status=500)
    assert "Лавка на Садовой: Авито временно не работает (500)" in first["message"]
    assert get_figures(await stage.sync()) == ("success", 6, 0, 24, 0)


async def test_chat_that_is_read_but_not_written_proves_the_account_readable(stage: Stage) -> None:
    """Writing is blocked until all unreadable chats have failed."""
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
    assert get_figures(await call) == ("success", 6, 15, 24, 0)


async def test_single_placeholder_is_not_a_missing_plan(stage: Stage) -> None:
    """A buyer sends the placeholder text: it is skipped and reported, and no other chat waits."""
    stage.add_talk(*GOOD_TALK, minutes_ago=900)
    joke = stage.add_talk(*GOOD_TALK, ("client", PLAN_PLACEHOLDER), minutes_ago=500)
    alone = stage.add_talk(("client", PLAN_PLACEHOLDER), minutes_ago=400)
    stage.add_talk(*GOOD_TALK, minutes_ago=300)
    answer = await stage.sync()
    assert get_figures(answer) == ("success", 3, 4, 12, 1)
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


async def test_missing_plan_keeps_the_stored_texts(stage: Stage) -> None:
    """Placeholders instead of texts under 200: stored texts are kept, and the plan is named."""
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    before = await stage.rows("SELECT * FROM messages ORDER BY id")
    for message in chat.messages:
        message.text = PLAN_PLACEHOLDER
    answer = await stage.post("/avito/sync", status=500)
    assert "Не оплачен тариф" in answer["message"]
    assert await stage.rows("SELECT * FROM messages ORDER BY id") == before


async def test_chats_are_listed_while_no_message_can_be_read(stage: Stage) -> None:
    """Chats left unread by an earlier sync do not prevent the list pass."""
    stage.avito.switches.plan_missing = "nested"
    for number in (1, 2):
        stage.add_talk(*GOOD_TALK, minutes_ago=600 - number)
        answer = await stage.post("/avito/sync", status=500)
        assert "не оплачен тариф" in answer["message"]
        assert len(await stage.rows("SELECT 1 FROM chats WHERE messages_due")) == number
    stage.avito.switches.plan_missing = None
    assert get_figures(await stage.sync()) == ("success", 2, 0, 8, 0)


async def test_unreadable_message_leaves_the_history_incomplete(stage: Stage) -> None:
    """A message without a time has no position; the others are stored.

    The chat counts as incomplete.
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
    assert get_figures(await stage.sync()) == ("success", 1, 0, 1, 1)
    stage.avito.add_message(chat.id, "client", text="И ещё")
    assert (await stage.sync())["new_messages"] == 1


async def test_hinted_chat_unknown_to_avito_is_not_counted_as_synced(database_url: str) -> None:
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, **RECEIVER) as stage,
    ):
        await stage.sync()
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await post_webhooks(stage, chat)
        stage.avito.remove_chat(chat.id)
        assert get_figures(await stage.sync()) == ("success", 0, 0, 0, 0)


async def test_chat_removed_from_avito_is_kept_and_not_requested_again(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    stage.avito.remove_chat(chat.id)
    assert get_figures(await stage.sync()) == ("success", 1, 0, 0, 0)
    stage.avito.requests.clear()
    await stage.sync()
    assert not [request for request in stage.avito.requests if "messages" in request.path]
    assert len(await stage.rows("SELECT 1 FROM messages")) == 4


@pytest.mark.parametrize("known", [True, False])
async def test_each_account_is_named_with_its_own_fault(database_url: str, known: bool) -> None:
    """One account's plan is unpaid, another's keys are wrong; the third is synced.

    Both faults are in the response, the run and the mail, for known and for new accounts.
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


async def test_after_a_429_fewer_chats_are_read_in_parallel(stage: Stage) -> None:
    """Four in parallel by the settings, two after a 429; no chat is lost."""
    for _ in range(5):
        stage.add_talk(*GOOD_TALK, minutes_ago=600)
    stage.avito.switches.fail(too_many(), path="/self")
    stage.avito.switches.latency_seconds = 0.05
    assert get_figures(await stage.sync()) == ("success", 5, 5, 20, 0)
    assert stage.avito.traffic.max_in_flight == 2
