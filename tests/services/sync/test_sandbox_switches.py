"""Sync under every switch of the local Avito: complete, correct, and failures are named."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoChat
from app.sandbox.avito_switches import (
    CUT,
    ERROR_UNDER_200,
    FORBIDDEN,
    SERVER_ERROR,
    UNAVAILABLE,
    html,
    too_many,
)
from app.sandbox.faults import Behaviour, CannedResponse, Slow
from app.sandbox.server import Sandbox
from tests.support.avito_worlds import assert_equal, assert_manners, emptied, furnish
from tests.support.stage import Stage, on_stage


@pytest_asyncio.fixture(scope="module")
async def shared_stage(migrated_url: str) -> AsyncIterator[Stage]:
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(migrated_url, sandbox) as stage:
        yield stage


@pytest_asyncio.fixture
async def stage(shared_stage: Stage) -> AsyncIterator[Stage]:
    async with emptied(shared_stage) as stage:
        yield stage


def switch(**values: Any) -> Callable[[Stage], None]:
    """Return a function that sets switches of the local Avito."""

    def apply(stage: Stage) -> None:
        for name, value in values.items():
            setattr(stage.avito.switches, name, value)

    return apply


WAYS: dict[str, Callable[[Stage], None]] = {
    "as it mostly does": switch(
        messages_as="object",
        read_flag="isRead",
        has_more=True,
        system_author_id=0,
        u2u_context="absent",
    ),
    "has_more absent": switch(has_more=False),
    "messages as an array": switch(messages_as="array"),
    "read flag is_read": switch(read_flag="is_read"),
    "no context": switch(drop_chat_keys={"context"}),
    "no users": switch(drop_chat_keys={"users"}),
    "no last_message": switch(drop_chat_keys={"last_message"}),
    "no updated": switch(drop_chat_keys={"updated"}),
    "nothing but ids": switch(
        drop_chat_keys={"context", "users", "last_message", "updated", "created"}
    ),
    "no author": switch(drop_message_keys={"author_id"}),
    "no read flag": switch(drop_message_keys={"isRead", "read"}),
    "empty titles": switch(empty_titles=True),
    "nameless users": switch(nameless_users=True),
    "u2u with an empty context": switch(u2u_context="empty"),
    "system author 1": switch(system_author_id=1),
    "system told by author and prefix alone": switch(system_as_text=True),
    "deleted messages as a text": switch(deleted_as_text=True),
    "pages shorter than asked for": switch(page_cap=2),
    "tokens of a second": switch(token_seconds=1),
}


@pytest.mark.parametrize("way", WAYS)
async def test_everything_is_copied_under_every_switch(stage: Stage, way: str) -> None:
    """The first sync and one after a new message: the same chats and figures."""
    WAYS[way](stage)
    chats = furnish(stage)
    messages = sum(len(chat.messages) for chat in chats)
    answer = await stage.sync()
    assert (
        answer["synced_chats"],
        answer["new_chats"],
        answer["new_messages"],
        answer["incomplete_chats"],
    ) == (6, 6, messages, 0)
    await assert_equal(stage)
    stage.avito.add_message(chats[1].id, "client", text="Ещё вопрос")
    answer = await stage.sync()
    assert (
        answer["synced_chats"],
        answer["new_chats"],
        answer["updated_chats"],
        answer["new_messages"],
    ) == (6, 0, 1, 1)
    await assert_equal(stage)


async def test_missing_values_have_placeholders(stage: Stage) -> None:
    """Titles and names that Avito omits; the type of a message is stored with its raw content."""
    *_, notice, empty = furnish(stage)
    await stage.sync()
    shown = {
        chat.id: (await stage.rest.get(f"/api/v1/chats/{chat.id}")).json()
        for chat in (notice, empty)
    }
    assert (shown[empty.id]["title"], shown[empty.id]["client_name"]) == (
        "Чат без объявления",
        "Клиент",
    )
    assert (shown[notice.id]["type"], shown[notice.id]["messages"][0]["side"]) == ("a2u", "system")
    assert await stage.rows("SELECT content FROM messages WHERE type = 'sticker'") == [
        {"content": {"sticker": {"id": 7}}}
    ]


PASSING: dict[str, Behaviour] = {
    "429": too_many(),
    "429 with Retry-After": too_many("7"),
    "429 with X-RateLimit": too_many(remaining=0),
    "500": SERVER_ERROR,
    "503": UNAVAILABLE,
    "HTML under 200": html(200),
    "HTML under 403": html(403),
    "error under 200": ERROR_UNDER_200,
    "cut connection": CUT,
    "slow answer": Slow(0.05),
}
PLACES = ("/token", "/self", "/chats", "/messages/")


@pytest.mark.parametrize("fault", PASSING)
async def test_transient_fault_is_retried(stage: Stage, fault: str) -> None:
    """One fault in every endpoint: token, account, list of chats, messages."""
    furnish(stage)
    stage.avito.expire_tokens()
    faults = [stage.avito.switches.fail(PASSING[fault], path=place) for place in PLACES]
    answer = await stage.sync()
    assert (answer["status"], answer["synced_chats"], answer["incomplete_chats"]) == (
        "success",
        6,
        0,
    )
    # A token that has not expired is not requested again.
    assert {place.path for place in faults if place.times} <= {"/token"}
    await assert_equal(stage)


@pytest.mark.parametrize("status", [403, 401, 200])
async def test_expired_token_is_renewed_during_a_sync(stage: Stage, status: Any) -> None:
    """The token expires between two pages of messages; Avito uses one of three statuses."""
    chats = furnish(stage)
    stage.avito.switches.expired_status = status
    stage.avito.switches.page_cap = 2
    pages = iter(range(1000))

    def expire(path: str, offset: int) -> None:
        if next(pages) in (1, 16):
            stage.avito.expire_tokens()

    stage.avito.switches.after_page = expire
    answer = await stage.sync()
    assert (answer["synced_chats"], answer["new_messages"]) == (
        6,
        sum(len(chat.messages) for chat in chats),
    )
    await assert_equal(stage)


def use_employee_keys(stage: Stage) -> None:
    stage.avito.accounts[0].employee = True


def fail_always(behaviour: Behaviour, path: str) -> Callable[[Stage], None]:
    def fail(stage: Stage) -> None:
        stage.avito.switches.fail(behaviour, path=path, times=None)

    return fail


def reject_keys(stage: Stage) -> None:
    fail_always(
        CannedResponse(
            200, {"error": "invalid_client", "error_description": "Client authentication failed"}
        ),
        "/token",
    )(stage)
    stage.avito.expire_tokens()


STAYING: dict[str, tuple[Callable[[Stage], None], str]] = {
    "keys refused under 200": (
        reject_keys,
        "Авито не принял ключи (Client authentication failed)",
    ),
    "plan off, nested": (switch(plan_missing="nested"), "не оплачен тариф с API мессенджера"),
    "plan off, flat": (switch(plan_missing="flat"), "не оплачен тариф с API мессенджера"),
    "an employee's keys": (use_employee_keys, "нужны ключи самой компании"),
    "403 for the list": (fail_always(FORBIDDEN, "/chats"), "нужны ключи самой компании"),
    "429 for the list": (fail_always(too_many(), "/chats"), "уменьшите AVITO_REQUESTS_PER_MINUTE"),
    "429 for messages": (
        fail_always(too_many("1"), "/messages/"),
        "уменьшите AVITO_REQUESTS_PER_MINUTE",
    ),
    "500 for the list": (fail_always(SERVER_ERROR, "/chats"), "Авито временно не работает (500)"),
    "503 for messages": (
        fail_always(UNAVAILABLE, "/messages/"),
        "Авито временно не работает (503)",
    ),
    "HTML for messages": (fail_always(html(200), "/messages/"), "Авито прислал не JSON"),
    "error under 200 for the list": (
        fail_always(ERROR_UNDER_200, "/chats"),
        "Авито временно не работает (200)",
    ),
    "every connection cut": (fail_always(CUT, ""), "Авито не отвечает"),
}


@pytest.mark.parametrize("fault", STAYING)
async def test_permanent_fault_is_named_and_keeps_stored_messages(stage: Stage, fault: str) -> None:
    """The fault is in the response and the run; after its end the next sync copies everything."""
    chats = furnish(stage)
    await stage.sync()
    before = await stage.rows("SELECT * FROM messages ORDER BY id")
    for chat in chats[:3]:
        stage.avito.add_message(chat.id, "client", text="Ещё вопрос")
    stage.add_talk(("client", "А мне?"), minutes_ago=1)
    apply_fault, message = STAYING[fault]
    apply_fault(stage)
    answer = await stage.post("/avito/sync", status=500)
    assert answer["status"] == "error"
    assert message in answer["message"]
    assert stage.avito.accounts[0].name in answer["message"]
    run = (await stage.rest.get("/api/v1/runs")).json()[0]
    assert (run["state"], run["message"]) == ("failed", answer["message"])
    assert (
        await stage.rows(
            "SELECT * FROM messages WHERE id <= :last ORDER BY id", last=before[-1]["id"]
        )
        == before
    )
    await assert_manners(stage)
    stage.avito.switches.faults.clear()
    stage.avito.switches.plan_missing, stage.avito.accounts[0].employee = None, False
    answer = await stage.sync()
    assert (answer["status"], answer["synced_chats"]) == ("success", 7)
    await assert_equal(stage)


@pytest.mark.parametrize("fault", ["keys refused under 200", "plan off, flat", "503 for messages"])
async def test_mail_names_the_fault_until_a_sync_succeeds(stage: Stage, fault: str) -> None:
    chats = furnish(stage)
    await stage.sync()
    apply_fault, message = STAYING[fault]
    apply_fault(stage)
    stage.avito.add_message(chats[1].id, "company", text="Что решили?")
    await stage.post("/avito/sync", status=500)
    await stage.analyze(chat_ids=[chats[0].id])
    await stage.mail()
    assert message in " ".join(stage.last_mail().split())
    stage.avito.switches.faults.clear()
    stage.avito.switches.plan_missing = None
    await stage.sync()
    await stage.analyze(chat_ids=[chats[1].id])
    await stage.mail()
    assert message not in " ".join(stage.last_mail().split())


def _move_up(stage: Stage, chats: list[AvitoChat]) -> None:
    stage.avito.add_message(chats[1].id, "client", text="Я передумал")


def _grow(stage: Stage, chats: list[AvitoChat]) -> None:
    stage.avito.add_message(chats[2].id, "company", text="И ещё")


def _appear(stage: Stage, chats: list[AvitoChat]) -> None:
    stage.add_talk(("client", "А мне?"), minutes_ago=0)


@pytest.mark.parametrize("change", [_move_up, _grow, _appear])
@pytest.mark.parametrize("place", ["/chats", "/messages/"])
async def test_change_between_pages_is_copied_by_the_next_sync(
    stage: Stage, change: Callable[[Stage, list[AvitoChat]], None], place: str
) -> None:
    chats = furnish(stage)
    stage.avito.switches.page_cap = 2
    left = [1, 1]

    def after_page(path: str, offset: int) -> None:
        if path.endswith(place) and left:
            left.pop()
            change(stage, chats)

    stage.avito.switches.after_page = after_page
    await stage.sync()
    assert not left
    stage.avito.switches.after_page = None
    await stage.sync()
    await assert_equal(stage)


async def test_message_deleted_between_pages_is_stored_as_deleted(stage: Stage) -> None:
    chats = furnish(stage)
    stage.avito.switches.page_cap = 2
    gone = chats[0].messages[0]

    def delete(path: str, offset: int) -> None:
        if chats[0].id in path:
            stage.avito.delete_message(chats[0].id, gone.id)

    stage.avito.switches.after_page = delete
    await stage.sync()
    await assert_equal(stage)
    assert (
        len(
            await stage.rows(
                "SELECT 1 FROM messages WHERE avito_id = :id AND deleted_at IS NOT NULL", id=gone.id
            )
        )
        == 1
    )
