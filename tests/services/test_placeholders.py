"""Placeholders and calls from the local Avito to the mail and the chat view."""

from datetime import timedelta
from typing import Any

import pytest

from app.sandbox.avito_payloads import DELETED_PLACEHOLDER, UNSUPPORTED_PLACEHOLDER
from app.sandbox.avito_state import AvitoChat
from app.sandbox.catalogue import Side
from app.sandbox.deepseek_faults import user_message
from tests.support.digests import figures
from tests.support.stage import GOOD_TALK, Stage

OTHER = "Другой товар"
QUESTION = ("client", "Здравствуйте! Диван ещё продаётся?")
ANSWER = ("company", "Добрый день! Да, продаётся, приезжайте сегодня до 20.")
ASSISTANT = "Ассистент Авито ответил на вопрос клиента"
LEAD = "Пользователь создал чат, но пока ничего не написал"
HIDDEN = [
    (DELETED_PLACEHOLDER, "deleted", "[сообщение удалено]"),
    (f"{UNSUPPORTED_PLACEHOLDER}.", "unsupported", "[сообщение видно только в мессенджере Авито]"),
    (
        "Сообщение  не поддерживается.\nПожалуйста, перейдите в Авито\u00a0мессенджер",
        "unsupported",
        "[сообщение видно только в мессенджере Авито]",
    ),
]
COMPLETED, MISSED = {"call": {"status": "completed"}}, {"call": {"status": "missed"}}


async def run_day(stage: Stage) -> dict[str, Any]:
    """Sync, grade and mail with a chat to report; return the figures of the mail."""
    stage.add_talk(*GOOD_TALK, title=OTHER, minutes_ago=300)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    return await figures(stage)


