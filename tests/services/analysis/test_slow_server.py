"""A server that answers one chat at a time."""

from tests.support.stage import GOOD_TALK, Stage, on_stage


async def test_server_with_one_slot_grades_every_chat(stage: Stage, database_url: str) -> None:
    """All chats are asked about at once, and most of the first requests time out."""
    for number in range(24):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()
    stage.sandbox.deepseek.slot_seconds = 0.2
    async with (
        stage.resting(),
        on_stage(
            database_url,
            stage.sandbox,
            deepseek_max_concurrency=32,
            deepseek_timeout_seconds=2.4,
        ) as hasty,
    ):
        answer = await hasty.analyze()
    assert (answer["analyzed_chats"], answer["failed_chats"], answer["waiting_chats"]) == (24, 0, 0)
    assert len(stage.sandbox.deepseek.requests) > 24, "some requests have timed out"
