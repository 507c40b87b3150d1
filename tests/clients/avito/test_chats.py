"""Avito's lists of chats and listings: requests and parsed results."""

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from app.clients.avito import AvitoChat, AvitoClient, AvitoUnavailableError, parse_chat
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing, SandboxBuyer
from app.sandbox.faults import CannedResponse

OWN_ID = 4_900_000_001
BUYER_ID = 5_300_000_000_001
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def parse_chat_fields(**chat: Any) -> AvitoChat:
    parsed = parse_chat({"id": "u2i-1", **chat}, own_id=OWN_ID)
    assert parsed is not None
    return parsed


async def test_self_is_the_account_of_the_keys(avito: AvitoClient) -> None:
    account = await avito.get_self()
    assert (account.id, account.name) == (OWN_ID, "Лавка на Садовой")


async def test_chat_has_its_listing_its_buyer_and_its_last_message(
    avito: AvitoClient, chat_id: str
) -> None:
    page = await avito.list_chats(OWN_ID)
    (chat,) = page.chats
    assert (chat.id, chat.chat_type, chat.created_at, chat.updated_at) == (
        chat_id,
        "u2i",
        NOON,
        NOON,
    )
    assert (chat.item_id, chat.item_title, chat.price) == (
        3_014_567_801,
        "Kia Rio 1.6 AT, 2019",
        "1 350 000 ₽",
    )
    assert chat.item_url == "https://avito.ru/moskva/listing_3014567801"
    assert chat.item_owner_id == OWN_ID
    assert (chat.client_id, chat.client_name, chat.client_url) == (
        BUYER_ID,
        "Марина",
        f"https://avito.ru/user/{BUYER_ID}/profile",
    )
    assert chat.last_message is not None
    assert (chat.last_message.text, chat.last_message.direction) == ("Добрый день!\nЕсть.", "out")
    assert chat.raw["context"]["value"]["location"]["title"] == "Москва"
    assert (page.has_more, page.unreadable) == (False, 0)
    assert await avito.get_chat(OWN_ID, chat_id) == chat


@pytest.mark.parametrize("key", ["context", "users", "last_message", "updated", "created"])
async def test_chat_with_a_missing_key_is_parsed(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str, key: str
) -> None:
    local_avito.switches.drop_chat_keys = {key}
    (chat,) = (await avito.list_chats(OWN_ID)).chats
    values: dict[str, list[object]] = {
        "context": [chat.item_id, chat.item_title, chat.item_url, chat.item_owner_id, chat.price],
        "users": [chat.client_id, chat.client_name, chat.client_url],
        "last_message": [chat.last_message],
        "updated": [chat.updated_at],
        "created": [chat.created_at],
    }
    assert [name for name, fields in values.items() if fields == [None] * len(fields)] == [key]
    assert (chat.id, chat.chat_type) == (chat_id, "u2i")


async def test_empty_title_and_nameless_buyer_are_missing_values(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str
) -> None:
    local_avito.switches.empty_titles = local_avito.switches.nameless_users = True
    (chat,) = (await avito.list_chats(OWN_ID)).chats
    assert (chat.item_title, chat.client_name, chat.client_id) == (None, None, BUYER_ID)