async def fetch_chat(stage: Stage, chat: AvitoChat) -> dict[str, Any]:
    answer = await stage.rest.get(f"/api/v1/chats/{chat.id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def fetch_reports(stage: Stage) -> list[dict[str, Any]]:
    """Return the reports, except that of the chat that ``run_day`` adds."""
    return [report for report in await stage.reports() if report["chat_title"] != OTHER]


def list_questions(stage: Stage) -> list[str]:
    return [user_message(request) for request in stage.sandbox.deepseek.requests]


def add_call(
    stage: Stage, chat: AvitoChat, side: Side, content: dict[str, Any], kind: str = "call"
) -> None:
    """Add a call a minute after the chat's last message."""
    at = stage.clock().fromtimestamp(chat.updated, stage.clock().tzinfo) + timedelta(minutes=1)
    stage.avito.add_message(chat.id, side, type=kind, content=content, at=at)


@pytest.mark.parametrize(("text", "kind", "shown"), HIDDEN)
async def test_placeholder_is_shown_in_brackets_and_is_no_text_of_the_buyer(
    stage: Stage, text: str, kind: str, shown: str
) -> None:
    chat = stage.add_talk(("client", text), *GOOD_TALK)
    mailed = await run_day(stage)
    first = (await fetch_chat(stage, chat))["messages"][0]
    assert (first["text"], first["has_text"], first["type"]) == (shown, False, kind)
    assert (first["side"], first["deleted_at"] is None) == ("client", kind != "deleted")
    (report,) = await fetch_reports(stage)
    assert (report["client_messages"], report["company_messages"]) == (3, 2)
    assert mailed["reports"] == 2
    asked = list_questions(stage)
    assert not [question for question in asked if text[:10] in question]
    assert [f'"k": "{kind}"' in question for question in asked].count(True) == 1


@pytest.mark.parametrize(("text", "kind", "shown"), HIDDEN)
async def test_placeholder_as_the_only_message_of_the_company_is_not_graded(
    stage: Stage, text: str, kind: str, shown: str
) -> None:
    chat = stage.add_talk(QUESTION, ("company", text))
    reason = "нет ответа компании" if kind == "deleted" else "нет текста"
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert (found["outcome"], found["outcome_reason"]) == ("skipped", reason)
    assert found["messages"][1]["text"] == shown
    assert (await fetch_reports(stage), len(list_questions(stage))) == ([], 1)
    assert mailed["ungraded"][0]["reason"] == reason
    assert text not in stage.last_mail()


async def test_placeholder_of_a_deletion_keeps_the_stored_text(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=5)
    await stage.sync()
    stage.avito.switches.deleted_as_text = True
    stage.avito.delete_message(chat.id, chat.messages[1].id)
    await run_day(stage)
    deleted = (await fetch_chat(stage, chat))["messages"][1]
    assert (deleted["text"], deleted["type"]) == (GOOD_TALK[1][1], "text")
    assert deleted["deleted_at"] is not None
    assert deleted["has_text"]


async def test_answer_that_was_deleted_before_a_sync_leaves_the_buyer_waiting(stage: Stage) -> None:
    """A seller could end every wait with a dot and delete it."""
    chat = stage.add_talk(*GOOD_TALK, ("client", "А доставка есть?"), ("company", "."))
    stage.avito.delete_message(chat.id, chat.messages[-1].id)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert found["waiting_since"] == found["messages"][-2]["sent_at"]
    assert chat.id in [buyer["chat_id"] for buyer in mailed["waiting_buyers"]]


async def test_buyer_who_deleted_the_question_before_a_sync_does_not_wait(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, ("client", "Ой, не туда"))
    stage.avito.delete_message(chat.id, chat.messages[-1].id)
    mailed = await run_day(stage)
    assert (await fetch_chat(stage, chat))["waiting_since"] is None
    assert mailed["waiting_buyers"] == []


async def test_quoted_placeholder_is_graded_as_words(stage: Stage) -> None:
    quoted = f"У меня написано «{DELETED_PLACEHOLDER}», повторите"
    stage.add_talk(("client", quoted), *GOOD_TALK)
    await run_day(stage)
    assert [quoted in question for question in list_questions(stage)].count(True) == 1


@pytest.mark.parametrize("kind", ["appCall", "file", "video"])
async def test_unsupported_type_that_arrives_as_a_text_has_none(stage: Stage, kind: str) -> None:
    stage.avito.switches.unsupported_as_text = True
    chat = stage.add_talk(QUESTION)
    add_call(stage, chat, "company", {}, kind)
    await run_day(stage)
    assert (await fetch_chat(stage, chat))["outcome_reason"] == "нет текста"


@pytest.mark.parametrize("prefix", ["", "[Системное сообщение] "])
async def test_notice_of_the_assistant_neither_answers_nor_waits(stage: Stage, prefix: str) -> None:
    chat = stage.add_talk(QUESTION, ("client", prefix + ASSISTANT), minutes_ago=90)
    lone = stage.add_talk(*GOOD_TALK, ("client", prefix + ASSISTANT), minutes_ago=90)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert found["messages"][1]["side"] == "system"
    assert (found["outcome_reason"], found["waiting_since"]) == (
        "ответил только ассистент Авито",
        found["messages"][0]["sent_at"],
    )
    assert (await fetch_chat(stage, lone))["waiting_since"] is None
    assert [buyer["chat_id"] for buyer in mailed["waiting_buyers"]] == [chat.id]


@pytest.mark.parametrize("prefix", ["", "[Системное сообщение] "])
async def test_lead_without_a_message_is_skipped_counted_and_does_not_wait(
    stage: Stage, prefix: str
) -> None:
    chat = stage.add_talk(("client", prefix + LEAD))
    await stage.sync()
    assert (await stage.analyze())["skipped_chats"] == 1
    assert (await stage.analyze())["skipped_chats"] == 0
    mailed, found = await run_day(stage), await fetch_chat(stage, chat)
    reason = "клиент создал чат, но ничего не написал"
    assert (found["outcome"], found["outcome_reason"]) == ("skipped", reason)
    assert (found["waiting_since"], found["unanswered_since"]) == (None, None)
    assert [(entry["chat_id"], entry["reason"]) for entry in mailed["ungraded"]] == [
        (chat.id, reason)
    ]
    assert mailed["waiting_buyers"] == []
    assert mailed["coverage"] == {"graded": 1, "skipped": {reason: 1}, "failed": 0, "waiting": 0}
    assert reason in stage.last_mail()
    assert len(list_questions(stage)) == 1


async def test_lead_that_writes_later_is_graded_and_counted_once(stage: Stage) -> None:
    chat = stage.add_talk(("client", LEAD), minutes_ago=120)
    await stage.sync()
    await stage.analyze()
    for minutes, (side, text) in enumerate((QUESTION, ANSWER)):
        at = stage.clock() - timedelta(minutes=90 - minutes)
        stage.avito.add_message(
            chat.id, "client" if side == "client" else "company", text=text, at=at
        )
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert (found["outcome"], mailed["reports"], mailed["ungraded"]) == ("graded", 2, [])
    leads = await stage.rows("SELECT 1 FROM chats WHERE lead_message_id IS NOT NULL")
    assert leads == []


async def test_lead_to_which_the_company_writes_has_no_client_message(stage: Stage) -> None:
    chat = stage.add_talk(("client", LEAD), ("company", "Добрый день! Чем помочь?"))
    await run_day(stage)
    assert (await fetch_chat(stage, chat))["outcome_reason"] == "нет сообщений клиента"


@pytest.mark.parametrize("kind", ["call", "appCall"])
@pytest.mark.parametrize("side", ["client", "company"])
async def test_completed_call_ends_a_wait(stage: Stage, side: Side, kind: str) -> None:
    chat = stage.add_talk(*GOOD_TALK, ("client", "А доставка есть?"), minutes_ago=90)
    add_call(stage, chat, side, COMPLETED, kind)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert (found["waiting_since"], found["unanswered_since"]) == (None, None)
    assert found["messages"][-1]["text"] == "[состоявшийся звонок]"
    assert (mailed["waiting_buyers"], mailed["reports"]) == ([], 2)


@pytest.mark.parametrize(
    ("side", "content", "kind"),
    [
        ("company", MISSED, "call"),
        ("company", {"call": {"status": "rejected"}}, "call"),
        ("company", {}, "call"),
        ("company", {}, "appCall"),
        ("client", {"call": {"status": "rejected"}}, "call"),
        ("client", {}, "appCall"),
    ],
)
async def test_other_call_changes_no_wait(
    stage: Stage, side: Side, content: dict[str, Any], kind: str
) -> None:
    waiting = stage.add_talk(QUESTION, minutes_ago=90)
    answered = stage.add_talk(*GOOD_TALK, minutes_ago=90)
    for chat in (waiting, answered):
        add_call(stage, chat, side, content, kind)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, waiting)
    asked = found["messages"][0]["sent_at"]
    assert (found["waiting_since"], found["unanswered_since"]) == (asked, asked)
    assert found["outcome_reason"] == "нет ответа компании"
    assert found["missed_call_at"] is None
    done = await fetch_chat(stage, answered)
    assert (done["waiting_since"], done["unanswered_since"]) == (None, None)
    (buyer,) = mailed["waiting_buyers"]
    assert (buyer["chat_id"], buyer["missed_call"]) == (waiting.id, False)
    assert "перезвоните" not in stage.last_mail()


