"""Sync over real HTTP: the rows that it leaves in the database."""

from datetime import timedelta

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing, numbered_account
from app.sandbox.avito_switches import SERVER_ERROR
from app.sandbox.server import Sandbox
from tests.support.stage import GOOD_TALK, Stage, on_stage

MESSAGES = (
    "SELECT avito_id, side, type, text, has_text, deleted_at FROM messages ORDER BY sent_at, side ="
    " 'system', id"
)


async def test_whole_catalogue_is_copied(full_stage: Stage) -> None:
    """All chats and messages of Avito, each with its side, in Avito's order."""
    stage = full_stage
    await stage.sync()
    for chat in stage.avito.accounts[0].chats.values():
        stored = await stage.rows(
            "SELECT message.* FROM messages message JOIN chats chat ON chat.id = chat_id WHERE"
            " chat.avito_id = :id ORDER BY sent_at, side = 'system', message.id",
            id=chat.id,
        )
        assert [row["avito_id"] for row in stored] == [message.id for message in chat.messages]
        sides = [
            "system" if message.text.startswith("[Системное сообщение]") else message.side
            for message in chat.messages
        ]
        assert [row["side"] for row in stored] == sides
    assert not [request for request in stage.avito.requests if request.path.endswith("/read")], (
        "nothing is marked as read"
    )
    assert await stage.rows("SELECT 1 FROM chats WHERE messages_due OR NOT history_complete") == []


async def test_next_sync_copies_only_the_new_message(stage: Stage) -> None:
    for _ in range(3):
        stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    chat = next(iter(stage.avito.accounts[0].chats.values()))
    stage.avito.add_message(chat.id, "client", text="Ещё вопрос")
    stage.avito.traffic.requests.clear()
    answer = await stage.sync()
    assert (
        answer["synced_chats"],
        answer["new_chats"],
        answer["updated_chats"],
        answer["new_messages"],
    ) == (3, 0, 1, 1)
    assert [request.path for request in stage.avito.requests if "messages" in request.path] == [
        f"/messenger/v3/accounts/{stage.avito.accounts[0].user_id}/chats/{chat.id}/messages/"
    ]


async def test_message_agrees_with_the_number_of_chats(stage: Stage) -> None:
    for words in ("Синхронизирован 1 чат, новых сообщений: 4.", "Синхронизировано 2 чата, "):
        stage.add_talk(*GOOD_TALK, minutes_ago=600)
        assert (await stage.sync())["message"].startswith(words)


async def test_full_reads_every_chat_again(stage: Stage) -> None:
    for _ in range(3):
        stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    stage.avito.traffic.requests.clear()
    answer = await stage.sync(full=True)
    assert (answer["synced_chats"], answer["new_messages"], answer["updated_chats"]) == (3, 0, 0)
    assert len([request for request in stage.avito.requests if "messages" in request.path]) == 3


async def test_text_of_a_deleted_message_is_kept(stage: Stage) -> None:
    """The next sync finds a message deleted within the hour.

    The chat itself shows no new activity.
    """
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    stage.avito.delete_message(chat.id, chat.messages[-1].id)
    await stage.sync()
    rows = await stage.rows(MESSAGES)
    assert [row["text"] for row in rows] == [text for _, text in GOOD_TALK]
    assert [row["deleted_at"] is not None for row in rows] == [False, False, False, True]


async def test_text_is_stored_once(stage: Stage) -> None:
    """Content is stored only if it is more than the text."""
    chat = stage.add_talk(*GOOD_TALK)
    stage.avito.add_message(chat.id, "client", type="image")
    await stage.sync()
    found = await stage.rows("SELECT type, content IS NULL AS absent FROM messages")
    assert {(row["type"], row["absent"]) for row in found} == {("text", True), ("image", False)}


