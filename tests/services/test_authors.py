"""Authors of the company's messages from the local Avito to the mail and the chat view."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from app.sandbox.avito_state import AvitoChat
from app.sandbox.deepseek_faults import user_message
from app.sandbox.faults import Slow
from tests.support.digests import figures, read_attachment, summary
from tests.support.replies import (
    BOT_TEXT,
    PERSON_ANSWER,
    Turn,
    add_copies,
    add_timed_chat,
)
from tests.support.stage import GOOD_TALK, Stage, until

ASSISTANT = "Ассистент Авито ответил на вопрос клиента"
QUESTION: Turn = ("client", "Здравствуйте! Диван ещё продаётся?", 0)
BOT: Turn = ("company", BOT_TEXT, 3)
NOTICE: Turn = ("client", ASSISTANT, 5)
SIX_HOURS = 6 * 3600
AUTHOR_CHANGED = {
    "code": "author_changed",
    "label": "автора одного из ответов определили уже после оценки: человек это или автоответчик",
}


def answered(seconds: float) -> Turn:
    return ("company", PERSON_ANSWER, seconds)


async def run_day(stage: Stage) -> dict[str, Any]:
    """Sync, grade and mail; return the figures of the mail."""
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    return await figures(stage)


async def fetch_chat(stage: Stage, chat: AvitoChat) -> dict[str, Any]:
    answer = await stage.rest.get(f"/api/v1/chats/{chat.id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def list_kinds(stage: Stage, chat: AvitoChat) -> list[str]:
    return [message["author_kind"] for message in (await fetch_chat(stage, chat))["messages"]]


def teach_bot(stage: Stage) -> None:
    """Add the chats by which the bot's text is recognised."""
    add_copies(stage, BOT_TEXT, [3, 4, 3, 5, 3, 4])


async def fetch_detail(stage: Stage, chat: AvitoChat) -> dict[str, Any]:
    (report,) = [one for one in await stage.reports() if one["chat_id"] == chat.id]
    return dict((await stage.rest.get(f"/api/v1/reports/{report['id']}")).json())


async def test_bot_before_a_person_does_not_answer(stage: Stage) -> None:
    teach_bot(stage)
    chat = add_timed_chat(stage, QUESTION, BOT, answered(SIX_HOURS - 3))
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    kinds = [message["author_kind"] for message in found["messages"]]
    assert kinds == ["client", "bot", "person"]
    assert found["messages"][1]["author_reason"] == (
        "тот же текст приходит в разных чатах через секунды после клиента (чатов: 7, от 3 до 5 с)"
    )
    assert found["first_human_answer_seconds"] == SIX_HOURS
    detail = await fetch_detail(stage, chat)
    assert detail["answer_times"]["first_answer_seconds"] == SIX_HOURS
    assert (detail["company_messages"], detail["client_messages"]) == (2, 1)
    assert mailed["first_answer"]["median_seconds"] == SIX_HOURS
    assert mailed["bot_first"] == {"count": 1, "n": 1}
    assert (
        "Автоответчик ответил первым: 100\u00a0% (1 из 1\u00a0отчёта, мало данных)"
        in stage.last_mail()
    )
    (asked,) = [user_message(one) for one in stage.sandbox.deepseek.requests]
    assert [asked.count(f'"r": "{role}"') for role in ("buyer", "bot", "seller")] == [1, 1, 1]


async def test_mail_and_summary_count_the_same_bots(stage: Stage) -> None:
    teach_bot(stage)
    add_timed_chat(stage, QUESTION, BOT, answered(60))
    add_timed_chat(stage, QUESTION, answered(600), ("client", "А доставка есть?", 60), BOT)
    mailed = await run_day(stage)
    counted = await summary(stage, mail=mailed["day"])
    assert counted["bot_first"] == {"count": 1, "n": 2, "share": 0.5}
    assert mailed["bot_first"] == {"count": 1, "n": 2}


@pytest.mark.parametrize(
    ("turns", "reason", "label", "by"),
    [
        ([QUESTION, BOT], "ответил только автоответчик", "ответил автоответчик", "bot"),
        (
            [QUESTION, NOTICE],
            "ответил только ассистент Авито",
            "ответил ассистент",
            "assistant",
        ),
        (
            [("company", "Добрый день! Диван ещё нужен?", 0), ("client", "Нужен", 60), NOTICE],
            "ответил только ассистент Авито",
            "ответил ассистент",
            "assistant",
        ),
    ],
)
async def test_chat_answered_only_in_place_of_a_person_is_skipped_and_waits(
    stage: Stage, turns: Sequence[Turn], reason: str, label: str, by: str
) -> None:
    teach_bot(stage)
    chat = add_timed_chat(stage, *turns, hours_ago=40)
    stage.add_talk(*GOOD_TALK)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    asked = [message for message in found["messages"] if message["side"] == "client"]
    assert (found["outcome"], found["outcome_reason"]) == ("skipped", reason)
    assert (found["waiting_since"], found["answered_by"]) == (asked[0]["sent_at"], by)
    assert found["first_human_answer_seconds"] is None
    (buyer,) = [one for one in mailed["waiting_buyers"] if one["chat_id"] == chat.id]
    assert buyer["answered_by"] == by
    assert f"· {label}" in stage.last_mail()
    _, waiting, ungraded = read_attachment(stage)
    (row,) = [one for one in waiting if one["chat_id"] == chat.id]
    assert row["answered_by"] == label
    (row,) = [one for one in ungraded if one["chat_id"] == chat.id]
    assert row["reason"] == reason
    assert len(stage.sandbox.deepseek.requests) == 1