async def test_missed_call_of_the_buyer_waits_and_asks_for_a_call_back(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=300)
    add_call(stage, chat, "client", MISSED)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    called = found["messages"][-1]
    assert called["text"] == "[пропущенный звонок]"
    assert (
        found["waiting_since"]
        == found["unanswered_since"]
        == found["missed_call_at"]
        == called["sent_at"]
    )
    (buyer,) = mailed["waiting_buyers"]
    assert (buyer["chat_id"], buyer["missed_call"]) == (chat.id, True)
    assert "звонил, перезвоните" in stage.last_mail()
    page = await stage.rest.get(f"/api/v1/reports/daily/{mailed['day']}")
    assert "звонил, перезвоните" in page.text


async def test_answered_missed_call_asks_for_nothing(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=300)
    add_call(stage, chat, "client", MISSED)
    add_call(stage, chat, "company", COMPLETED)
    mailed = await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert (found["missed_call_at"], found["waiting_since"]) == (None, None)
    assert mailed["waiting_buyers"] == []


async def test_chat_of_calls_alone_has_no_text(stage: Stage) -> None:
    chat = stage.add_talk(minutes_ago=90)
    add_call(stage, chat, "client", COMPLETED)
    await run_day(stage)
    found = await fetch_chat(stage, chat)
    assert (found["outcome"], found["outcome_reason"]) == ("skipped", "нет текста")


@pytest.mark.parametrize("is_answered", [False, True])
async def test_missed_call_without_an_answer_lowers_the_closure(
    stage: Stage, is_answered: bool
) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=300)
    add_call(stage, chat, "client", MISSED)
    if is_answered:
        add_call(stage, chat, "company", COMPLETED)
    await run_day(stage)
    (report,) = await fetch_reports(stage)
    assert (report["closure_grade"] == "Высокая") is is_answered
