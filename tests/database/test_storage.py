"""What a graded chat costs on disk, and how often its report is written."""

from tests.support.graded_days import add_dialogues, run_days
from tests.support.stage import GOOD_TALK, Stage
from tests.support.storage import TableUse, read_uses, sum_column_bytes

_CHATS, _DAYS = 20, 3
_MOST_BYTES = {
    "messages": 205,
    "reports": 3_200,
    "packed_exchanges": 1_100,
    "chats": 420,
    "reply_uses": 80,
}
"""Mean stored bytes of a row, without the overhead of rows and pages."""


async def test_graded_chats_are_stored_compactly(stage: Stage) -> None:
    chats = add_dialogues(stage, _CHATS)
    before = await read_uses(stage.service.database)
    await run_days(stage, chats, _DAYS)
    after = await read_uses(stage.service.database)
    assert len(await stage.reports()) == _CHATS * _DAYS
    database = stage.service.database
    (counts,) = await stage.rows(
        "SELECT " + ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in _MOST_BYTES)  # noqa: S608
    )
    found = {name: await sum_column_bytes(database, name) / counts[name] for name in _MOST_BYTES}
    assert {name: size for name, size in found.items() if size > _MOST_BYTES[name]} == {}
    compressed = "SELECT 1 FROM reports WHERE pg_column_compression(body) IS NOT NULL"
    assert await stage.rows(compressed) == [], "lists read bodies as they are stored"
    reports = _subtract(after["reports"], before["reports"])
    assert reports.updated == reports.inserted == _CHATS * _DAYS, "a report is rewritten once"


async def test_a_chat_is_read_again_by_one_update_in_its_page(stage: Stage) -> None:
    """Its messages can still be deleted. No index gets an entry."""
    (chat,) = add_dialogues(stage, 1)
    stage.avito.add_message(chat.id, "client", text="Ещё вопрос", at=stage.clock())
    await stage.sync()
    before = await read_uses(stage.service.database)
    requests = len(stage.avito.requests)
    stage.clock.move(minutes=15)
    await stage.sync()
    after = await read_uses(stage.service.database)
    assert any("/messages" in one.path for one in stage.avito.requests[requests:])
    assert _subtract(after["chats"], before["chats"]) == TableUse(inserted=0, updated=1, hot=1)


async def test_a_message_of_a_person_is_written_once(stage: Stage) -> None:
    """Its author is decided before the row is inserted."""
    before = await read_uses(stage.service.database)
    add_dialogues(stage, 3)
    await stage.sync()
    after = await read_uses(stage.service.database)
    decided = await stage.rows(
        "SELECT count(*) FROM messages WHERE side = 'company' AND author_kind = 'person'"
    )
    assert decided[0]["count"] > 10
    assert _subtract(after["messages"], before["messages"]).updated == 0


async def test_what_has_not_changed_is_not_touched(stage: Stage) -> None:
    """Avito lists all chats again, and returns the messages of one. A locked row has an xmax."""
    settled = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    recent = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    chats = "SELECT xmin::text, xmax::text FROM chats WHERE avito_id = :chat"
    messages = "SELECT xmin::text, xmax::text FROM messages ORDER BY id"
    before = [await stage.rows(chats, chat=settled.id), await stage.rows(messages)]
    requests = len(stage.avito.requests)
    stage.clock.move(minutes=15)
    await stage.sync()
    paths = [one.path for one in stage.avito.requests[requests:]]
    assert any(path.endswith("/chats") for path in paths)
    assert [path for path in paths if settled.id in path] == []
    assert [path for path in paths if recent.id in path]
    assert [await stage.rows(chats, chat=settled.id), await stage.rows(messages)] == before


def _subtract(after: TableUse, before: TableUse) -> TableUse:
    return TableUse(
        after.inserted - before.inserted, after.updated - before.updated, after.hot - before.hot
    )
