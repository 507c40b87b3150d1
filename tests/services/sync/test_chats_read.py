"""The kept number of chats that have been read equals their count."""

from tests.support.stage import BAD_TALK, GOOD_TALK, Stage


async def test_kept_number_of_read_chats_is_their_count(stage: Stage) -> None:
    """Of new chats and of chats that are read again."""
    stage.add_talk(*GOOD_TALK)
    assert (await stage.sync())["synced_chats"] == 1
    assert await read_numbers(stage) == (1, 1)
    talk = stage.add_talk(*BAD_TALK, minutes_ago=50)
    assert (await stage.sync())["synced_chats"] == 2
    stage.avito.add_message(talk.id, "client", text="Ау?")
    assert (await stage.sync())["synced_chats"] == 2
    assert await read_numbers(stage) == (2, 2)


async def test_daily_count_corrects_the_kept_number(stage: Stage) -> None:
    """A process of the release before reads chats and does not keep the number."""
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.change("UPDATE accounts SET chats_read = 0")
    stage.clock.move(hours=25)
    assert (await stage.sync())["synced_chats"] == 1
    assert await read_numbers(stage) == (1, 1)


async def read_numbers(stage: Stage) -> tuple[int, int]:
    rows = await stage.rows(
        "SELECT chats_read,"
        " (SELECT count(*) FROM chats WHERE messages_read_at IS NOT NULL) AS found FROM accounts"
    )
    return rows[0]["chats_read"], rows[0]["found"]
