"""``GET /chats/{chat_id}``: messages as text, reports, and a chat ID that two accounts share."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoListing, SandboxBuyer, numbered_account
from app.sandbox.deepseek_faults import BAD_REQUEST
from app.sandbox.server import Sandbox
from tests.support.stage import GOOD_TALK, MovableClock, Stage, on_stage


async def fetch_chat(
    stage: Stage, chat_id: str, status: int = 200, **params: str
) -> dict[str, Any]:
    answer = await stage.rest.get(f"/api/v1/chats/{chat_id}", params=params)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_chat_has_avitos_data(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, title="Диван угловой", client="Анна")
    assert "~" in chat.id
    await stage.sync()
    found = await fetch_chat(stage, chat.id)
    account = stage.avito.accounts[0]
    assert (found["id"], found["account"], found["account_id"]) == (
        chat.id,
        account.name,
        account.user_id,
    )
    assert (found["title"], found["client_name"], found["price"], found["type"]) == (
        "Диван угловой",
        "Анна",
        "1 000 ₽",
        "u2i",
    )
    assert str(found["url"]).startswith("https://")
    assert found["history_complete"] is True
    assert (found["outcome"], found["outcome_reason"], found["outcome_at"], found["reports"]) == (
        "waiting",
        None,
        None,
        [],
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/avito.ru",
        "https://avito.ru@evil.example/",
        "https://avito.ru\\.evil.example",
        "javascript:1",
    ],
)
async def test_foreign_listing_urls_are_hidden(stage: Stage, url: str) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.change("UPDATE chats SET item_url = :url", url=url)
    assert (await fetch_chat(stage, chat.id))["url"] is None


async def test_messages_are_text_oldest_first_in_the_report_timezone(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    stage.avito.add_message(chat.id, "client", type="image")
    stage.avito.add_message(
        chat.id, "system", type="system", text="[Системное сообщение] Объявление снято"
    )
    await stage.sync()
    messages = (await fetch_chat(stage, chat.id))["messages"]
    assert [(message["side"], message["text"]) for message in messages[:4]] == list(GOOD_TALK)
    picture, notice = messages[4:]
    assert (picture["side"], picture["type"], picture["text"], picture["has_text"]) == (
        "client",
        "image",
        "[фото]",
        False,
    )
    assert notice["side"] == "system"
    assert all(message["has_text"] and message["type"] == "text" for message in messages[:4])
    assert [message["is_read"] for message in messages[:3]] == [True, True, True]
    assert all(message["deleted_at"] is None for message in messages)
    moments = [datetime.fromisoformat(message["sent_at"]) for message in messages]
    assert [int(moment.timestamp()) for moment in moments] == [
        message.created for message in chat.messages
    ]
    assert all(message["sent_at"].endswith("+03:00") for message in messages)


async def test_every_chat_of_every_kind_is_shown(full_stage: Stage) -> None:
    stage = full_stage
    await stage.sync()
    await stage.analyze()
    listed = await stage.reports()
    for chat in stage.avito.accounts[0].chats.values():
        found = await fetch_chat(stage, chat.id)
        assert len(found["messages"]) == len(chat.messages)
        assert found["reports"] == [report for report in listed if report["chat_id"] == chat.id]
        assert (found["outcome"] == "graded") is bool(found["reports"])
        assert bool(found["outcome_reason"]) is (found["outcome"] == "skipped")


async def test_deleted_message_keeps_its_text_and_has_deleted_at(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    stage.avito.delete_message(chat.id, chat.messages[1].id)
    stage.avito.add_message(chat.id, "client", text="Вы тут?")
    await stage.sync()
    messages = (await fetch_chat(stage, chat.id))["messages"]
    assert messages[1]["text"] == GOOD_TALK[1][1]
    assert datetime.fromisoformat(messages[1]["deleted_at"]) <= stage.clock()
    assert [message["deleted_at"] for message in messages if message is not messages[1]] == [
        None
    ] * 4


async def test_reports_equal_the_list_newest_first(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    for more in (None, "Можно завтра?"):
        if more:
            stage.avito.add_message(chat.id, "client", text=more)
            stage.clock.move(minutes=31)
        await stage.sync()
        await stage.analyze()
    await stage.copy_first_report(2)
    await stage.change("UPDATE reports SET kind = 'regrade' WHERE id = 1002")
    found = (await fetch_chat(stage, chat.id))["reports"]
    assert [report["id"] for report in found] == [
        2,
        1001,
        1,
    ], "of reports with equal times the one written later comes first"
    assert found == await stage.reports()


async def test_outcome_reason_is_russian(stage: Stage) -> None:
    lonely = stage.add_talk(("client", "Есть кто живой?"), title="", client=None)
    good = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    skipped = await fetch_chat(stage, lonely.id)
    assert (skipped["outcome"], skipped["outcome_reason"]) == ("skipped", "нет ответа компании")
    assert (skipped["title"], skipped["client_name"]) == ("Чат без объявления", "Клиент")
    graded = await fetch_chat(stage, good.id)
    assert (graded["outcome"], graded["outcome_reason"]) == ("graded", None)
    assert graded["outcome_at"].endswith("+03:00")
    stage.avito.add_message(good.id, "client", text="Ау?")
    await stage.sync()
    stage.clock.move(minutes=31)
    stage.sandbox.deepseek.switches.fail(BAD_REQUEST, times=1)
    await stage.analyze()
    failed = await fetch_chat(stage, good.id)
    assert failed["outcome"] == "failed"
    assert "DeepSeek не принял запрос" in failed["outcome_reason"]
    assert len(failed["reports"]) == 1


async def test_answer_times_cover_the_whole_chat(stage: Stage) -> None:
    """Two episodes a year apart; the second question is still unanswered."""
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=365 * 24 * 60)
    asked = stage.clock() - timedelta(hours=5)
    stage.avito.add_message(chat.id, "client", text="А ещё есть?", at=asked)
    stage.avito.add_message(chat.id, "client", text="?", at=asked + timedelta(hours=1))
    await stage.sync()
    found = await fetch_chat(stage, chat.id)
    times = found["answer_times"]
    assert times["first_answer_seconds"] == 120
    assert 5 * 3600 <= times["longest_wait_seconds"] < 5 * 3600 + 120
    assert times["waiting_since"] == found["waiting_since"] == found["messages"][-2]["sent_at"]
    stage.avito.add_message(chat.id, "company", text="Есть")
    await stage.sync()
    found = await fetch_chat(stage, chat.id)
    assert (
        found["waiting_since"]
        is found["unanswered_since"]
        is found["answer_times"]["waiting_since"]
        is None
    )


async def test_buyer_waits_as_long_as_in_the_mail(stage: Stage) -> None:
    """Seven days after the last question, regardless of the first one.

    After that only ``unanswered_since`` is set.
    """
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=9 * 24 * 60)
    for days_ago in (8, 6.9):
        stage.avito.add_message(
            chat.id, "client", text="Ау?", at=stage.clock() - timedelta(days=days_ago)
        )
    await stage.sync()
    for hours, waits in ((0, True), (3, False)):
        stage.clock.move(hours=hours)
        await stage.analyze(force=True, chat_ids=[chat.id])
        await stage.mail()
        named = [row["chat"] for row in await stage.rows(_BUYERS)]
        found = await fetch_chat(stage, chat.id)
        first = found["messages"][-2]["sent_at"]
        assert (named, found["waiting_since"]) == (([chat.id], first) if waits else ([], None))
        assert found["waiting_since"] == found["answer_times"]["waiting_since"]
        assert found["unanswered_since"] == first
        assert found["answer_times"]["longest_wait_seconds"] >= 8 * 24 * 3600


_BUYERS = """
    SELECT jsonb_array_elements(figures -> 'waiting_buyers') ->> 'chat_id' AS chat
    FROM digests WHERE id = (SELECT max(id) FROM digests)