async def test_content_of_an_earlier_release_is_no_change(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.change("UPDATE messages SET content = jsonb_build_object('text', text)")
    before = await stage.rows("SELECT id, xmin FROM messages ORDER BY id")
    await stage.sync(full=True)
    assert await stage.rows("SELECT id, xmin FROM messages ORDER BY id") == before
    stage.avito.chat(chat.id).messages[0].text = "Другой вопрос?"
    await stage.sync(full=True)
    first = (await stage.rows("SELECT text, content FROM messages ORDER BY id"))[0]
    assert first == {"text": "Другой вопрос?", "content": None}


async def test_message_first_seen_deleted_is_stored_as_deleted(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    stage.avito.delete_message(chat.id, chat.messages[0].id)
    await stage.sync()
    first = (await stage.rows(MESSAGES))[0]
    assert (first["text"], first["has_text"], first["side"]) == (
        "[сообщение удалено]",
        False,
        "client",
    )


async def test_old_chats_are_not_read_again_for_deletions(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK, minutes_ago=120)
    await stage.sync()
    stage.avito.traffic.requests.clear()
    await stage.sync()
    paths = [request.path.rsplit("/", 1)[-1] for request in stage.avito.requests]
    assert len([path for path in paths if path == "chats"]) <= 2
    assert not [request for request in stage.avito.requests if "messages" in request.path]


async def test_long_lists_and_long_chats_are_paged_to_their_end(stage: Stage) -> None:
    stage.avito.add_synthetic_chats(250, 3)
    (long,) = stage.avito.add_synthetic_chats(1, 350)
    answer = await stage.sync()
    assert (answer["synced_chats"], answer["new_messages"], answer["incomplete_chats"]) == (
        251,
        250 * 3 + 350,
        0,
    )
    count = (
        "SELECT count(*) AS n FROM messages JOIN chats chat ON chat.id = chat_id WHERE"
        " chat.avito_id = :id"
    )
    assert (await stage.rows(count, id=long.id))[0]["n"] == 350


async def test_messages_beyond_avitos_limit_are_reported_as_incomplete(stage: Stage) -> None:
    """Avito returns at most 1,100 messages of a chat; the chat is counted and reported."""
    stage.avito.add_synthetic_chats(1, 1_150)
    answer = await stage.sync()
    assert (answer["synced_chats"], answer["new_messages"], answer["incomplete_chats"]) == (
        1,
        1_100,
        1,
    )
    assert "не целиком" in answer["message"]
    await stage.analyze()
    await stage.mail()
    assert "чатов с неполной историей (Авито не отдаёт её целиком): 1" in " ".join(
        stage.last_mail().split()
    )


async def test_chat_that_moves_up_between_pages_is_not_lost(stage: Stage) -> None:
    """New messages between two pages move the chats behind them; the next sync has everything."""
    chats = stage.avito.add_synthetic_chats(210, 2)
    moved = iter(chats[150:160])

    def add_messages(path: str, offset: int) -> None:
        if path.endswith("/chats") and offset < 200:
            for chat in (next(moved), next(moved)):
                stage.avito.add_message(chat.id, "client", text="А ещё?")

    stage.avito.switches.after_page = add_messages
    await stage.sync()
    stage.avito.switches.after_page = None
    await stage.sync()
    stored = await stage.rows("SELECT avito_id FROM messages")
    assert {row["avito_id"] for row in stored} == {
        message.id for chat in chats for message in chat.messages
    }


async def test_unreadable_chat_does_not_affect_others(stage: Stage) -> None:
    good, bad = stage.add_talk(*GOOD_TALK), stage.add_talk(*GOOD_TALK)
    stage.avito.switches.fail(SERVER_ERROR, path=f"{bad.id}/messages", times=None)
    answer = await stage.sync()
    assert (answer["status"], answer["synced_chats"]) == ("success", 1)
    assert "1 чат не прочитан" in answer["message"]
    stage.avito.switches.faults.clear()
    assert (await stage.sync())["synced_chats"] == 2
    assert (
        len(good.messages) + len(bad.messages)
        == (await stage.rows("SELECT count(*) AS n FROM messages"))[0]["n"]
    )


async def test_failing_account_does_not_stop_the_other(database_url: str) -> None:
    avito = LocalAvito([numbered_account(1), numbered_account(2)])
    async with Sandbox(avito=avito) as sandbox, on_stage(database_url, sandbox) as stage:
        stage.add_talk(*GOOD_TALK)
        avito.accounts[1].client_secret = "changed since"
        answer = await stage.post("/avito/sync", status=500)
        assert (answer["status"], answer["synced_chats"], answer["new_messages"]) == ("error", 1, 4)
        assert avito.accounts[1].name in answer["message"]
        assert "changed since" not in answer["message"]


async def test_without_the_plan_nothing_is_stored_as_a_message(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.avito.switches.plan_missing = "flat"
    await stage.post("/avito/sync", status=500)
    assert await stage.rows("SELECT * FROM messages") == []
    stage.avito.switches.plan_missing = None
    assert (await stage.sync())["new_messages"] == 4


async def test_known_title_is_kept(stage: Stage) -> None:
    """A value that Avito omits later does not overwrite the stored one."""
    chat = stage.add_talk(*GOOD_TALK, title="Комод")
    await stage.sync()
    stage.avito.switches.drop_chat_keys = {"context", "users"}
    stage.avito.add_message(chat.id, "client", text="Где вы?")
    await stage.sync()
    row = (await stage.rows("SELECT item_title, client_name, chat_type FROM chats"))[0]
    assert row == {"item_title": "Комод", "client_name": "Анна", "chat_type": "u2i"}


async def test_messages_of_one_second_keep_avitos_order(stage: Stage) -> None:
    at = stage.clock() - timedelta(minutes=30)
    chat = stage.avito.add_chat(item=AvitoListing(8_100_000_000, "Стол"), at=at)
    for place, side in enumerate(("client", "client", "company", "client", "company")):
        stage.avito.add_message(
            chat.id, "client" if side == "client" else "company", text=f"{place}", at=at
        )
    await stage.sync()
    assert [row["text"] for row in await stage.rows(MESSAGES)] == ["0", "1", "2", "3", "4"]
    assert (await stage.rows("SELECT last_person_side FROM chats"))[0][
        "last_person_side"
    ] == "company"


async def test_owner_of_the_listing_follows_avito_and_an_omission_keeps_it(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    assert chat.item is not None
    stored = []
    for owner, dropped in (
        (None, set[str]()),
        (7_100_000_000, set()),
        (7_200_000_000, {"user_id"}),
    ):
        chat.item.owner_id, stage.avito.switches.drop_context_keys = owner, dropped
        figures = await stage.sync()
        stored += [row["item_owner_id"] for row in await stage.rows("SELECT * FROM chats")]
    assert stored == [stage.avito.accounts[0].user_id, 7_100_000_000, 7_100_000_000]
    assert figures["new_messages"] == 0
