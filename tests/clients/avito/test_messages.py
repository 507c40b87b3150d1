"""Parsing of Avito's messages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.clients.avito import (
    AvitoClient,
    AvitoMessage,
    AvitoPlanMissingError,
    describe,
    parse_message,
)
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_payloads import PLAN_PLACEHOLDER
from app.sandbox.faults import CannedResponse

OWN_ID = 4_900_000_001
BUYER_ID = 5_300_000_000_001
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def parse_with_defaults(**message: Any) -> AvitoMessage:
    """Parse a message in Avito's format with the given keys."""
    parsed = parse_message(
        {"id": "m1", "created": 1_763_800_000, "direction": "in", "author_id": BUYER_ID, **message},
        own_id=OWN_ID,
    )
    assert parsed is not None
    return parsed


@pytest.mark.parametrize("shape", ["object", "array"])
@pytest.mark.parametrize("flag", ["isRead", "is_read"])
async def test_messages_come_newest_first_in_either_shape(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str, shape: Any, flag: Any
) -> None:
    local_avito.switches.messages_as, local_avito.switches.read_flag = shape, flag
    newest, oldest = (await avito.list_messages(OWN_ID, chat_id)).messages
    assert (newest.direction, newest.author_id, newest.is_read, newest.read_at) == (
        "out",
        OWN_ID,
        False,
        None,
    )
    assert (oldest.direction, oldest.author_id, oldest.is_read, oldest.read_at) == (
        "in",
        BUYER_ID,
        True,
        NOON,
    )
    assert (oldest.type, oldest.text, oldest.content, oldest.created_at) == (
        "text",
        "Торг есть? 🙂",
        {"text": "Торг есть? 🙂"},
        NOON,
    )


async def test_quote_is_kept(avito: AvitoClient, local_avito: LocalAvito, chat_id: str) -> None:
    question = local_avito.chat(chat_id).messages[0]
    local_avito.add_message(chat_id, "company", text="Да", quote=question)
    newest = (await avito.list_messages(OWN_ID, chat_id)).messages[0]
    assert newest.quote is not None
    assert newest.quote["content"] == {"text": "Торг есть? 🙂"}


@pytest.mark.parametrize("key", ["author_id", "direction", "type", "content", "isRead", "read"])
async def test_message_with_a_missing_key_is_parsed(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str, key: str
) -> None:
    local_avito.switches.drop_message_keys = {key}
    page = await avito.list_messages(OWN_ID, chat_id)
    assert [message.type for message in page.messages] == ["text", "text"]
    # Derived from the author if the key is missing.
    assert [message.direction for message in page.messages] == [
        "out",
        "in",
    ]
    assert page.unreadable == 0


async def test_message_without_a_time_is_counted(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str
) -> None:
    local_avito.switches.drop_message_keys = {"created"}
    page = await avito.list_messages(OWN_ID, chat_id)
    assert (page.messages, page.unreadable) == ((), 2)


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("image", {"image": {"sizes": {}}}, "[фото]"),
        ("voice", {"voice": {"voice_id": "v"}}, "[голосовое сообщение]"),
        (
            "link",
            {"link": {"text": "смотрите\nтут", "url": "https://habr.com"}},
            "[ссылка: смотрите тут]",
        ),
        ("link", {"link": {"url": "https://habr.com"}}, "[ссылка: https://habr.com]"),
        ("link", {}, "[ссылка]"),
        (
            "location",
            {"location": {"text": "Москва, Лесная, 7"}},
            "[геолокация: Москва, Лесная, 7]",
        ),
        ("call", {"call": {"status": "missed", "target_user_id": 1}}, "[пропущенный звонок]"),
        ("call", {}, "[звонок]"),
        ("call", {"call": {"status": "answered"}}, "[состоявшийся звонок]"),
        ("call", {"call": {"status": "Completed"}}, "[состоявшийся звонок]"),
        ("call", {"call": {"status": "rejected"}}, "[звонок]"),
        ("call", {"call": {"status": 7}}, "[звонок]"),
        ("file", {}, "[файл]"),
        ("video", {}, "[видео]"),
        (
            "item",
            {"item": {"title": "Диван", "item_url": "https://avito.ru/1"}},
            "[объявление: Диван]",
        ),
        ("deleted", {}, "[сообщение удалено]"),
        ("appCall", {}, "[звонок]"),
        ("appCall", {"appCall": {"status": "missed"}}, "[пропущенный звонок]"),
        ("hologram", {"hologram": {"text": "x"}}, "[неизвестный тип: hologram]"),
        ("text", {"text": "Здравствуйте"}, "Здравствуйте"),
    ],
)
def test_message_without_text_is_described(
    kind: str, content: dict[str, Any], expected: str
) -> None:
    message = parse_with_defaults(type=kind, content=content)
    assert describe(message) == expected
    assert message.content == content
    assert message.text == (expected if kind == "text" else None)


async def test_unknown_type_keeps_its_content(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str
) -> None:
    local_avito.add_message(chat_id, "client", type="hologram", content={"hologram": {"depth": 3}})
    newest = (await avito.list_messages(OWN_ID, chat_id)).messages[0]
    assert (newest.type, newest.text, newest.content) == (
        "hologram",
        None,
        {"hologram": {"depth": 3}},
    )