async def test_buyer_is_none_if_only_the_account_is_listed(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.add_chat(item=AvitoListing(1, "Диван"))
    (chat,) = (await avito.list_chats(OWN_ID)).chats
    assert (chat.client_id, chat.client_name) == (None, None)


@pytest.mark.parametrize("context", ["absent", "empty"])
async def test_chat_between_users_has_no_listing(
    avito: AvitoClient, local_avito: LocalAvito, context: Any
) -> None:
    local_avito.switches.u2u_context = context
    local_avito.add_chat(chat_type="u2u", client=SandboxBuyer(BUYER_ID, "Олег"))
    (chat,) = (await avito.list_chats(OWN_ID)).chats
    assert (chat.chat_type, chat.item_id, chat.client_name) == ("u2u", None, "Олег")


async def test_owner_of_a_foreign_listing_is_not_the_account(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.add_chat(item=AvitoListing(1, "Диван", owner_id=BUYER_ID))
    (chat,) = (await avito.list_chats(OWN_ID)).chats
    assert chat.item_owner_id == BUYER_ID
    assert (await avito.list_items(1)).items == (), "it is not listed among the account's"


@pytest.mark.parametrize(
    "value", [None, "", "avito", 0, 1, -5, 1.5, True, 2**70, [BUYER_ID], {"id": BUYER_ID}]
)
def test_malformed_owner_is_missing(value: object) -> None:
    context = {"type": "item", "value": {"id": 7, "user_id": value}}
    assert parse_chat_fields(context=context).item_owner_id is None


def test_chat_type_from_prefix_filter_or_listing() -> None:
    item = {"context": {"type": "item", "value": {"id": 7}}}
    assert parse_chat_fields(id="a2u-x").chat_type == "a2u"
    assert parse_chat_fields(id="odd", **item).chat_type == "u2i"
    assert parse_chat_fields(id="odd").chat_type == "u2u"
    filtered = parse_chat({"id": "odd", **item}, own_id=OWN_ID, asked_types=["a2u"])
    assert filtered is not None
    assert filtered.chat_type == "a2u"


@pytest.mark.parametrize("value", [None, "soon", -5, 10**30, True, {}, []])
def test_wrong_values_count_as_missing(value: object) -> None:
    chat = parse_chat_fields(
        created=value,
        updated=value,
        context={"type": "item", "value": {"id": value if value != -5 else "x", "title": 5}},
        users=value,
    )
    assert (chat.created_at, chat.updated_at, chat.item_id, chat.item_title, chat.client_id) == (
        None,
    ) * 5


@pytest.mark.parametrize("bad", [{}, {"id": ""}, {"id": None}, "text", None, 5])
async def test_chat_without_id_is_counted_and_others_are_kept(
    avito: AvitoClient, local_avito: LocalAvito, bad: object
) -> None:
    local_avito.switches.fail(
        CannedResponse(200, {"chats": [{"id": "u2i-1"}, bad, {"id": 17}]}), path="/chats"
    )
    page = await avito.list_chats(OWN_ID, limit=3)
    assert [chat.id for chat in page.chats] == ["u2i-1", "17"]
    assert page.unreadable == 1
    assert page.has_more is True  # a full page, unreadable elements included


@pytest.mark.parametrize("has_meta", [True, False])
async def test_has_more_or_else_a_short_page_marks_the_last(
    avito: AvitoClient, local_avito: LocalAvito, has_meta: bool
) -> None:
    chat, *_ = local_avito.add_synthetic_chats(4, messages=4)
    local_avito.switches.has_more = has_meta
    assert [
        (await avito.list_chats(OWN_ID, limit=3, offset=offset)).has_more for offset in (0, 3)
    ] == [True, False]
    assert [
        (await avito.list_messages(OWN_ID, chat.id, limit=3, offset=offset)).has_more
        for offset in (0, 3)
    ] == [True, False]
    # The last page is full: only `has_more` shows that it is the last.
    assert (await avito.list_chats(OWN_ID, limit=2, offset=2)).has_more is not has_meta
    assert (await avito.list_messages(OWN_ID, chat.id, limit=2, offset=2)).has_more is not has_meta


async def test_empty_page_with_has_more_is_not_the_end(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(
        CannedResponse(200, {"chats": [], "meta": {"has_more": True}}), path="/chats"
    )
    assert (await avito.list_chats(OWN_ID)).has_more is True


async def test_response_without_its_list_is_an_error(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(CannedResponse(200, {"ok": True}), path="/chats")
    with pytest.raises(AvitoUnavailableError):
        await avito.list_chats(OWN_ID)


async def test_filters_and_offsets_are_sent(avito: AvitoClient, local_avito: LocalAvito) -> None:
    await avito.list_chats(
        OWN_ID, limit=7, offset=21, chat_types=("u2i", "a2u"), unread_only=True, item_ids=(11, 12)
    )
    request = local_avito.requests[-1]
    assert request.path == f"/messenger/v2/accounts/{OWN_ID}/chats"
    expected = {
        "limit": ["7"],
        "offset": ["21"],
        "chat_types": ["u2i,a2u"],
        "unread_only": ["true"],
        "item_ids": ["11,12"],
    }
    assert request.query == expected


async def test_chats_between_users_are_requested_by_default(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    await avito.list_chats(OWN_ID)
    assert local_avito.requests[-1].query["chat_types"] == ["u2i,u2u"]


async def test_chat_ids_are_encoded_in_paths(
    avito: AvitoClient, local_avito: LocalAvito, shared_server: Any
) -> None:
    raw_paths: list[bytes] = []

    async def record_path(scope: Scope, receive: Receive, send: Send) -> None:
        raw_paths.append(scope["raw_path"])
        await local_avito.app(scope, receive, send)

    shared_server.app = record_path
    local_avito.switches.fail(CannedResponse(200, {"id": "u2i-x"}), path="/chats/")
    local_avito.switches.fail(CannedResponse(200, []), path="/chats/")
    await avito.get_chat(OWN_ID, "u2i-a~b/c?d%e#ё")
    await avito.list_messages(OWN_ID, "u2i-a~b/c?d%e#ё")
    encoded = b"u2i-a%7Eb%2Fc%3Fd%25e%23%D1%91"
    assert raw_paths[1] == b"/messenger/v2/accounts/4900000001/chats/" + encoded
    assert raw_paths[2] == b"/messenger/v3/accounts/4900000001/chats/" + encoded + b"/messages/"


async def test_a_chat_with_a_tilde_is_found(avito: AvitoClient, local_avito: LocalAvito) -> None:
    chat = local_avito.add_chat(chat_id="u2i-1R3~x_Y")
    local_avito.add_message(chat.id, "client", text="Добрый день")
    assert (await avito.get_chat(OWN_ID, chat.id)).id == chat.id
    assert len((await avito.list_messages(OWN_ID, chat.id)).messages) == 1


async def test_listings_of_every_state_come_in_pages(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    for number, status in enumerate(["active", "old", "removed", "blocked", "rejected"]):
        local_avito.accounts[0].listings[number] = AvitoListing(
            number, f"Товар {number}", status=status
        )
    first = await avito.list_items(1, per_page=3)
    second = await avito.list_items(2, per_page=3)
    assert [(item.id, item.title, item.status) for item in first.items] == [
        (0, "Товар 0", "active"),
        (1, "Товар 1", "old"),
        (2, "Товар 2", "removed"),
    ]
    assert [item.id for item in second.items] == [3, 4]
    assert (first.has_more, second.has_more) == (True, False)


async def test_reading_marks_nothing_as_read(avito: AvitoClient, local_avito: LocalAvito) -> None:
    chat = local_avito.add_chat(client=SandboxBuyer(BUYER_ID))
    local_avito.add_message(chat.id, "client", text="Ещё продаёте?")
    await avito.list_chats(OWN_ID)
    await avito.get_chat(OWN_ID, chat.id)
    await avito.list_messages(OWN_ID, chat.id)
    assert chat.unread
    assert {
        (request.method, request.path)
        for request in local_avito.requests
        if request.method != "GET"
    } == {("POST", "/token")}
