"""Webhook hints: the next sync reads exactly the named chats, and no hint is lost."""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoChat
from app.sandbox.faults import CannedResponse, ReceivedRequest
from app.sandbox.server import Sandbox
from tests.support.stage import GOOD_TALK, Stage, on_stage, until
from tests.support.webhooks import RECEIVER, post_webhook, post_webhooks


@pytest.fixture
def stage(receiving_stage: Stage) -> Stage:
    return receiving_stage


class ResponseGate:
    """ASGI middleware in front of the local Avito that holds back responses.

    A response to a path with one of the endings is complete but waits for the event ``opened``.
    """

    def __init__(
        self, app: ASGIApp, ends: list[str], reached: asyncio.Event, opened: asyncio.Event
    ) -> None:
        self._app, self._ends, self._reached, self._opened = app, ends, reached, opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_when_opened(message: Message) -> None:
            if any(scope["path"].endswith(end) for end in self._ends):
                self._reached.set()
                await self._opened.wait()
            await send(message)

        await self._app(scope, receive, send_when_opened)


async def list_texts(stage: Stage, chat: AvitoChat) -> list[str]:
    """Return the stored messages of the chat, oldest first."""
    sql = (
        "SELECT text FROM messages JOIN chats ON chats.id = chat_id WHERE chats.avito_id = :id"
        " ORDER BY sent_at, messages.id"
    )
    return [row["text"] for row in await stage.rows(sql, id=chat.id)]


def list_read_chats(stage: Stage) -> set[str]:
    """Return the chats whose messages were requested from Avito."""
    return {
        request.path.split("/")[-3]
        for request in stage.avito.requests
        if request.path.endswith("/messages/")
    }


def hide_lists(stage: Stage) -> None:
    """Make Avito's list of chats empty, as for chats beyond its limit."""

    def is_list(request: ReceivedRequest) -> bool:
        return request.path.endswith("/chats")

    stage.avito.switches.fail(
        CannedResponse(200, {"chats": [], "meta": {"has_more": False}}), when=is_list, times=None
    )


async def test_next_sync_reads_only_the_named_chat(stage: Stage) -> None:
    named, other = (stage.add_talk(*GOOD_TALK, minutes_ago=minutes) for minutes in (600, 700))
    await stage.sync()
    hide_lists(stage)
    for chat in (named, other):
        stage.avito.add_message(chat.id, "client", text="Ещё вопрос")
    stage.avito.requests.clear()
    assert (await stage.sync())["new_messages"] == 0
    assert list_read_chats(stage) == set()
    await post_webhooks(stage, named)
    answer = await stage.sync()
    assert (answer["updated_chats"], answer["new_messages"], answer["new_chats"]) == (1, 1, 0)
    assert list_read_chats(stage) == {named.id}
    assert (await list_texts(stage, named))[-1] == "Ещё вопрос"


async def test_unlisted_chat_is_read_with_its_title_and_name(stage: Stage) -> None:
    await stage.sync()
    hide_lists(stage)
    chat = stage.add_talk(*GOOD_TALK, title="Комод", client="Пётр", minutes_ago=600)
    await post_webhooks(stage, chat)
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
    assert list_read_chats(stage) == set()
    assert (await stage.analyze())["analyzed_chats"] == 1
    report = (await stage.reports())[0]
    assert (report["chat_title"], report["client_name"]) == ("Комод", "Пётр")


async def test_chat_that_is_hinted_and_listed_is_stored_once(stage: Stage) -> None:
    await stage.sync()
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await post_webhooks(stage, chat)
    answer = await stage.sync()
    assert (answer["synced_chats"], answer["new_chats"], answer["new_messages"]) == (1, 1, 4)
    assert len(await stage.rows("SELECT id FROM chats")) == 1


async def test_hint_marks_the_chat_of_the_named_account_only(
    database_url: str,
) -> None:
    async with Sandbox(accounts=2) as sandbox, on_stage(database_url, sandbox, **RECEIVER) as stage:
        first, second = sandbox.avito.accounts
        chat = sandbox.avito.add_chat(chat_id="u2u-both")
        sandbox.avito.add_chat(chat_id="u2u-both", account=second)
        message = sandbox.avito.add_message(chat.id, "client", text="Здравствуйте", account=second)
        await stage.sync()
        assert (
            await post_webhook(stage, sandbox.avito.webhook(chat.id, message.id, second))
        ).status_code == 200
        sql = (
            "SELECT avito_user_id FROM chats JOIN accounts ON accounts.id = account_id WHERE"
            " avito_id = 'u2u-both' AND hints = 1"
        )

        async def marked() -> bool:
            return [row["avito_user_id"] for row in await stage.rows(sql)] == [second.user_id]

        await until(marked)
        assert first.user_id != second.user_id


async def test_duplicates_and_order_of_hints_do_not_matter(stage: Stage) -> None:
    await stage.sync()
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await post_webhooks(stage, chat, 3, 0, 1, 1, 3, 2)
    await stage.sync()
    assert await list_texts(stage, chat) == [text for _, text in GOOD_TALK]
    stage.avito.add_message(chat.id, "company", text="Спасибо за покупку!")
    await post_webhooks(stage, chat, -1, -1)
    await stage.sync()
    assert await list_texts(stage, chat) == [
        *(text for _, text in GOOD_TALK),
        "Спасибо за покупку!",
    ]


async def test_hint_during_the_reading_of_the_chat_is_not_lost(database_url: str) -> None:
    avito, reached, opened = LocalAvito(), asyncio.Event(), asyncio.Event()
    avito.app = ResponseGate(avito.app, ["/messages/"], reached, opened)
    async with (
        Sandbox(avito=avito) as sandbox,
        on_stage(database_url, sandbox, **RECEIVER) as stage,
    ):
        await stage.sync()
        hide_lists(stage)
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await post_webhooks(stage, chat)
        sync = asyncio.create_task(stage.sync())
        await asyncio.wait_for(reached.wait(), 20)
        stage.avito.add_message(chat.id, "client", text="Я у подъезда")
        await post_webhooks(stage, chat)
        opened.set()
        await sync
        await stage.sync()
        assert (await list_texts(stage, chat))[-1] == "Я у подъезда"
        assert (await stage.rows("SELECT messages_due FROM chats"))[0] == {"messages_due": False}


async def test_hint_during_avitos_404_for_the_chat_is_not_lost(
    database_url: str,
) -> None:
    avito, reached, opened, ends = LocalAvito(), asyncio.Event(), asyncio.Event(), list[str]()
    avito.app = ResponseGate(avito.app, ends, reached, opened)
    async with (
        Sandbox(avito=avito) as sandbox,
        on_stage(database_url, sandbox, **RECEIVER) as stage,
    ):
        await stage.sync()
        hide_lists(stage)
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await post_webhooks(stage, chat)
        avito.remove_chat(chat.id)
        ends.append(chat.id)
        sync = asyncio.create_task(stage.sync())
        await asyncio.wait_for(reached.wait(), 20)
        avito.accounts[0].put(chat)
        await post_webhooks(stage, chat)
        opened.set()
        await sync
        await stage.sync()
        assert await list_texts(stage, chat) == [text for _, text in GOOD_TALK]
