"""State of the local Avito: accounts with listings, chats and messages.

Tests may change these plain objects while the server runs.
"""

import bisect
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.sandbox.catalogue import Dialogue, Side


@dataclass
class AvitoListing:
    """A listing; `status` is active, old, removed, blocked or rejected.

    `owner_id` is another account's user id in a chat in which the account is the buyer. None: the
    listing is the account's own.
    """

    id: int
    title: str
    price_string: str | None = None
    status: str = "active"
    owner_id: int | None = None
    category: str = "Разное"
    address: str = "Москва, Садовая улица, 5"


@dataclass
class SandboxBuyer:
    """The buyer of a chat. User ids exceed 32 bits; the name may be missing."""

    id: int
    name: str | None = None


@dataclass
class AvitoMessage:
    """A message. `created` and `read` are Unix seconds.

    `content` replaces the content derived from the type, for unknown types.
    """

    id: str
    side: Side
    type: str
    created: int
    text: str = ""
    read: int | None = None
    content: dict[str, Any] | None = None
    quote: "AvitoMessage | None" = None


@dataclass
class AvitoChat:
    """A chat with its messages, oldest first.

    Within a second, messages are in the order of writing. `created` is Unix seconds.
    """

    id: str
    chat_type: str
    created: int
    item: AvitoListing | None = None
    client: SandboxBuyer | None = None
    messages: list[AvitoMessage] = field(default_factory=list)

    @property
    def updated(self) -> int:
        """Avito's `updated`: the `created` of the last message."""
        return self.messages[-1].created if self.messages else self.created

    @property
    def unread(self) -> bool:
        """Whether the company has not yet opened a message of the buyer."""
        return any(message.side == "client" and message.read is None for message in self.messages)

    def add(self, message: AvitoMessage) -> None:
        """Insert a message by its time.

        The other side's earlier messages become read.
        """
        place = bisect.bisect_right(self.messages, message.created, key=lambda known: known.created)
        self.messages.insert(place, message)
        if message.side != "system":
            for earlier in self.messages[:place]:
                if earlier.side not in (message.side, "system") and earlier.read is None:
                    earlier.read = message.created

    def message(self, message_id: str) -> AvitoMessage:
        """Return the message with that id. Raises KeyError if there is none."""
        for message in self.messages:
            if message.id == message_id:
                return message
        raise KeyError(message_id)


@dataclass
class AvitoAccount:
    """A seller's account with the credentials of its API key.

    The key of an `employee` gets no listings, and its requests for messages are refused, as in
    Avito for the company's chats.
    """

    client_id: str
    client_secret: str
    user_id: int
    name: str
    employee: bool = False
    chats: dict[str, AvitoChat] = field(default_factory=dict)
    listings: dict[int, AvitoListing] = field(default_factory=dict)
    webhooks: list[str] = field(default_factory=list)

    def put(self, chat: AvitoChat) -> AvitoChat:
        """Add a chat and its listing, if the listing is the account's."""
        self.chats[chat.id] = chat
        if chat.item is not None and chat.item.owner_id in (None, self.user_id):
            self.listings[chat.item.id] = chat.item
        return chat


def numbered_account(number: int) -> AvitoAccount:
    """Create the sandbox's account with that number, counted from 1."""
    name = "Лавка на Садовой" if number == 1 else f"Лавка на Садовой, филиал {number}"
    return AvitoAccount(
        f"sandbox-client-{number}", f"sandbox-secret-{number}", 4_900_000_000 + number, name
    )


def hash_id(*parts: object) -> str:
    """Return 32 hexadecimal digits derived from the parts.

    They are equal at every start and as long as Avito's own message ids.
    """
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()[:32]


def build_chat_id(chat_type: str, key: str) -> str:
    """Return a chat id in Avito's format; like some real ones it contains a `~`."""
    digits = hash_id("chat", key)
    return f"{chat_type}-{digits[:11]}~{digits[11:22]}"


def build_chat(dialogue: Dialogue, now: datetime) -> AvitoChat:
    """Build a chat from a dialogue.

    Its last message is written `ended_minutes_ago` minutes before `now`.
    """
    ended = now - timedelta(minutes=dialogue.ended_minutes_ago)
    moments = list(_compute_times(ended, [message.gap for message in dialogue.messages]))
    chat = AvitoChat(
        id=build_chat_id(dialogue.chat_type, dialogue.key),
        chat_type=dialogue.chat_type,
        created=moments[0] if moments else int(ended.timestamp()),
        item=AvitoListing(dialogue.item.id, dialogue.item.title, dialogue.item.price_string)
        if dialogue.item
        else None,
        client=SandboxBuyer(dialogue.client.id, dialogue.client.name) if dialogue.client else None,
    )
    for number, (message, created) in enumerate(zip(dialogue.messages, moments, strict=True)):
        chat.add(
            AvitoMessage(
                hash_id(dialogue.key, number), message.side, message.type, created, message.text
            )
        )
    return chat


def _compute_times(ended: datetime, gaps: list[float]) -> Iterable[int]:
    """Return the time of each message in Unix seconds, counted back from the last one.

    The first message's gap has no effect.
    """
    for number in range(len(gaps)):
        yield int((ended - timedelta(minutes=sum(gaps[number + 1 :]))).timestamp())


def build_synthetic_chat(number: int, messages: int, ended: datetime) -> AvitoChat:
    """Build a chat for load tests.

    Questions and answers alternate, a minute apart, and the last message is at `ended`. Ten chats
    share a listing.
    """
    listing = AvitoListing(7_000_000_000 + number // 10, f"Товар № {number // 10 + 1}", "1 000 ₽")
    first = int(ended.timestamp()) - 60 * (messages - 1)
    chat = AvitoChat(
        build_chat_id("u2i", f"synthetic-{number}"),
        "u2i",
        first,
        listing,
        SandboxBuyer(5_500_000_000 + number, f"Покупатель {number + 1}"),
    )
    for place in range(messages):
        side, text = _SYNTHETIC_TURNS[place % 2]
        chat.messages.append(
            AvitoMessage(
                hash_id("synthetic", number, place),
                side,
                "text",
                first + 60 * place,
                text.format(number=place // 2 + 1),
            )
        )
    return chat


_SYNTHETIC_TURNS: tuple[tuple[Side, str], ...] = (
    ("client", "Здравствуйте! Вопрос {number}: когда можно забрать?"),
    ("company", "Добрый день! Ответ {number}: приезжайте сегодня с 10 до 19, улица Садовая, 5."),
)
