"""JSON bodies of the local Avito.

They follow its documents and recorded responses.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

from app.sandbox.avito_contents import add_prefix, build_content
from app.sandbox.avito_state import AvitoAccount, AvitoChat, AvitoListing, AvitoMessage
from app.sandbox.avito_switches import AvitoSwitches

PLAN_PLACEHOLDER = "Перейдите на подписку с API мессенджера, чтобы получить доступ к чатам"
DELETED_PLACEHOLDER = "Сообщение удалено"
UNSUPPORTED_PLACEHOLDER = "Сообщение не поддерживается. Пожалуйста, перейдите в Авито мессенджер"
UNSUPPORTED_TYPES = ("appCall", "file", "video")
TOKEN_EXPIRED = {"result": {"status": False, "message": "access token expired"}}
WEBHOOK_SYSTEM_AUTHOR_ID = 1  # 0 over REST

Json = dict[str, Any]


def build_chat_body(account: AvitoAccount, chat: AvitoChat, switches: AvitoSwitches) -> Json:
    """Build a chat; a missing value is a missing key."""
    body: Json = {
        "id": chat.id,
        "created": chat.created,
        "updated": chat.updated,
        "users": _build_users(account, chat, switches),
    }
    if chat.item is not None:
        body["context"] = {"type": "item", "value": _build_context(account, chat.item, switches)}
    elif switches.u2u_context == "empty":
        body["context"] = {}
    if chat.messages:
        body["last_message"] = _build_last_message(account, chat, switches)
    return _drop_keys(body, switches.drop_chat_keys)


def build_message_body(
    account: AvitoAccount, chat: AvitoChat, message: AvitoMessage, switches: AvitoSwitches
) -> Json:
    """Build a message of the messages endpoint."""
    body = _build_message_core(account, chat, message, switches)
    body[switches.read_flag] = message.read is not None
    if message.read is not None:
        body["read"] = message.read
    if message.quote is not None:
        quoted = _build_message_core(account, chat, message.quote, switches)
        body["quote"] = _drop_keys(quoted, {"direction"})
    return _drop_keys(body, switches.drop_message_keys)


def build_webhook_body(
    account: AvitoAccount, chat: AvitoChat, message: AvitoMessage, sent_at: datetime
) -> Json:
    """Build the body of a webhook about a message (version 3)."""
    value: Json = {
        "id": message.id,
        "chat_id": chat.id,
        "user_id": account.user_id,
        "author_id": (
            WEBHOOK_SYSTEM_AUTHOR_ID
            if message.side == "system"
            else get_author_id(account, chat, message)
        ),
        "created": message.created,
        "type": message.type,
        "chat_type": chat.chat_type,
        "content": build_content(account, chat, message),
        "published_at": datetime.fromtimestamp(message.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if chat.item is not None:
        value["item_id"] = chat.item.id
    if message.read is not None:
        value["read"] = message.read
    envelope_id = hashlib.sha256(f"webhook:{message.id}".encode()).hexdigest()[:32]
    return {
        "id": envelope_id,
        "version": "v3.0.0",
        "timestamp": int(sent_at.timestamp()),
        "payload": {"type": "message", "value": value},
    }


def build_listing_body(listing: AvitoListing) -> Json:
    """Build an entry of `GET /core/v1/items`. `price` is null if the listing has none."""
    amount = (listing.price_string or "").partition("₽")[0]
    digits = "".join(character for character in amount if character.isdecimal())
    return {
        "id": listing.id,
        "title": listing.title,
        "status": listing.status,
        "price": int(digits) if digits else None,
        "url": _build_listing_url(listing),
        "address": listing.address,
        "category": {"id": 111, "name": listing.category},
    }


def build_self_body(account: AvitoAccount) -> Json:
    """Build the response of `GET /core/v1/accounts/self`."""
    return {
        "id": account.user_id,
        "name": account.name,
        "email": f"shop{account.user_id}@example.com",
        "phone": "79990000000",
        "phones": ["79990000000"],
        "profile_url": f"https://avito.ru/user/{account.user_id}/profile",
    }


def get_author_id(
    account: AvitoAccount, chat: AvitoChat, message: AvitoMessage, system_author_id: int = 0
) -> int:
    """Return the author's id of a message.

    A buyer whom Avito does not include in `users` also has an id.
    """
    if message.side == "system":
        return system_author_id
    if message.side == "company":
        return account.user_id
    return chat.client.id if chat.client else 5_999_999_999


def _build_message_core(
    account: AvitoAccount, chat: AvitoChat, message: AvitoMessage, switches: AvitoSwitches
) -> Json:
    """Build the fields shared by a message, a chat's last message and a quote.

    The direction of a system message is "in".
    """
    shown = _find_shown_text(message, switches)
    return {
        "id": message.id,
        "author_id": get_author_id(account, chat, message, switches.system_author_id),
        "created": message.created,
        "direction": "out" if message.side == "company" else "in",
        "type": message.type if shown is None else "text",
        "content": build_content(account, chat, message) if shown is None else {"text": shown},
    }


def _find_shown_text(message: AvitoMessage, switches: AvitoSwitches) -> str | None:
    """Return the text of a message that is shown as an ordinary text though it is none."""
    if message.type == "system" and switches.system_as_text:
        return add_prefix(message.text)
    if message.type == "deleted" and switches.deleted_as_text:
        return DELETED_PLACEHOLDER
    if message.type in UNSUPPORTED_TYPES and switches.unsupported_as_text:
        return UNSUPPORTED_PLACEHOLDER
    return None


def _build_last_message(account: AvitoAccount, chat: AvitoChat, switches: AvitoSwitches) -> Json:
    last = chat.messages[-1]
    body = _build_message_core(account, chat, last, switches)
    if switches.plan_missing:
        body |= {"type": "text", "content": {"text": PLAN_PLACEHOLDER}}
    body |= {switches.read_flag: last.read is not None, "delivered": last.created}
    if last.read is not None:
        body["read"] = last.read
    return body


def _build_users(account: AvitoAccount, chat: AvitoChat, switches: AvitoSwitches) -> list[Json]:
    """Build the users of a chat: only the account if Avito does not name the buyer."""
    people = (
        [(account.user_id, account.name)]
        if chat.client is None
        else [(chat.client.id, chat.client.name), (account.user_id, account.name)]
    )
    return [
        _build_user(chat, user_id, None if switches.nameless_users else name)
        for user_id, name in people
    ]


def _build_user(chat: AvitoChat, user_id: int, name: str | None) -> Json:
    profile: Json = {
        "user_id": user_id,
        "url": f"https://avito.ru/user/{user_id}/profile",
        "avatar": {"default": "https://www.avito.st/stub_avatars/_/14_256x256.png"},
    }
    if chat.item is not None:
        profile["item_id"] = chat.item.id
    body: Json = {"id": user_id, "public_user_profile": profile, "parsing_allowed": True}
    return body if name is None else body | {"name": name}


def _build_context(account: AvitoAccount, listing: AvitoListing, switches: AvitoSwitches) -> Json:
    body: Json = {
        "id": listing.id,
        "title": "" if switches.empty_titles else listing.title,
        "url": _build_listing_url(listing),
        "user_id": account.user_id if listing.owner_id is None else listing.owner_id,
        "status_id": 10 if listing.status == "active" else 20,
        "images": {
            "count": 1,
            "main": {"140x105": f"https://img.k.avito.ru/140x105/{listing.id}.jpg"},
        },
        "location": {"title": "Москва", "lat": 55.599799, "lon": 37.603954},
    }
    if listing.price_string is not None:
        body["price_string"] = listing.price_string
    return _drop_keys(body, switches.drop_context_keys)


def _build_listing_url(listing: AvitoListing) -> str:
    return f"https://avito.ru/moskva/listing_{listing.id}"


def _drop_keys(body: Json, keys: set[str]) -> Json:
    return {key: value for key, value in body.items() if key not in keys}