"""


async def test_only_working_hours_count_if_set(database_url: str) -> None:
    """Asked on Friday evening, read on Monday at eleven."""
    clock = MovableClock()
    clock.set(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    async with (
        Sandbox(avito=LocalAvito(clock=clock)) as sandbox,
        on_stage(database_url, sandbox, clock, working_hours="Пн-Пт 10:00-19:00") as stage,
    ):
        chat = stage.avito.add_chat(at=datetime(2026, 11, 20, 15, 50, tzinfo=UTC))
        stage.avito.add_message(
            chat.id, "client", text="Актуально?", at=datetime(2026, 11, 20, 15, 50, tzinfo=UTC)
        )
        await stage.sync()
        times = (await fetch_chat(stage, chat.id))["answer_times"]
    assert times["first_answer_seconds"] is None
    assert 70 * 60 <= times["longest_wait_seconds"] < 72 * 60, (
        "ten minutes on Friday, an hour on Monday"
    )
    assert times["waiting_since"] == "2026-11-20T18:50:00+03:00"


async def test_at_night_a_buyer_waits_and_the_chat_settles_not_if_no_hours_are_set(
    database_url: str,
) -> None:
    """Asked at ten in the evening, read at two in the night. The answer time counts all hours."""
    clock = MovableClock()
    clock.set(datetime(2026, 11, 20, 23, 0, tzinfo=UTC))
    async with (
        Sandbox(avito=LocalAvito(clock=clock)) as sandbox,
        on_stage(database_url, sandbox, clock, working_hours=None) as stage,
    ):
        asked_at = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
        chat = stage.avito.add_chat(at=asked_at)
        stage.avito.add_message(chat.id, "client", text="Актуально?", at=asked_at)
        await stage.sync()
        found = await fetch_chat(stage, chat.id)
    assert found["outcome_reason"] == "разговор ещё идёт"
    assert 4 * 3600 <= found["answer_times"]["longest_wait_seconds"] < 4 * 3600 + 120


async def test_account_is_required_if_two_accounts_have_the_chat(database_url: str) -> None:
    avito = LocalAvito([numbered_account(1), numbered_account(2)])
    async with Sandbox(avito=avito) as sandbox, on_stage(database_url, sandbox) as stage:
        for number, account in enumerate(avito.accounts):
            item, client = (
                AvitoListing(8_200_000_000 + number, f"Товар {number}"),
                SandboxBuyer(6_200_000_000 + number, "Анна"),
            )
            avito.add_chat(chat_id="u2i-shared~1", account=account, item=item, client=client)
            avito.add_message("u2i-shared~1", "client", text=f"Вопрос {number}", account=account)
        alone = avito.add_chat(account=avito.accounts[1])
        avito.add_message(alone.id, "client", text="Один", account=avito.accounts[1])
        await stage.sync()
        refused = await fetch_chat(stage, "u2i-shared~1", 400)
        assert [error["field"] for error in refused["errors"]] == ["account"]
        for number, account in enumerate(avito.accounts):
            assert account.name in refused["message"]
            assert str(account.user_id) in refused["message"]
            for word in (account.name, str(account.user_id)):
                found = await fetch_chat(stage, "u2i-shared~1", account=word)
                assert (found["account_id"], found["title"]) == (account.user_id, f"Товар {number}")
                assert [message["text"] for message in found["messages"]] == [f"Вопрос {number}"]
        assert (await fetch_chat(stage, alone.id))["account"] == avito.accounts[1].name
        assert "status" in await fetch_chat(stage, alone.id, 404, account=avito.accounts[0].name)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("u2i-nobody~1", 404),
        ("u2i-nobody~1?account=Склад", 404),
        ("u2i-1?acount=1", 400),
        ("u2i-%00", 400),
        ("u2i-1?account=%00", 400),
    ],
)
async def test_unknown_chat_and_invalid_request_have_the_error_body(
    stage: Stage, path: str, status: int
) -> None:
    answer = await stage.rest.get(f"/api/v1/chats/{path}")
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["status"] == "error"
    assert body["message"]
    assert ("errors" in body) is (status == 400)


async def test_no_chat_is_shown_without_a_key(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    stage.rest.headers.pop("X-API-Key")
    assert (await stage.rest.get(f"/api/v1/chats/{chat.id}")).status_code == 401
