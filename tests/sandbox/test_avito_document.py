"""The local Avito against Avito's documents.

Any difference is a deviation, and each deviation names the recording that supports it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing
from app.sandbox.avito_switches import SERVER_ERROR, UNAVAILABLE, AvitoSwitches, too_many
from tests.support.avito_document import DOCUMENT, list_deviations
from tests.support.sandbox import NOW

ACCOUNT = "/core/v1/accounts/self"
ITEMS = "/core/v1/items"
CHATS = "/messenger/v2/accounts/{user_id}/chats"
CHAT = f"{CHATS}/{{chat_id}}"
MESSAGES = "/messenger/v3/accounts/{user_id}/chats/{chat_id}/messages/"
VOICES = "/messenger/v1/accounts/{user_id}/getVoiceFiles"
READ = "/messenger/v1/accounts/{user_id}/chats/{chat_id}/read"
SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE = (
    "/messenger/v3/webhook",
    "/messenger/v1/subscriptions",
    "/messenger/v1/webhook/unsubscribe",
)

# Known facts about the real Avito, in the words of those who recorded them. The sandbox may have no
# other differences.
BAD_CREDENTIALS = "Bad credentials answer HTTP 200 with {error, error_description} [seen]"
EXPIRED = (
    'An expired token: body {"result":{"status":false,"message":"access token expired"}} [seen]'
)
LARGE_IDS = "Ids exceed 32 bits"
META = "the document omits `meta`; a bare array by the document, {messages, meta} in reality [seen]"
READ_FLAGS = (
    "`is_read` or `isRead`, `read`; in the chat `last_message {isRead, read, delivered}` [seen]"
)
CONTEXT = (
    "context {type, value {id, title, price_string, url, user_id, status_id, images, location}}"
    " [seen]"
)
USERS = "users [{id, name, public_user_profile, parsing_allowed}] [seen]"
TYPES = (
    "and `appCall`, `file`, `video` with empty content; the list is open: an unknown type is stored"
    " with its raw content"
)
FLAT_402 = (
    'messages answer 402 ({"error":{"code":402,"message"}} or flat {"code":402,"message"}) [seen]'
)

DEVIATIONS = {
    "POST /token 200 .error unknown": BAD_CREDENTIALS,
    "POST /token 200 .error_description unknown": BAD_CREDENTIALS,
    f"GET {ACCOUNT} 200 .id int32": LARGE_IDS,
    f"GET {ITEMS} 200 .resources[].id int32": LARGE_IDS,
    **{
        f"GET {path} {status} .result unknown": EXPIRED
        for path, status in ((ACCOUNT, 401), (CHATS, 401), (CHATS, 403))
    },
    f"GET {CHATS} 200 .meta unknown": META,
    f"GET {MESSAGES} 200 . object": META,
    **{
        f"GET {path} 200 {chat}{fault}": fact
        for path, chat in ((CHATS, ".chats[]"), (CHAT, ""))
        for fault, fact in {
            ".users[].id int32": LARGE_IDS,
            ".users[].public_user_profile.user_id int32": LARGE_IDS,
            ".users[].public_user_profile.item_id int32": LARGE_IDS,
            ".context.value.id int32": LARGE_IDS,
            ".context.value.user_id int32": LARGE_IDS,
            ".last_message.author_id int32": LARGE_IDS,
            ".users[].parsing_allowed unknown": USERS,
            ".context.value.location unknown": CONTEXT,
            ".last_message.isRead unknown": READ_FLAGS,
            ".last_message.is_read unknown": READ_FLAGS,
            ".last_message.read unknown": READ_FLAGS,
            ".last_message.delivered unknown": READ_FLAGS,
        }.items()
    },
    f"GET {MESSAGES} 200 [].isRead unknown": READ_FLAGS,
    **{
        f"GET {MESSAGES} 200 [].type {kind}": TYPES
        for kind in ("file", "video", "appCall", "sticker")
    },
    f"GET {MESSAGES} 200 [].content.sticker unknown": TYPES,
    "POST <subscriber> 200 .payload.value.type sticker": TYPES,
    "POST <subscriber> 200 .payload.value.content.sticker unknown": TYPES,
    f"GET {MESSAGES} 402 .code unknown": FLAT_402,
    f"GET {MESSAGES} 402 .message unknown": FLAT_402,
}


@dataclass
class Reader:
    """Requests the local Avito and checks every response against the documents."""

    http: httpx.AsyncClient
    avito: LocalAvito
    deviations: set[str] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)

    @property
    def switches(self) -> AvitoSwitches:
        return self.avito.switches

    async def get(
        self, path: str, expected: int = 200, /, *, chat_id: str = "u2i-kia", **params: Any
    ) -> Any:
        return await self.send("GET", path, expected, chat_id=chat_id, params=params)

    async def send(
        self,
        method: str,
        path: str,
        expected: int = 200,
        /,
        *,
        chat_id: str = "u2i-kia",
        **request: Any,
    ) -> Any:
        answer = await self.http.request(
            method, path.format(user_id=self.avito.accounts[0].user_id, chat_id=chat_id), **request
        )
        assert answer.status_code == expected, answer.text
        self.check(f"{method} {path}", expected, answer.json())
        return answer.json()

    def check(self, operation: str, status: int, body: Any) -> None:
        documented = DOCUMENT["operations"][operation]
        schema = (
            documented.get(str(status))
            or documented.get("default")
            or DOCUMENT["errors"][str(status)]
        )
        self.answers.add(f"{operation} {status}")
        self.deviations |= {
            f"{operation} {status} {fault}" for fault in list_deviations(schema, body)
        }
        if isinstance(body, dict) and operation.endswith("/messages/") and status == 200:
            self.deviations |= {
                f"{operation} {status} {fault}"
                for fault in list_deviations(schema, body["messages"])
            }


async def _read_access(reader: Reader) -> None:
    account = reader.avito.accounts[0]
    form = {
        "grant_type": "client_credentials",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
    }
    for changed in ({}, {"client_secret": "wrong"}, {"grant_type": "password"}):
        await reader.send("POST", "/token", data={**form, **changed})
    await reader.get(ACCOUNT)
    for path, user_id in ((ACCOUNT, None), (CHATS, account.user_id)):
        bare = await reader.http.get(path.format(user_id=user_id), headers={"Authorization": ""})
        reader.check(f"GET {path}", 401, bare.json())
    stranger = await reader.http.get(CHATS.format(user_id=reader.avito.accounts[1].user_id))
    reader.check(f"GET {CHATS}", 403, stranger.json())


async def _read_listings(reader: Reader) -> None:
    for number, status in enumerate(("active", "old", "removed", "blocked", "rejected")):
        reader.avito.accounts[0].listings[number] = AvitoListing(
            number, f"Товар {number}", "1 000 ₽" if number else None, status
        )
    assert (
        len((await reader.get(ITEMS, status="active,old,removed,blocked,rejected"))["resources"])
        == 6
    )
    await reader.get(ITEMS, 400, per_page=100)


async def _read_chats(reader: Reader) -> None:
    await reader.send("POST", READ, chat_id="u2u-ann")
    # No buyer, no price, no message.
    reader.avito.add_chat(chat_id="u2i-new", item=AvitoListing(5, "Шкаф"), at=NOW)
    notice = reader.avito.add_chat(chat_type="a2u", at=NOW)
    reader.avito.add_message(
        notice.id, "system", type="system", text="Ваш отзыв опубликован", at=NOW
    )
    for change in (
        {},
        {"read_flag": "is_read"},
        {"empty_titles": True, "nameless_users": True},
        {"u2u_context": "empty"},
    ):
        for name, value in change.items():
            setattr(reader.switches, name, value)
        listed = await reader.get(CHATS, chat_types="u2i,u2u,a2u")
        assert len(listed["chats"]) == 4
        for chat in listed["chats"]:
            await reader.get(CHAT, chat_id=chat["id"])
    reader.switches.drop_chat_keys = {"context", "users", "last_message", "updated", "created"}
    await reader.get(CHATS)
    reader.switches.drop_chat_keys = set()
    await reader.get(CHATS, 400, limit=101)
    await reader.get(CHAT, 404, chat_id="u2i-nobody")
    await reader.get(VOICES, voice_ids="a,b")


async def _read_messages(reader: Reader) -> None:
    avito = reader.avito
    kinds = (
        "text",
        "image",
        "link",
        "item",
        "location",
        "call",
        "voice",
        "system",
        "deleted",
        "file",
        "video",
        "appCall",
    )
    for place, kind in enumerate(kinds):
        at = NOW + timedelta(minutes=place)
        avito.add_message(
            "u2i-kia",
            "system" if kind == "system" else "client",
            type=kind,
            text="Тула, улица Мира, 2",
            at=at,
        )
    avito.add_message("u2i-kia", "client", type="sticker", content={"sticker": {"id": 7}}, at=NOW)
    question = avito.chat("u2i-kia").messages[0]
    avito.add_message("u2i-kia", "company", text="Да", quote=question, at=NOW)
    reader.switches.read_flag = "isRead"
    found = await reader.get(MESSAGES)
    assert {message["type"] for message in found["messages"]} == {*kinds, "sticker"}
    reader.switches.messages_as = "array"
    await reader.get(MESSAGES)
    reader.switches.read_flag, reader.switches.system_as_text = "is_read", True
    await reader.get(MESSAGES)
    await reader.get(MESSAGES, 400, offset=1001)
    await reader.get(MESSAGES, 404, chat_id="u2i-nobody")
    avito.accounts[0].employee = True
    await reader.get(MESSAGES, 403)
    avito.accounts[0].employee = False
    for shape in ("nested", "flat"):
        reader.switches.plan_missing = shape
        await reader.get(MESSAGES, 402)
        await reader.get(CHATS)


async def _read_webhooks(reader: Reader) -> None:
    await reader.send("POST", SUBSCRIBE, json={"url": "http://one.test/a"})
    await reader.send("POST", SUBSCRIPTIONS)
    await reader.send("POST", UNSUBSCRIBE, json={"url": "http://one.test/a"})
    await reader.send("POST", SUBSCRIBE, 400, json={})
    avito = reader.avito
    avito.add_message("u2i-kia", "client", type="appCall", at=NOW)
    avito.add_message("u2u-ann", "system", type="system", text="Заказ оформлен", at=NOW)
    for chat in avito.accounts[0].chats.values():
        for message in chat.messages:
            reader.check("POST <subscriber>", 200, avito.webhook(chat.id, message.id))


async def _read_outages(reader: Reader) -> None:
    for answer in (SERVER_ERROR, UNAVAILABLE):
        reader.switches.fail(answer)
        await reader.get(CHATS, answer.status)
    reader.switches.fail(too_many("7", remaining=0))
    # The only 429 in the documents; it has headers and no body.
    limited = await reader.http.get(ITEMS)
    assert (
        limited.status_code,
        limited.headers["X-RateLimit-Limit"],
        limited.headers["X-RateLimit-Remaining"],
    ) == (429, "25", "0")
    for status in (401, 403):
        reader.switches.expired_status = status
        reader.avito.expire_tokens()
        await reader.get(CHATS, status)


async def test_responses_match_the_documents_except_recorded_deviations(
    seller: httpx.AsyncClient, avito: LocalAvito
) -> None:
    """An unrecorded difference fails; so does a recorded one that the sandbox no longer has."""
    reader = Reader(seller, avito)
    readings: list[Callable[[Reader], Awaitable[None]]] = [
        _read_access,
        _read_listings,
        _read_chats,
        _read_messages,
        _read_webhooks,
        _read_outages,
    ]
    for reading in readings:
        await reading(reader)
    assert sorted(reader.deviations - set(DEVIATIONS)) == []
    assert sorted(set(DEVIATIONS) - reader.deviations) == []
    assert {answer.rpartition(" ")[0] for answer in reader.answers} == set(DOCUMENT["operations"])
    assert {answer.rpartition(" ")[2] for answer in reader.answers} == {"200", *DOCUMENT["errors"]}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"chats": [{"id": 5}]}, ".chats[].id type"),
        ({"chats": [{"colour": "red"}]}, ".chats[].colour unknown"),
        ({"chats": [{"created": 2**31}]}, ".chats[].created int32"),
        ([], ". other"),
    ],
)
def test_deviation_from_the_documents_is_found(body: object, fault: str) -> None:
    assert list_deviations(DOCUMENT["operations"][f"GET {CHATS}"]["200"], body) == {fault}
