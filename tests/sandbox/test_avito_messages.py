"""Messages, paid plan, voice files and webhooks of the local Avito."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_payloads import (
    DELETED_PLACEHOLDER,
    PLAN_PLACEHOLDER,
    UNSUPPORTED_PLACEHOLDER,
    UNSUPPORTED_TYPES,
)
from app.sandbox.server import serve_app
from tests.support.sandbox import NOW


def build_path(avito: LocalAvito, chat_id: str = "u2i-kia") -> str:
    return f"/messenger/v3/accounts/{avito.accounts[0].user_id}/chats/{chat_id}/messages"


async def list_messages(
    seller: httpx.AsyncClient, avito: LocalAvito, chat_id: str = "u2i-kia"
) -> list[dict[str, Any]]:
    answer = await seller.get(build_path(avito, chat_id) + "/")
    assert answer.status_code == 200, answer.text
    body: list[dict[str, Any]] = answer.json()["messages"]
    return body


async def test_messages_come_newest_first_with_and_without_the_slash(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    with_slash, without = (
        await seller.get(build_path(avito) + "/"),
        await seller.get(build_path(avito)),
    )

    assert with_slash.json() == without.json()
    assert with_slash.json()["meta"] == {"has_more": False}
    assert [
        (message["direction"], message["author_id"]) for message in with_slash.json()["messages"]
    ] == [
        ("out", avito.accounts[0].user_id),
        ("in", 5300000001),
    ]


async def test_messages_of_one_second_keep_the_order_of_writing(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    for text in ("раз", "два", "три"):
        avito.add_message("u2i-kia", "client", text=text, at=NOW)

    assert [message["content"]["text"] for message in (await list_messages(seller, avito))[:3]] == [
        "три",
        "два",
        "раз",
    ]


async def test_messages_end_at_the_1100th(seller: httpx.AsyncClient, avito: LocalAvito) -> None:
    chat = avito.add_synthetic_chats(1, 1200)[0]

    pages = [
        (await seller.get(build_path(avito, chat.id), params={"offset": offset})).json()
        for offset in range(0, 1001, 100)
    ]
    beyond = await seller.get(build_path(avito, chat.id), params={"offset": 1100})

    assert len({message["id"] for page in pages for message in page["messages"]}) == 1100
    assert pages[-1]["meta"] == {"has_more": True}
    assert beyond.status_code == 400


async def test_the_body_can_be_an_array(seller: httpx.AsyncClient, avito: LocalAvito) -> None:
    avito.switches.messages_as = "array"

    answer = (await seller.get(build_path(avito))).json()

    assert [message["type"] for message in answer] == ["text", "text"]


@pytest.mark.parametrize(("flag", "other"), [("isRead", "is_read"), ("is_read", "isRead")])
async def test_the_read_flag_has_two_names(
    seller: httpx.AsyncClient, avito: LocalAvito, flag: Literal["isRead", "is_read"], other: str
) -> None:
    avito.switches.read_flag = flag

    answered = (await list_messages(seller, avito))[1]

    assert answered[flag] is True
    assert answered["read"] == int((NOW - timedelta(hours=1)).timestamp())
    assert other not in answered


@pytest.mark.parametrize(
    ("kind", "text", "content"),
    [
        ("link", "https://example.com/a", {"link"}),
        ("image", "", {"image"}),
        ("voice", "", {"voice"}),
        ("item", "", {"item"}),
        ("call", "", {"call"}),
        ("location", "Тула, Новомосковское шоссе, 21А", {"location"}),
        ("system", "Заказ оформлен", {"text", "flow_id"}),
        ("file", "", set()),
        ("video", "", set()),
        ("appCall", "", set()),
        ("deleted", "", set()),
    ],
)
async def test_each_type_has_its_content(
    seller: httpx.AsyncClient, avito: LocalAvito, kind: str, text: str, content: set[str]
) -> None:
    avito.add_message(
        "u2i-kia", "system" if kind == "system" else "client", type=kind, text=text, at=NOW
    )

    newest = (await list_messages(seller, avito))[0]

    assert (newest["type"], set(newest["content"])) == (kind, content)


async def test_unknown_type_keeps_its_raw_content(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.add_message("u2i-kia", "client", type="sticker", content={"sticker": {"id": 7}}, at=NOW)

    assert (await list_messages(seller, avito))[0] | {
        "type": "sticker",
        "content": {"sticker": {"id": 7}},
    } == (await list_messages(seller, avito))[0]


@pytest.mark.parametrize(("as_text", "kind"), [(False, "system"), (True, "text")])
async def test_a_system_message_has_author_0_and_a_prefix(
    seller: httpx.AsyncClient, avito: LocalAvito, as_text: bool, kind: str
) -> None:
    avito.switches.system_as_text = as_text
    avito.add_message("u2i-kia", "system", type="system", text="Заказ оформлен", at=NOW)

    newest = (await list_messages(seller, avito))[0]

    assert (newest["author_id"], newest["direction"], newest["type"]) == (0, "in", kind)
    assert newest["content"]["text"] == "[Системное сообщение] Заказ оформлен"


async def test_deleted_message_stays_and_removed_message_does_not(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    newest, oldest = await list_messages(seller, avito)

    avito.delete_message("u2i-kia", newest["id"])
    avito.remove_message("u2i-kia", oldest["id"])

    assert [
        (message["id"], message["type"], message["content"])
        for message in await list_messages(seller, avito)
    ] == [(newest["id"], "deleted", {})]


@pytest.mark.parametrize(
    ("switch", "kind", "text"),
    [
        ("deleted_as_text", "deleted", DELETED_PLACEHOLDER),
        *(("unsupported_as_text", kind, UNSUPPORTED_PLACEHOLDER) for kind in UNSUPPORTED_TYPES),
    ],
)
async def test_switch_shows_a_message_without_text_as_a_placeholder(
    seller: httpx.AsyncClient, avito: LocalAvito, switch: str, kind: str, text: str
) -> None:
    setattr(avito.switches, switch, True)
    avito.add_message("u2i-kia", "company", type=kind, at=NOW)

    newest, *others = await list_messages(seller, avito)

    assert (newest["type"], newest["content"], newest["direction"]) == (
        "text",
        {"text": text},
        "out",
    )
    assert text not in {message["content"].get("text") for message in others}


async def test_a_quote_shows_the_message_it_answers(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    question = avito.chat("u2i-kia").messages[0]
    avito.add_message("u2i-kia", "company", text="Да", quote=question, at=NOW)

    quote = (await list_messages(seller, avito))[0]["quote"]

    assert set(quote) == {"id", "author_id", "created", "type", "content"}
    assert quote["id"] == question.id


async def test_any_key_of_a_message_can_be_missing(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.switches.drop_message_keys = {"author_id", "content", "isRead"}

    assert set((await list_messages(seller, avito))[0]) == {"id", "created", "direction", "type"}


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("nested", {"error": {"code": 402, "message": "Payment required"}}),
        ("flat", {"code": 402, "message": "Payment required"}),
    ],
)
async def test_missing_plan_gives_402_and_a_placeholder(
    seller: httpx.AsyncClient,
    avito: LocalAvito,
    shape: Literal["nested", "flat"],
    body: dict[str, Any],
) -> None:
    avito.switches.plan_missing = shape

    refused = await seller.get(build_path(avito))
    listed = await seller.get(f"/messenger/v2/accounts/{avito.accounts[0].user_id}/chats")

    assert (refused.status_code, refused.json()) == (402, body)
    assert listed.json()["chats"][0]["last_message"]["content"] == {"text": PLAN_PLACEHOLDER}


async def test_only_the_read_call_marks_messages_and_is_recorded(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    assert (await list_messages(seller, avito, "u2u-ann"))[0]["isRead"] is False

    answer = await seller.post(
        f"/messenger/v1/accounts/{avito.accounts[0].user_id}/chats/u2u-ann/read"
    )

    assert answer.json() == {"ok": True}
    assert (await list_messages(seller, avito, "u2u-ann"))[0]["isRead"] is True
    assert [request.method for request in avito.requests if request.path.endswith("/read")] == [
        "POST"
    ]


async def test_voice_files_have_an_address_for_each_id(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    answer = await seller.get(
        f"/messenger/v1/accounts/{avito.accounts[0].user_id}/getVoiceFiles",
        params={"voice_ids": "a,b"},
    )

    assert set(answer.json()["voices_urls"]) == {"a", "b"}


@asynccontextmanager
async def run_subscriber(status: int = 200) -> AsyncIterator[tuple[str, list[Any]]]:
    """Run a server that stores the webhooks it receives."""
    app, received = FastAPI(), []

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        received.append(await request.json())
        return Response(status_code=status)

    async with serve_app(app) as url:
        yield f"{url}/hook", received


async def test_subscriptions_coexist_and_end(seller: httpx.AsyncClient) -> None:
    for url in ("http://one.test/a", "http://two.test/b", "http://one.test/a"):
        assert (await seller.post("/messenger/v3/webhook", json={"url": url})).json() == {
            "ok": True
        }
    await seller.post("/messenger/v1/webhook/unsubscribe", json={"url": "http://two.test/b"})

    listed = await seller.post("/messenger/v1/subscriptions")

    assert listed.json() == {"subscriptions": [{"url": "http://one.test/a", "version": "3"}]}
    assert (await seller.post("/messenger/v3/webhook", json={})).status_code == 400


async def test_subscriber_receives_a_message(seller: httpx.AsyncClient, avito: LocalAvito) -> None:
    message = avito.add_message("u2i-kia", "system", type="system", text="Заказ оформлен", at=NOW)
    async with run_subscriber(500) as (url, received):
        await seller.post("/messenger/v3/webhook", json={"url": url})

        deliveries = await avito.notify("u2i-kia", message.id)

    value = received[0]["payload"]["value"]
    assert [delivery.status for delivery in deliveries] == [500]
    assert received[0] == avito.webhook("u2i-kia", message.id)
    assert (value["chat_id"], value["author_id"], value["item_id"]) == ("u2i-kia", 1, 3014567801)
    assert value["published_at"] == "2026-11-22T15:00:00Z"


async def test_unreachable_subscriber_has_no_status(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    async with run_subscriber() as (url, _):
        await seller.post("/messenger/v3/webhook", json={"url": url})

    deliveries = await avito.notify("u2i-kia", avito.chat("u2i-kia").messages[0].id)

    assert [delivery.status for delivery in deliveries] == [None]
