"""For any response, a client returns storable values or raises its own error.

It reads no more than the size limit.
"""

import gzip
import json
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.clients.avito import AvitoClient, AvitoUnreadableError
from app.clients.deepseek import DeepSeekClient, DeepSeekError, DeepSeekUnreadableError
from app.clients.text import read_json, shorten
from app.errors import UpstreamError
from app.sandbox.avito import LocalAvito
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse
from tests.support.deepseek_prompts import request_completion
from tests.support.hostile_json import (
    ANY_LITERAL,
    LITERALS,
    Spoiler,
    assert_storable,
    list_paths,
    replace_value,
)
from tests.support.shared_server import SharedServer

OWN_ID = 4_900_000_001
FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

AVITO: dict[str, tuple[str, Callable[[AvitoClient, str], Awaitable[Any]]]] = {
    "chats": ("/chats", lambda client, _: client.list_chats(OWN_ID)),
    "chat": ("/chats/", lambda client, chat_id: client.get_chat(OWN_ID, chat_id)),
    "messages": ("/messages/", lambda client, chat_id: client.list_messages(OWN_ID, chat_id)),
    "items": ("/items", lambda client, _: client.list_items(1)),
    "self": ("/self", lambda client, _: client.get_self()),
    "webhooks": ("/subscriptions", lambda client, _: client.list_webhooks()),
    "token": ("/token", lambda client, _: client.get_self()),
}