def test_missing_type_is_derived_from_the_content() -> None:
    assert parse_with_defaults(content={"voice": {"voice_id": "v"}}).type == "voice"
    assert parse_with_defaults(content={"text": "Здравствуйте"}).text == "Здравствуйте"
    assert parse_with_defaults(content={}).type == "unknown"


@pytest.mark.parametrize("author", [0, 1])
@pytest.mark.parametrize("as_text", [False, True])
async def test_message_of_avito_is_a_system_message(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str, author: int, as_text: bool
) -> None:
    local_avito.switches.system_author_id, local_avito.switches.system_as_text = author, as_text
    local_avito.add_message(chat_id, "system", type="system", text="Покупатель оформил доставку")
    flags = [message.is_system for message in (await avito.list_messages(OWN_ID, chat_id)).messages]
    assert flags == [True, False, False]


def test_each_mark_alone_makes_a_system_message() -> None:
    assert parse_with_defaults(type="system", content={"text": "x"}).is_system
    assert parse_with_defaults(type="text", author_id=0, content={"text": "x"}).is_system
    assert parse_with_defaults(
        type="text", content={"text": "[Системное сообщение] Оформлена доставка"}
    ).is_system
    assert not parse_with_defaults(
        type="text", content={"text": "пришло [Системное сообщение]"}
    ).is_system


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("Сообщение удалено", "deleted", "[сообщение удалено]"),
        (
            "Сообщение не поддерживается. Пожалуйста, перейдите в Авито мессенджер.",
            "unsupported",
            "[сообщение видно только в мессенджере Авито]",
        ),
    ],
)
@pytest.mark.parametrize("direction", ["in", "out"])
def test_placeholder_is_a_message_of_its_author_without_text(
    text: str, kind: str, shown: str, direction: str
) -> None:
    message = parse_with_defaults(type="text", direction=direction, content={"text": text})
    assert (message.type, message.text, message.is_system) == (kind, None, False)
    assert (describe(message), message.content) == (shown, {"text": text})


@pytest.mark.parametrize(
    "text",
    [
        "Ассистент Авито ответил на вопрос клиента",
        "Пользователь создал чат, но пока ничего не написал.",
    ],
)
@pytest.mark.parametrize("prefix", ["", "[Системное сообщение] "])
def test_notice_is_a_system_message_unless_the_company_sends_it(text: str, prefix: str) -> None:
    content = {"text": prefix + text}
    assert parse_with_defaults(type="text", content=content).is_system
    assert not parse_with_defaults(type="text", direction="out", content=content).is_system


def test_quoted_placeholder_stays_words() -> None:
    text = "У меня написано «Сообщение удалено», пришлите ещё раз"
    message = parse_with_defaults(type="text", content={"text": text})
    assert (message.type, message.text) == ("text", text)


def test_seller_with_system_prefix_stays_a_seller() -> None:
    posed = parse_with_defaults(
        direction="out",
        author_id=OWN_ID,
        content={"text": "[Системное сообщение] Чат проверен, оценка высокая"},
    )
    assert (posed.direction, posed.is_system) == ("out", False)


def test_missing_direction_is_derived_from_the_author() -> None:
    assert parse_with_defaults(direction=None, author_id=OWN_ID).direction == "out"
    assert parse_with_defaults(direction=None, author_id=BUYER_ID).direction == "in"
    assert parse_with_defaults(direction=None, author_id=None).direction is None


@pytest.mark.parametrize("shape", ["nested", "flat"])
async def test_missing_plan_is_an_error_and_its_placeholder_is_recognised(
    avito: AvitoClient, local_avito: LocalAvito, chat_id: str, shape: Any
) -> None:
    local_avito.switches.plan_missing = shape
    (chat,) = (await avito.list_chats(OWN_ID)).chats
    assert chat.last_message is not None
    assert chat.last_message.is_placeholder
    assert chat.last_message.text is None
    assert chat.raw["last_message"]["content"]["text"] == PLAN_PLACEHOLDER
    with pytest.raises(AvitoPlanMissingError, match="тариф с API мессенджера"):
        await avito.list_messages(OWN_ID, chat_id)


def test_text_of_a_person_is_not_a_placeholder() -> None:
    assert not parse_with_defaults(
        type="text", content={"text": "Перейдите на подписку?"}
    ).is_placeholder
    assert parse_with_defaults(
        type="text", content={"text": f" {PLAN_PLACEHOLDER}. "}
    ).is_placeholder


async def test_damaged_text_is_cleaned_everywhere(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    damaged = r'"a\u0000b\ud83d\u0007\r\nc\t👩‍🔧\u0085"'
    content = f'{{"text": {damaged}, "deep": [{{{damaged}: {damaged}}}], "n": 1e999}}'
    body = f'[{{"id": "m1", "created": 1763800000, "type": "text", "content": {content}}}]'
    local_avito.switches.fail(
        CannedResponse(200, body, content_type="application/json"), path="/messages"
    )
    (message,) = (await avito.list_messages(OWN_ID, "u2i-1")).messages
    assert message.text == "ab\nc\t👩‍🔧"
    assert message.content == {
        "text": "ab\nc\t👩‍🔧",
        "deep": [{"ab\nc\t👩‍🔧": "ab\nc\t👩‍🔧"}],
        "n": None,
    }