async def test_assistant_before_a_person_does_not_answer(stage: Stage) -> None:
    chat = add_timed_chat(stage, QUESTION, NOTICE, answered(SIX_HOURS - 5))
    await run_day(stage)
    assert await list_kinds(stage, chat) == ["client", "assistant", "person"]
    found = await fetch_chat(stage, chat)
    assert found["first_human_answer_seconds"] == SIX_HOURS
    assert (found["waiting_since"], found["outcome"]) == (None, "graded")


async def test_bot_after_a_persons_answer_leaves_the_buyer_waiting(stage: Stage) -> None:
    teach_bot(stage)
    chat = add_timed_chat(stage, QUESTION, answered(300), ("client", "А доставка?", 60), BOT)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert await list_kinds(stage, chat) == ["client", "person", "client", "bot"]
    assert found["waiting_since"] == found["messages"][2]["sent_at"]
    assert (found["first_human_answer_seconds"], found["answered_by"]) == (300, "bot")
    assert chat.id in [buyer["chat_id"] for buyer in mailed["waiting_buyers"]]
    assert (await fetch_detail(stage, chat))["company_messages"] == 2


async def test_message_of_a_bot_after_the_report_does_not_make_the_chat_due(stage: Stage) -> None:
    teach_bot(stage)
    chat = add_timed_chat(stage, QUESTION, answered(300))
    await run_day(stage)
    now = stage.clock()
    stage.avito.add_message(chat.id, "client", text="Спасибо!", at=now - timedelta(hours=1))
    await run_day(stage)
    assert len(await stage.reports(chat_id=chat.id)) == 2
    bot_at = now - timedelta(hours=1, seconds=-3)
    stage.avito.add_message(chat.id, "company", text=BOT_TEXT.format(name="Анна"), at=bot_at)
    await stage.sync()
    assert (await list_kinds(stage, chat))[-1] == "bot"
    assert (await stage.analyze())["analyzed_chats"] == 0
    assert (await fetch_chat(stage, chat))["outcome"] == "graded"


async def test_persons_repeated_greeting_is_a_persons(stage: Stage) -> None:
    greeting = "Здравствуйте, {name}! Да, диван в продаже, подскажите, когда удобно посмотреть?"
    chats = add_copies(stage, greeting, [21, 48, 95, 33, 260, 74, 41, 1200, 58, 29])
    await run_day(stage)
    assert [await list_kinds(stage, chat) for chat in chats] == [["client", "person"]] * 10
    assert len(await stage.reports()) == 10
    assert (await fetch_chat(stage, chats[0]))["first_human_answer_seconds"] == 21


async def test_later_chats_reveal_a_template(stage: Stage) -> None:
    """The kinds, the first answer and the wait of the earlier chats change with it."""
    early = add_timed_chat(stage, QUESTION, BOT, answered(SIX_HOURS - 3), hours_ago=50)
    alone = add_timed_chat(stage, QUESTION, BOT, hours_ago=49)
    await stage.sync()
    assert await list_kinds(stage, early) == ["client", "unknown", "person"]
    assert (await fetch_chat(stage, early))["first_human_answer_seconds"] == 3
    assert (await fetch_chat(stage, alone))["unanswered_since"] is None
    add_copies(stage, BOT_TEXT, [3, 4])
    await stage.sync()
    assert await list_kinds(stage, early) == ["client", "bot", "person"]
    assert (await fetch_chat(stage, early))["first_human_answer_seconds"] == SIX_HOURS
    found = await fetch_chat(stage, alone)
    assert found["unanswered_since"] == found["messages"][0]["sent_at"]
    await stage.analyze()
    assert (await fetch_chat(stage, alone))["outcome_reason"] == "ответил только автоответчик"
    assert [report["chat_id"] for report in await stage.reports()] == [early.id]


