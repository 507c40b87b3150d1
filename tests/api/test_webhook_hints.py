"""What a webhook hints at is read by the next sync: just that chat, whatever the list shows, and no
hint is lost.
"""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoChat
from app.sandbox.faults import CannedResponse, ReceivedRequest
from app.sandbox.server import Sandbox
from tests.api.webhooks import RECEIVER, post, tell
from tests.stage import GOOD_TALK, Stage, on_stage, until


@pytest.fixture
def stage(receiving_stage: Stage) -> Stage:
    return receiving_stage


class Door:
    """ASGI middleware before the local Avito: an answer under a path ending so, put together
    already, waits until it is let go.
    """

    def __init__(
        self, app: ASGIApp, ends: list[str], reached: asyncio.Event, opened: asyncio.Event
    ) -> None:
        self._app, self._ends, self._reached, self._opened = app, ends, reached, opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if any(scope["path"].endswith(end) for end in self._ends):
                self._reached.set()
                await self._opened.wait()
            await send(message)

        await self._app(scope, receive, send_on)


async def words(stage: Stage, chat: AvitoChat) -> list[str]:
    """The chat's messages as they are stored, oldest first."""
    sql = (
        "SELECT text FROM messages JOIN chats ON chats.id = chat_id WHERE chats.avito_id = :id"
        " ORDER BY sent_at, messages.id"
    )
    return [row["text"] for row in await stage.rows(sql, id=chat.id)]


def read_chats(stage: Stage) -> set[str]:
    """The chats whose messages Avito was asked for."""
    return {
        request.path.split("/")[-3]
        for request in stage.avito.requests
        if request.path.endswith("/messages/")
    }


def hide_lists(stage: Stage) -> None:
    """From now on Avito's list of chats is empty: what stands past its reach looks no different."""

    def is_list(request: ReceivedRequest) -> bool:
        return request.path.endswith("/chats")

    stage.avito.switches.fail(
        CannedResponse(200, {"chats": [], "meta": {"has_more": False}}), when=is_list, times=None
    )


async def test_the_next_sync_reads_just_the_chat_that_was_named(stage: Stage) -> None:
    named, other = (stage.add_talk(*GOOD_TALK, minutes_ago=minutes) for minutes in (600, 700))
    await stage.sync()
    hide_lists(stage)
    for chat in (named, other):
        stage.avito.add_message(chat.id, "client", text="Ещё вопрос")
    stage.avito.requests.clear()
    assert (await stage.sync())["new_messages"] == 0
    assert read_chats(stage) == set()
    await tell(stage, named)
    answer = await stage.sync()
    assert (answer["updated_chats"], answer["new_messages"], answer["new_chats"]) == (1, 1, 0)
    assert read_chats(stage) == {named.id}
    assert (await words(stage, named))[-1] == "Ещё вопрос"


async def test_a_chat_that_no_list_shows_is_read_with_its_title_and_name(stage: Stage) -> None:
    await stage.sync()
    hide_lists(stage)
    chat = stage.add_talk(*GOOD_TALK, title="Комод", client="Пётр", minutes_ago=600)
    await tell(stage, chat)
    answer = await stage.sync()
    assert (
        answer["synced_chats"],
        answer["new_chats"],
        answer["updated_chats"],
        answer["new_messages"],
    ) == (1, 1, 0, 4)
    assert await stage.rows(
        "SELECT chat_type, item_title, client_name, messages_due, history_complete FROM chats"
    ) == [
        {
            "chat_type": "u2i",
            "item_title": "Комод",
            "client_name": "Пётр",
            "messages_due": False,
            "history_complete": True,
        }
    ]
    stage.avito.requests.clear()
    await stage.sync()
    assert read_chats(stage) == set()
    assert (await stage.analyze())["analyzed_chats"] == 1
    report = (await stage.reports())[0]
    assert (report["chat_title"], report["client_name"]) == ("Комод", "Пётр")


async def test_when_the_list_shows_it_as_well_it_is_one_chat(stage: Stage) -> None:
    await stage.sync()
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await tell(stage, chat)
    answer = await stage.sync()
    assert (answer["synced_chats"], answer["new_chats"], answer["new_messages"]) == (1, 1, 4)
    assert len(await stage.rows("SELECT id FROM chats")) == 1


async def test_the_same_chat_of_two_accounts_is_marked_for_the_one_that_was_told_of(
    database_url: str,
) -> None:
    async with Sandbox(accounts=2) as sandbox, on_stage(database_url, sandbox, **RECEIVER) as stage:
        first, second = sandbox.avito.accounts
        chat = sandbox.avito.add_chat(chat_id="u2u-both")
        sandbox.avito.add_chat(chat_id="u2u-both", account=second)
        message = sandbox.avito.add_message(chat.id, "client", text="Здравствуйте", account=second)
        await stage.sync()
        assert (
            await post(stage, sandbox.avito.webhook(chat.id, message.id, second))
        ).status_code == 200
        sql = (
            "SELECT avito_user_id FROM chats JOIN accounts ON accounts.id = account_id WHERE"
            " avito_id = 'u2u-both' AND hints = 1"
        )

        async def marked() -> bool:
            return [row["avito_user_id"] for row in await stage.rows(sql)] == [second.user_id]

        await until(marked)
        assert first.user_id != second.user_id


async def test_doubles_echoes_and_any_order_change_nothing(stage: Stage) -> None:
    await stage.sync()
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await tell(stage, chat, 3, 0, 1, 1, 3, 2)
    await stage.sync()
    assert await words(stage, chat) == [text for _, text in GOOD_TALK]
    stage.avito.add_message(chat.id, "company", text="Спасибо за покупку!")
    await tell(stage, chat, -1, -1)
    await stage.sync()
    assert await words(stage, chat) == [*(text for _, text in GOOD_TALK), "Спасибо за покупку!"]


async def test_a_hint_that_comes_while_the_chat_is_read_is_not_lost(database_url: str) -> None:
    avito, reached, opened = LocalAvito(), asyncio.Event(), asyncio.Event()
    avito.app = Door(avito.app, ["/messages/"], reached, opened)
    async with (
        Sandbox(avito=avito) as sandbox,
        on_stage(database_url, sandbox, **RECEIVER) as stage,
    ):
        await stage.sync()
        hide_lists(stage)
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await tell(stage, chat)
        sync = asyncio.create_task(stage.sync())
        await asyncio.wait_for(reached.wait(), 20)
        stage.avito.add_message(chat.id, "client", text="Я у подъезда")
        await tell(stage, chat)
        opened.set()
        await sync
        await stage.sync()
        assert (await words(stage, chat))[-1] == "Я у подъезда"
        assert (await stage.rows("SELECT messages_due FROM chats"))[0] == {"messages_due": False}


async def test_nor_is_one_that_comes_while_avito_does_not_know_the_chat_yet(
    database_url: str,
) -> None:
    avito, reached, opened, ends = LocalAvito(), asyncio.Event(), asyncio.Event(), list[str]()
    avito.app = Door(avito.app, ends, reached, opened)
    async with (
        Sandbox(avito=avito) as sandbox,
        on_stage(database_url, sandbox, **RECEIVER) as stage,
    ):
        await stage.sync()
        hide_lists(stage)
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await tell(stage, chat)
        avito.remove_chat(chat.id)
        ends.append(chat.id)
        sync = asyncio.create_task(stage.sync())
        await asyncio.wait_for(reached.wait(), 20)
        avito.accounts[0].put(chat)
        await tell(stage, chat)
        opened.set()
        await sync
        await stage.sync()
        assert await words(stage, chat) == [text for _, text in GOOD_TALK]