def list_strings(value: Any) -> list[str]:
    """Return all strings in a client's result."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in list_strings(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in list_strings(part)]
    slots = getattr(value, "__dataclass_fields__", {})
    return [text for name in slots for text in list_strings(getattr(value, name))]


@FUZZ
@given(data=st.data())
async def test_any_value_in_avitos_responses(
    shared_server: SharedServer,
    local_avito: LocalAvito,
    make_avito: Callable[..., AvitoClient],
    chat_id: str,
    data: st.DataObject,
) -> None:
    part, call = AVITO[data.draw(st.sampled_from(sorted(AVITO)))]
    literal = data.draw(ANY_LITERAL)

    def spoil(path: str, body: Any) -> str | None:
        is_meant = part in path if part != "/chats" else path.endswith(part)
        return (
            replace_value(body, data.draw(st.sampled_from(list(list_paths(body)))), literal)
            if is_meant
            else None
        )

    shared_server.app = Spoiler(local_avito.app, spoil)
    try:
        result = await call(make_avito(), chat_id)
    except UpstreamError as error:
        assert_storable(error.message)
    else:
        for text in list_strings(result):
            assert_storable(text)


@FUZZ
@given(data=st.data())
async def test_any_value_in_deepseeks_responses(
    shared_server: SharedServer,
    local_deepseek: LocalDeepSeek,
    deepseek: DeepSeekClient,
    data: st.DataObject,
) -> None:
    calls: list[Callable[[DeepSeekClient], Awaitable[Any]]] = [
        request_completion,
        DeepSeekClient.get_balance,
        DeepSeekClient.get_models,
    ]
    call = data.draw(st.sampled_from(calls))
    literal = data.draw(ANY_LITERAL)
    shared_server.app = Spoiler(
        local_deepseek.app,
        lambda _, body: replace_value(
            body, data.draw(st.sampled_from(list(list_paths(body)))), literal
        ),
    )
    try:
        answer = await call(deepseek)
    except DeepSeekError as error:
        assert_storable(error.message)
        return
    for text in list_strings(answer):
        assert_storable(text)
    if call is request_completion:
        assert len(answer.model) <= 100
        assert len(answer.fingerprint or "") <= 100
        assert all(
            0 <= tokens < 2**31
            for tokens in (
                answer.usage.prompt_hit_tokens,
                answer.usage.prompt_miss_tokens,
                answer.usage.completion_tokens,
            )
        )


@pytest.mark.parametrize("literal", LITERALS.values(), ids=LITERALS)
async def test_unstorable_element_does_not_affect_others(
    shared_server: SharedServer,
    local_avito: LocalAvito,
    avito: AvitoClient,
    chat_id: str,
    literal: str,
) -> None:
    other = local_avito.add_chat()
    local_avito.add_message(other.id, "client", text="Здравствуйте")

    def spoil(path: str, body: Any) -> str | None:
        if not path.endswith("/chats"):
            return None
        place = next(number for number, chat in enumerate(body["chats"]) if chat["id"] == chat_id)
        return replace_value(body, ("chats", place), literal)

    shared_server.app = Spoiler(local_avito.app, spoil)
    page = await avito.list_chats(OWN_ID)
    assert other.id in [chat.id for chat in page.chats]
    assert len(page.chats) + page.unreadable == 2


async def test_names_titles_and_ids_are_bounded(
    shared_server: SharedServer, local_avito: LocalAvito, avito: AvitoClient, chat_id: str
) -> None:
    def spoil(path: str, body: Any) -> str | None:
        if path.endswith("/chats"):
            body["chats"][0]["users"] = [{"id": 1, "name": "Ы" * 199 + "е\u0308" + "Ы" * 100_000}]
            body["chats"][0]["context"]["value"]["title"] = "Диван " * 1_000
        if path.endswith("/messages/"):
            body["messages"][0]["id"] = "m" * 1_000_000
        return json.dumps(body)

    shared_server.app = Spoiler(local_avito.app, spoil)
    (chat,) = (await avito.list_chats(OWN_ID)).chats
    assert chat.client_name == "Ы" * 199
    assert chat.item_title
    assert 190 <= len(chat.item_title) <= 200
    page = await avito.list_messages(OWN_ID, chat_id)
    assert (len(page.messages), page.unreadable) == (1, 1)


def test_text_is_cut_between_visible_characters() -> None:
    family, flag = "👨\u200d👩\u200d👧", "🇷🇺"
    assert shorten("аб" + family, 4) == "аб"
    assert shorten("аб" + flag, 3) == "аб"
    assert shorten("аб👍🏽в", 3) == "аб"
    assert shorten("абв", 3) == "абв"
    assert len(shorten("\u0301" * 500, 200)) == 200


def test_deeply_nested_values_become_none() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert (
        read_json(f'{{"a": {deep}, "b": "]}}\\"", "c": [1, {deep}, 2], "d": {"9" * 5_000}}}')["b"]
        == ']}"'
    )
    with pytest.raises(ValueError, match="Expecting"):
        read_json("[" * 100_000)


BOMB = gzip.compress(b" " * 200_000_000)


def encode_response(body: bytes, encoding: str) -> CannedResponse:
    """Build a response with a Content-Encoding, as a proxy may send it."""
    return CannedResponse(
        200,
        body.decode("latin-1"),
        {"Content-Encoding": encoding},
        "application/json; charset=latin-1",
    )


@pytest.mark.parametrize(
    "fault",
    [
        encode_response(BOMB, "gzip"),
        encode_response(b"{}", "br"),
        encode_response(b"{}", "gzip"),
        CannedResponse(200, " " * 30_000_000),
    ],
)
async def test_large_or_wrongly_encoded_response_is_not_read_to_its_end(
    shared_server: SharedServer,
    make_avito: Callable[..., AvitoClient],
    deepseek: DeepSeekClient,
    fault: CannedResponse,
) -> None:
    local_avito, local_deepseek = LocalAvito(), LocalDeepSeek(api_key="sk-canary-key")
    local_avito.switches.fail(fault, path="/self", times=None)
    local_deepseek.switches.fail(fault, times=None)
    tracemalloc.start()
    shared_server.app = local_avito.app
    with pytest.raises(AvitoUnreadableError):
        await make_avito().get_self()
    shared_server.app = local_deepseek.app
    with pytest.raises(DeepSeekUnreadableError):
        await request_completion(deepseek)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150_000_000  # includes the servers' own copies of the response
    assert len(local_deepseek.requests) == 1
