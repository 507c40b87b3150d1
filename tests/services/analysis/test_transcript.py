"""Every kind of message from Avito to the grader, the analyst and the table.

It is in words and without invalid characters.
"""

import json
from datetime import timedelta

import pytest

from app.sandbox.deepseek_faults import user_message
from app.sandbox.faults import CannedResponse
from tests.support.avito_worlds import WORDS, displayed_text, furnish
from tests.support.stage import GOOD_TALK, Stage


async def test_grader_and_analyst_read_the_same_words(stage: Stage) -> None:
    """All kinds of messages, with deleted ones and two unknown kinds."""
    kinds = furnish(stage)[2]
    stage.avito.add_message(
        kinds.id,
        "company",
        text="Всё понял, спасибо",
        at=stage.clock() - timedelta(hours=7, minutes=50),
    )
    await stage.sync()
    assert (await stage.analyze(chat_ids=[kinds.id]))["analyzed_chats"] == 1
    shown = (await stage.rest.get(f"/api/v1/chats/{kinds.id}")).json()["messages"]
    assert [message["text"] for message in shown] == [
        displayed_text(message) for message in kinds.messages
    ]
    assert {message["type"] for message in shown} == {"text", "system", *WORDS}
    assert [message["side"] for message in shown] == [message.side for message in kinds.messages]
    (request,) = (
        request
        for request in stage.sandbox.deepseek.requests
        if request.path.endswith("/chat/completions")
    )
    asked = json.loads(request.body["messages"][1]["content"].split("\n")[1])
    people = [displayed_text(message) for message in kinds.messages if message.side != "system"]
    seen = [turn["t"] for turn in asked if turn["r"] in ("buyer", "seller")]
    assert [words.partition(":")[0].rstrip("]") for words in seen] == [
        words.partition(":")[0].rstrip("]") for words in people
    ]


async def test_invalid_characters_are_removed_and_emoji_kept(stage: Stage) -> None:
    """NUL, lone surrogates and control characters in texts, titles, names and unknown content.

    A pair of surrogates is an emoji.
    """
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    damage = "\x00\ud83d \x1b[31m\udc00\x85"
    common = {"author_id": 5, "direction": "in"}
    messages = [
        {
            "id": "m-1",
            "created": 1_795_000_000,
            "type": "text",
            "content": {"text": f"Да🙂{damage}нет\n\t👨‍👩‍👧"},
            **common,
        },
        {
            "id": "m-2",
            "created": 1_795_000_001,
            "type": "odd",
            "content": {"a\x00": [damage]},
            **common,
        },
    ]
    item = {"type": "item", "value": {"id": 5, "title": f"Стол{damage}"}}
    listed = {
        "id": chat.id,
        "updated": 1_795_000_001,
        "context": item,
        "users": [{"id": 5, "name": f"Анна{damage}"}],
    }
    for path, body in (
        ("/chats", {"chats": [listed], "meta": {"has_more": False}}),
        ("/messages/", messages),
    ):
        # Python writes all of it as ASCII escapes, as Avito may.
        stage.avito.switches.fail(
            CannedResponse(200, json.dumps(body), content_type="application/json"), path=path
        )
    answer = await stage.sync()
    assert (answer["status"], answer["new_messages"]) == ("success", 2)
    rows = await stage.rows("SELECT text, content FROM messages ORDER BY sent_at")
    assert rows[0]["text"] == "Да🙂 [31mнет\n\t👨‍👩‍👧"
    assert rows[1] == {"text": "[неизвестный тип: odd]", "content": {"a": [" [31m"]}}
    assert await stage.rows("SELECT item_title, client_name FROM chats") == [
        {"item_title": "Стол [31m", "client_name": "Анна [31m"}
    ]
    assert (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()["messages"][0]["text"] == rows[
        0
    ]["text"]


@pytest.mark.parametrize("cut", range(0, 20, 3))
async def test_datum_at_the_end_of_what_the_model_gets_is_masked_whole(
    stage: Stage, cut: int
) -> None:
    """A part of a number does not look like one."""
    filler = ("слово " * 1_700)[: 10_000 - cut]
    stage.add_talk(*GOOD_TALK, ("company", f"{filler}4276 3800 1234 5675, это карта"))
    await stage.sync()
    await stage.analyze()
    (request,) = stage.sandbox.deepseek.requests
    shown = json.loads(user_message(request).splitlines()[1])[-1]["t"]
    assert len(shown) < 10_010
    assert not [char for char in shown.replace("[КАРТА_1]", "") if char.isdecimal()]
