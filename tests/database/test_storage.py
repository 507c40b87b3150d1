"""What a graded chat costs on disk, and how often its report is written."""

from tests.support.graded_days import add_dialogues, run_days
from tests.support.stage import Stage
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


def _subtract(after: TableUse, before: TableUse) -> TableUse:
    return TableUse(
        after.inserted - before.inserted, after.updated - before.updated, after.hot - before.hot
    )
