"""The local Avito's list of chats and single chats."""

from datetime import timedelta
from typing import Any, Literal

import httpx
import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing, SandboxBuyer
from tests.support.sandbox import NOW


async def list_chats(seller: httpx.AsyncClient, avito: LocalAvito, **params: Any) -> dict[str, Any]:
    answer = await seller.get(
        f"/messenger/v2/accounts/{avito.accounts[0].user_id}/chats", params=params
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def list_ids(body: dict[str, Any]) -> list[str]:
    return [chat["id"] for chat in body["chats"]]


async def test_only_chats_about_listings_are_listed_by_default(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    assert list_ids(await list_chats(seller, avito)) == ["u2i-kia"]
    assert list_ids(await list_chats(seller, avito, chat_types="u2u")) == ["u2u-ann"]
    assert list_ids(await list_chats(seller, avito, chat_types="u2i,u2u")) == ["u2u-ann", "u2i-kia"]


async def test_new_activity_moves_a_chat_to_the_top(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.add_message("u2i-kia", "client", text="Ау", at=NOW)

    body = await list_chats(seller, avito, chat_types="u2i,u2u")

    assert list_ids(body) == ["u2i-kia", "u2u-ann"]
    assert (
        body["chats"][0]["updated"]
        == body["chats"][0]["last_message"]["created"]
        == int(NOW.timestamp())
    )


async def test_filters_by_listing_and_unread(seller: httpx.AsyncClient, avito: LocalAvito) -> None:
    other = avito.add_chat(item=AvitoListing(77, "Шкаф"), at=NOW)
    avito.add_message(other.id, "client", text="Размеры?", at=NOW)

    assert list_ids(await list_chats(seller, avito, item_ids="77,78")) == [other.id]
    assert list_ids(await list_chats(seller, avito, unread_only="true")) == [other.id]


async def test_pages_have_has_more_and_end_at_1100(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.add_synthetic_chats(1300, 1)

    pages = [
        await list_chats(seller, avito, limit=100, offset=offset) for offset in range(0, 1001, 100)
    ]

    assert len({chat_id for page in pages for chat_id in list_ids(page)}) == 1100
    assert [page["meta"] for page in pages] == [{"has_more": True}] * 11


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"offset": -1},
        {"offset": 1001},
        {"chat_types": "all"},
        {"item_ids": "one"},
    ],
)
async def test_out_of_range_value_is_a_400_that_names_the_field(
    seller: httpx.AsyncClient, avito: LocalAvito, params: dict[str, Any]
) -> None:
    answer = await seller.get(
        f"/messenger/v2/accounts/{avito.accounts[0].user_id}/chats", params=params
    )

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == list(params)


async def test_the_last_page_has_no_more_and_meta_can_be_absent(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    assert (await list_chats(seller, avito))["meta"] == {"has_more": False}

    avito.switches.has_more = False
    assert set(await list_chats(seller, avito)) == {"chats"}


async def test_chat_matches_the_document(seller: httpx.AsyncClient, avito: LocalAvito) -> None:
    answer = await seller.get(f"/messenger/v2/accounts/{avito.accounts[0].user_id}/chats/u2i-kia")

    chat = answer.json()
    assert chat["context"]["type"] == "item"
    assert (
        chat["context"]["value"] | {"id": 3014567801, "title": "Kia Rio 1.6 AT, 2019"}
        == chat["context"]["value"]
    )
    assert [(user["id"], user["name"]) for user in chat["users"]] == [
        (5300000001, "Марина"),
        (avito.accounts[0].user_id, avito.accounts[0].name),
    ]
    assert chat["last_message"]["direction"] == "out"
    assert chat["last_message"]["content"] == {"text": "Добрый день! Да, продаётся."}


async def test_an_unknown_chat_is_a_404_and_ids_may_be_percent_encoded(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    path = f"/messenger/v2/accounts/{avito.accounts[0].user_id}/chats/"
    avito.add_chat(chat_id="u2i-a~b", at=NOW)

    assert (await seller.get(path + "u2i-nobody")).status_code == 404
    assert (await seller.get(path + "u2i-a%7Eb")).json()["id"] == "u2i-a~b"


@pytest.mark.parametrize("key", ["context", "users", "last_message", "updated"])
async def test_any_key_can_be_missing(
    seller: httpx.AsyncClient, avito: LocalAvito, key: str
) -> None:
    assert key in (await list_chats(seller, avito))["chats"][0]

    avito.switches.drop_chat_keys = {key}
    assert key not in (await list_chats(seller, avito))["chats"][0]


async def test_titles_and_names_can_be_missing(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    avito.switches.empty_titles = True
    avito.switches.nameless_users = True

    chat = (await list_chats(seller, avito))["chats"][0]

    assert chat["context"]["value"]["title"] == ""
    assert all("name" not in user for user in chat["users"])


@pytest.mark.parametrize(("switch", "context"), [("absent", None), ("empty", {})])
async def test_chat_without_listing_has_no_context(
    seller: httpx.AsyncClient,
    avito: LocalAvito,
    switch: Literal["absent", "empty"],
    context: dict[str, Any] | None,
) -> None:
    avito.switches.u2u_context = switch

    assert (await list_chats(seller, avito, chat_types="u2u"))["chats"][0].get("context") == context


async def test_only_the_account_is_listed_without_a_buyer(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    alone = avito.add_chat(at=NOW)
    nameless = avito.add_chat(client=SandboxBuyer(5300000009), at=NOW - timedelta(seconds=1))

    body = (await list_chats(seller, avito))["chats"]

    assert [chat["id"] for chat in body[:2]] == [alone.id, nameless.id]
    assert [user["id"] for user in body[0]["users"]] == [avito.accounts[0].user_id]
    assert "last_message" not in body[0]
    assert "name" not in body[1]["users"][0]


async def test_a_message_written_between_two_pages_moves_the_chats(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    oldest = avito.add_synthetic_chats(4, 1)[-1]

    def drift(path: str, offset: int) -> None:
        if offset == 0:
            avito.add_message(oldest.id, "client", text="Ещё вопрос", at=NOW)

    avito.switches.after_page = drift
    pages = [
        list_ids(await list_chats(seller, avito, limit=2, offset=offset)) for offset in (0, 2, 4)
    ]

    assert oldest.id not in [chat_id for page in pages for chat_id in page]
    assert pages[0][1] == pages[1][0]


async def test_removed_chat_is_gone_and_two_accounts_may_share_an_id(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    second = avito.accounts[1]
    avito.add_chat(chat_id="u2i-kia", at=NOW, account=second)
    avito.add_message("u2i-kia", "client", text="Только второму", at=NOW, account=second)

    avito.remove_chat("u2i-kia", account=avito.accounts[0])

    assert list_ids(await list_chats(seller, avito)) == []
    assert [message.text for message in avito.chat("u2i-kia").messages] == ["Только второму"]
