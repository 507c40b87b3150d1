"""The `content` of messages of the local Avito, by type of message."""

from collections.abc import Callable
from typing import Any

from app.sandbox.avito_state import AvitoAccount, AvitoChat, AvitoMessage

SYSTEM_PREFIX = "[Системное сообщение]"

Json = dict[str, Any]


def build_content(account: AvitoAccount, chat: AvitoChat, message: AvitoMessage) -> Json:
    """Build the `content` of a message.

    It is empty for deleted messages and for types that the API does not support (appCall, file,
    video).
    """
    if message.content is not None:
        return message.content
    build = _CONTENTS.get(message.type)
    return build(account, chat, message) if build else {}


def _build_image(account: AvitoAccount, chat: AvitoChat, message: AvitoMessage) -> Json:
    sizes = ("1280x960", "640x480", "140x105", "32x32")
    return {
        "image": {
            "sizes": {
                size: f"https://img.k.avito.ru/chat/{size}/{message.id[:12]}.jpg" for size in sizes
            }
        }
    }


def _build_link(account: AvitoAccount, chat: AvitoChat, message: AvitoMessage) -> Json:
    text = message.text
    return {
        "link": {
            "text": text,
            "url": text,
            "preview": {"domain": "example.com", "title": text, "url": text},
        }
    }


def _build_item(account: AvitoAccount, chat: AvitoChat, message: AvitoMessage) -> Json:
    title = message.text or (chat.item.title if chat.item else "Объявление")
    return {
        "item": {
            "title": title,
            "item_url": "https://avito.ru/item_url",
            "image_url": "https://avito.ru/image_url.webp",
        }
    }


def _build_location(account: AvitoAccount, chat: AvitoChat, message: AvitoMessage) -> Json:
    return {
        "location": {
            "title": message.text,
            "text": message.text,
            "lat": 55.599799,
            "lon": 37.603954,
            "kind": "house",
        }
    }


_CONTENTS: dict[str, Callable[[AvitoAccount, AvitoChat, AvitoMessage], Json]] = {
    "text": lambda account, chat, message: {"text": message.text},
    "system": lambda account, chat, message: {
        "text": add_prefix(message.text),
        "flow_id": "seller_audience_discount",
    },
    "image": _build_image,
    "link": _build_link,
    "item": _build_item,
    "location": _build_location,
    "call": lambda account, chat, message: {
        "call": {"status": "missed", "target_user_id": account.user_id}
    },
    "voice": lambda account, chat, message: {"voice": {"voice_id": f"voice-{message.id}"}},
}


def add_prefix(text: str) -> str:
    """Return the text of a system message with its prefix."""
    return text if text.startswith(SYSTEM_PREFIX) else f"{SYSTEM_PREFIX} {text}"
