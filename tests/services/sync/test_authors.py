"""Authors of stored messages: an earlier release, later chats, changed texts, and the cost."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.adapters import read_listed_texts
from app.database.engine import Database
from app.errors import SettingsError
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing, SandboxBuyer
from app.sandbox.server import Sandbox
from tests.support.openings import Company, decide_company, list_sets, load_companies
from tests.support.replies import BOT_TEXT, PERSON_ANSWER, Turn, add_copies, add_timed_chat
from tests.support.service_process import run_service
from tests.support.stage import Stage, on_stage, stage_settings

KINDS = (
    "SELECT chat.avito_id AS chat, message.text, message.author_kind, message.author_reason"
    " FROM messages message JOIN chats chat ON chat.id = chat_id"
    " WHERE side = 'company' ORDER BY message.sent_at, message.id"
)
WAITS = "SELECT avito_id, unanswered_since, due_since FROM chats ORDER BY last_message_at"
QUESTION: Turn = ("client", "Здравствуйте! Диван ещё продаётся?", 0)


async def list_kinds(stage: Stage) -> list[str]:
    return [row["author_kind"] for row in await stage.rows(KINDS)]


async def test_messages_of_an_earlier_release_are_decided(stage: Stage) -> None:
    """There are more chats than one transaction decides."""
    add_copies(stage, BOT_TEXT, [3.0, 4.0, 5.0] * 20)
    add_timed_chat(stage, QUESTION, ("company", PERSON_ANSWER, 500))
    await stage.sync()
    kinds, waits = await stage.rows(KINDS), await stage.rows(WAITS)
    assert [row["author_kind"] for row in kinds] == ["bot"] * 60 + ["person"]
    await stage.change("UPDATE messages SET author_kind = NULL, author_reason = NULL")
    await stage.change("DELETE FROM reply_uses")
    await stage.change("DELETE FROM reply_templates")
    await stage.change("UPDATE chats SET unanswered_since = NULL")
    await stage.sync()
    assert await stage.rows(KINDS) == kinds
    assert await stage.rows(WAITS) == waits


async def test_only_changed_rows_are_written(stage: Stage) -> None:
    """A new copy of a known text rewrites neither the other messages nor the other chats."""
    add_copies(stage, BOT_TEXT, [3, 4, 5, 3, 4, 5, 3])
    await stage.sync()
    versions = "SELECT id, xmin::text AS version FROM {} ORDER BY id"
    before = [await stage.rows(versions.format(table)) for table in ("messages", "chats")]
    (chat,) = add_copies(stage, BOT_TEXT, [4], hours_ago=2)
    await stage.sync()
    after = [await stage.rows(versions.format(table)) for table in ("messages", "chats")]
    assert [rows[: len(known)] for rows, known in zip(after, before, strict=True)] == before
    assert [len(rows) for rows in after] == [16, 8]
    assert (await stage.rows(KINDS))[-1]["author_kind"] == "bot"
    assert (await stage.rows(KINDS))[-1]["chat"] == chat.id


async def test_changed_text_is_decided_again(stage: Stage) -> None:
    add_copies(stage, BOT_TEXT, [3, 4, 5])
    chat = add_timed_chat(stage, QUESTION, ("company", PERSON_ANSWER, 4), hours_ago=0.1)
    await stage.sync()
    assert (await list_kinds(stage))[-1] == "unknown"
    chat.messages[1].text = BOT_TEXT.format(name="Анна")
    stage.avito.add_message(chat.id, "client", text="Что?")
    await stage.sync()
    assert (await list_kinds(stage))[-1] == "bot"


async def test_times_do_not_depend_on_when_messages_are_copied(stage: Stage) -> None:
    """A later sync reads only the messages that the new ones need."""
    turns: list[Turn] = [
        ("company", "Скидка на диваны", 0),
        ("client", "Здравствуйте", 60),
        ("client", "Продаёте?", 5),
        ("company", "Мы скоро ответим", 3),
        ("company", "Мы работаем с 9 до 18", 1),
        ("company", PERSON_ANSWER, 600),
        ("client", "А где?", 60),
        ("company", "На Садовой", 30),
    ]
    whole = add_timed_chat(stage, *turns)
    parts = stage.avito.add_chat(item=whole.item, client=whole.client, at=stage.clock())
    for message in list(whole.messages):
        at = datetime.fromtimestamp(message.created, UTC)
        stage.avito.add_message(parts.id, message.side, text=message.text, at=at)
        await stage.sync()
    uses = await stage.rows(
        "SELECT chats.avito_id, gap_seconds, wait_seconds, is_opening FROM reply_uses"
        " JOIN messages ON messages.id = message_id JOIN chats ON chats.id = chat_id"
        " ORDER BY sent_at, messages.id"
    )
    of_chats = [
        [tuple(use.values())[1:] for use in uses if use["avito_id"] == chat.id]
        for chat in (whole, parts)
    ]
    expected = [
        (None, None, True),
        (3, 8, False),
        (4, 9, False),
        (604, 609, False),
        (30, 30, False),
    ]
    assert of_chats == [expected, expected]


async def test_pictures_and_offers_are_a_persons(stage: Stage) -> None:
    chat = add_timed_chat(stage, ("company", "Здравствуйте! Скидка на диваны.", 0), QUESTION)
    stage.avito.add_message(chat.id, "company", type="image")
    await stage.sync()
    assert [(row["author_kind"], row["author_reason"]) for row in await stage.rows(KINDS)] == [
        ("person", "no_question"),
        ("person", "human_pace"),
    ]


async def test_listed_texts_take_effect_and_lose_it_again(
    database_url: str, shared_pool: Database, tmp_path: Path
) -> None:
    path = tmp_path / "autoreplies.txt"
    path.write_text(
        "\ufeffЗдравствуйте, {имя}! Спасибо за ваше сообщение. {остальное}\n\n", "utf-8"
    )
    async with Sandbox(avito=LocalAvito()) as sandbox:
        opened: Any = (database_url, sandbox, None, shared_pool)
        async with on_stage(*opened) as stage:
            add_timed_chat(stage, QUESTION, ("company", BOT_TEXT, 7200))
            add_timed_chat(stage, QUESTION, ("company", PERSON_ANSWER, 7800))
            await stage.sync()
            assert await list_kinds(stage) == ["person", "person"]
        async with on_stage(*opened, autoreply_texts_file=path) as stage:
            await stage.sync()
            assert await list_kinds(stage) == ["bot", "person"]
            assert (await stage.rows(KINDS))[0]["author_reason"] == "listed"
            assert [row["unanswered_since"] is None for row in await stage.rows(WAITS)] == [
                False,
                True,
            ]
            add_timed_chat(stage, QUESTION, ("company", BOT_TEXT, 9000))
            await stage.sync()
            assert await list_kinds(stage) == ["bot", "person", "bot"]
        async with on_stage(*opened) as stage:
            await stage.sync()
            assert await list_kinds(stage) == ["person", "person", "person"]
            assert all(row["unanswered_since"] is None for row in await stage.rows(WAITS))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "не читается"),
        (b"\xff\xfe\x00", "не читается"),
        (b"text\n" * 201, "больше 200 строк"),
    ],
)
def test_unusable_file_of_texts_names_the_setting(
    content: bytes | None, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "autoreplies.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=complaint) as raised:
        read_listed_texts(stage_settings(None, {}, autoreply_texts_file=path))
    assert raised.value.message.startswith("AUTOREPLY_TEXTS_FILE: ")


def add_company_chats(stage: Stage, company: Company, place: slice) -> None:
    for number, chat in list(enumerate(company["chats"]))[place]:
        times = [datetime.fromisoformat(message["at"]) for message in chat["messages"]]
        added = stage.avito.add_chat(
            item=AvitoListing(8_000_000_000 + number, chat["title"], "1 ₽"),
            client=SandboxBuyer(6_000_000_000 + number, chat["buyer"]),
            at=times[0],
        )
        for message, at in zip(chat["messages"], times, strict=True):
            stage.avito.add_message(
                added.id,
                "client" if message["side"] == "client" else "company",
                text=message["text"],
                at=at,
            )


async def test_two_syncs_decide_like_the_rule_over_all_chats(stage: Stage) -> None:
    company = load_companies(list_sets()[0])[0]
    half = len(company["chats"]) // 2
    for place in (slice(half), slice(half, None)):
        add_company_chats(stage, company, place)
        await stage.sync()
    decided = sorted((reply.text, reply.kind.value) for reply in decide_company(company))
    stored = sorted((row["text"], row["author_kind"]) for row in await stage.rows(KINDS))
    assert stored == decided
    assert {kind for _, kind in stored} == {"bot", "person"}


async def test_serve_logs_listed_texts_without_words(tmp_path: Path, database_url: str) -> None:
    path = tmp_path / "autoreplies.txt"
    path.write_text("{имя}, {время}!\nМы закрыты\n", encoding="utf-8")
    async with (
        Sandbox() as sandbox,
        run_service(database_url, sandbox, tmp_path, AUTOREPLY_TEXTS_FILE=str(path)) as service,
    ):
        service.program.send_signal(signal.SIGTERM)
        await service.program.wait()
    (line,) = [one for one in service.log.decode().splitlines() if "listed_texts_ignored" in one]
    assert "{имя}, {время}!" in line
    assert "закрыты" not in line