async def test_report_from_before_its_template_was_revealed_is_marked(stage: Stage) -> None:
    early = add_timed_chat(stage, QUESTION, BOT, ("company", "Ты идиот? Не пиши сюда.", 60))
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    assert AUTHOR_CHANGED not in (await fetch_detail(stage, early))["flags"]
    teach_bot(stage)
    await stage.sync()
    assert (await stage.analyze())["analyzed_chats"] == 0
    assert AUTHOR_CHANGED in (await fetch_detail(stage, early))["flags"]
    await stage.mail()
    (worst,) = [one for one in (await figures(stage))["worst"] if one["chat_id"] == early.id]
    assert worst["author_changed"]
    assert "Автора одного из ответов определили уже после оценки" in stage.last_mail()


async def test_bots_answer_that_was_graded_as_a_persons_is_no_good_example(stage: Stage) -> None:
    sure, early = stage.add_talk(*GOOD_TALK), add_timed_chat(stage, QUESTION, BOT, answered(60))
    await stage.sync()
    await stage.analyze()
    teach_bot(stage)
    await stage.sync()
    await stage.mail()
    assert {one["chat_id"] for one in await stage.reports()} == {sure.id, early.id}
    assert [one["chat_id"] for one in (await figures(stage))["best"]] == [sure.id]


async def test_skipped_chat_is_graded_if_a_person_turns_out_to_have_answered(stage: Stage) -> None:
    """Many later copies at a human pace show that a person pastes the text."""
    chats = add_copies(stage, BOT_TEXT, [3, 4, 3, 5])
    await stage.sync()
    assert (await stage.analyze())["skipped_chats"] == 4
    add_copies(stage, BOT_TEXT, [25, 31, 44, 152, 38, 89, 147], hours_ago=20)
    await stage.sync()
    await stage.analyze()
    assert await list_kinds(stage, chats[0]) == ["client", "person"]
    assert (await fetch_chat(stage, chats[0]))["outcome"] == "graded"


async def test_system_message_is_the_same_with_and_without_a_bot(stage: Stage) -> None:
    teach_bot(stage)
    add_timed_chat(stage, QUESTION, BOT, answered(60))
    stage.add_talk(*GOOD_TALK)
    await run_day(stage)
    asked = [request.body["messages"] for request in stage.sandbox.deepseek.requests]
    assert len(asked) == 2
    assert len({messages[0]["content"] for messages in asked}) == 1


@pytest.mark.parametrize("kind", ["image", "link"])
async def test_picture_or_link_of_a_bot_is_no_answer(stage: Stage, kind: str) -> None:
    """The bot sends it one second after its text."""
    stage.add_talk(*GOOD_TALK)
    for chat in add_copies(stage, BOT_TEXT, [3, 4, 3, 5, 3, 4]):
        at = datetime.fromtimestamp(chat.updated + 1, UTC)
        stage.avito.add_message(chat.id, "company", type=kind, at=at)
    found = await run_day(stage)
    assert found["coverage"]["skipped"] == {"ответил только автоответчик": 6}
    assert len(found["waiting_buyers"]) == 6


async def test_chats_of_an_account_that_is_loading_wait(stage: Stage) -> None:
    """The copies by which the bot is recognised come later in the same sync."""
    early = add_timed_chat(stage, QUESTION, BOT, answered(SIX_HOURS - 3))
    for copy in add_copies(stage, BOT_TEXT, [3, 4, 3]):
        stage.avito.switches.fail(Slow(1.5), path=f"{copy.id}/messages")
    syncing = asyncio.create_task(stage.sync())
    await until(partial(is_copied, stage, early))
    first = await stage.analyze()
    assert (first["analyzed_chats"], first["waiting_chats"]) == (0, 1)
    assert "первая синхронизация аккаунта не закончена: 1" in first["message"]
    assert (await fetch_chat(stage, early))["outcome"] == "waiting"
    assert not syncing.done()
    await syncing
    assert (await stage.analyze())["analyzed_chats"] == 1
    detail = await fetch_detail(stage, early)
    assert detail["answer_times"]["first_answer_seconds"] == SIX_HOURS
    await stage.mail()
    assert (await figures(stage))["bot_first"] == {"count": 1, "n": 1}


async def test_chat_of_a_loading_account_is_graded_if_it_is_named_with_force(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.change("UPDATE accounts SET is_loading = true")
    assert (await stage.analyze(chat_ids=[chat.id]))["waiting_chats"] == 1
    assert (await stage.analyze(chat_ids=[chat.id], force=True))["analyzed_chats"] == 1


async def is_copied(stage: Stage, chat: AvitoChat) -> bool:
    found = await stage.rows(
        "SELECT 1 FROM chats WHERE avito_id = :id AND messages_read_at IS NOT NULL", id=chat.id
    )
    return bool(found)


async def test_first_sync_that_fails_ends_the_loading(stage: Stage) -> None:
    """Otherwise an account that always fails would never be graded."""
    stage.add_talk(*GOOD_TALK)
    stage.avito.switches.plan_missing = "flat"
    await stage.post("/avito/sync", status=500)
    assert await stage.rows("SELECT is_loading FROM accounts") == [{"is_loading": False}]
