"""Avito's webhooks: whatever is posted gets its 200, whatever stands behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from app.config import load_settings
from app.database.connection import Limits
from app.errors import SettingsError
from app.main import avito_clients, create_app
from app.sandbox.avito import LocalAvito
from app.sandbox.server import Sandbox, running
from app.services.sync.hints import MOST_WAITING
from tests.api.webhooks import OK, RECEIVER, SECRET, hints, post, tell
from tests.cli.processes import free_port
from tests.database.clusters import ask
from tests.stage import GOOD_TALK, Stage, on_stage, until


@pytest.fixture
def stage(receiving_stage: Stage) -> Stage:
    return receiving_stage


async def test_whatever_is_posted_gets_its_200(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    good = stage.avito.webhook(chat.id, chat.messages[-1].id)
    value = good["payload"]["value"]
    wrong_values: list[Any] = [
        {},
        None,
        [],
        "text",
        {**value, "user_id": 999},
        {**value, "user_id": None},
        {**value, "user_id": 10**30},
        {**value, "chat_id": ""},
        {**value, "chat_id": "\x00"},
        {**value, "chat_id": ["u2i-1"]},
        {**value, "chat_id": "u2i-" + "x" * 100_000},
    ]
    posted: list[Any] = [
        {},
        [],
        None,
        0,
        b"",
        b"not json",
        b"\xff\xfe",
        b'{"payload": NaN}',
        b"[" * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        {**good, "payload": {"type": "read", "value": value}},
        *({**good, "payload": {"type": "message", "value": wrong}} for wrong in wrong_values),
    ]
    for content in posted:
        answer = await post(stage, content)
        assert (answer.status_code, answer.json()) == OK, content
    await tell(stage, chat)  # the queue is in order: what came before is done with
    assert await stage.rows("SELECT avito_id, hints FROM chats") == [{"avito_id": chat.id, "hints": 1}]


async def test_a_wrong_secret_finds_nothing_there(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    envelope = stage.avito.webhook(chat.id, chat.messages[-1].id)
    nowhere = await stage.rest.post("/nothing")
    for secret in ("", "wrong", SECRET[:-1], SECRET + "1", SECRET.upper(), "секрет", SECRET + "/more"):
        answer = await post(stage, envelope, secret=secret)
        assert (answer.status_code, answer.json()) == (404, nowhere.json())
    assert set(nowhere.json()) == {"status", "message"}
    await tell(stage, chat)
    assert await hints(stage, chat) == 1


async def test_other_methods_and_bodies_too_large_are_http_s_own_errors(stage: Stage) -> None:
    for answer, status in ((await post(stage, {}, method="GET"), 405), (await post(stage, b" " * 1_000_001), 413)):
        assert answer.status_code == status
        assert answer.json()["status"] == "error"


async def test_it_stands_in_no_document(stage: Stage) -> None:
    assert "webhook" not in (await stage.rest.get("/openapi.json")).text


async def test_switched_off_it_does_not_exist(database_url: str) -> None:
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(database_url, sandbox) as stage:
        for method in ("POST", "GET"):
            answer = await post(stage, {}, method=method)
            assert (answer.status_code, answer.json()) == (404, (await stage.rest.post("/nothing")).json())


@pytest.mark.parametrize("missing", ["AVITO_WEBHOOK_SECRET", "PUBLIC_URL"])
def test_one_setting_of_the_two_is_refused(missing: str) -> None:
    given = {name: value for name, value in RECEIVER.items() if name != missing.lower()}
    with pytest.raises(SettingsError, match=f"^{missing}: не задано") as caught:
        load_settings(_env_file=None, **given)
    assert SECRET not in caught.value.message


async def test_a_database_that_is_slow_makes_nobody_wait_and_what_has_no_room_is_dropped(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    envelope = stage.avito.webhook(chat.id, chat.messages[-1].id)
    value = envelope["payload"]["value"]
    more = MOST_WAITING + 50
    app = create_app(stage.service)
    async with (
        stage.service.database.with_limits(Limits(statement=0, lock=0, idle=0)).transaction() as session,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as http,
    ):
        connection = await session.connection()
        await connection.exec_driver_sql("LOCK TABLE chats")
        for number in range(more):
            told = {**envelope, "payload": {"type": "message", "value": {**value, "chat_id": f"u2u-{number}"}}}
            answer = await http.post(f"/webhooks/avito/{SECRET}", json=told)
            assert (answer.status_code, answer.json()) == OK  # while the table is locked

    async def told_last() -> bool:
        await post(stage, envelope)  # dropped while the queue is full; the queue is in order
        return await hints(stage, chat) > 0

    await until(told_last, seconds=60)
    kept = len(await stage.rows("SELECT id FROM chats WHERE hints > 0 AND avito_id LIKE 'u2u-%'"))
    assert 0 < kept < more


async def test_a_database_that_is_away_costs_the_hints_of_that_time_alone(cluster_url: str, postgres_url: str) -> None:
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(postgres_url, sandbox, **RECEIVER) as stage:
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await stage.sync()
        async with without_database(cluster_url, str(make_url(postgres_url).database)):
            answer = await post(stage, stage.avito.webhook(chat.id, chat.messages[-1].id))
            assert (answer.status_code, answer.json()) == OK
            assert (await stage.rest.get("/health/ready")).status_code == 503
        await tell(stage, chat)


@asynccontextmanager
async def without_database(cluster_url: str, name: str) -> AsyncIterator[None]:
    """The database is gone, as far as the service can see; at the end it is there again."""
    await ask(cluster_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await ask(cluster_url, f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
    await ask(cluster_url, f"ALTER DATABASE {name} RENAME TO {name}_hidden")
    await ask(cluster_url, f"ALTER DATABASE {name}_hidden ALLOW_CONNECTIONS true")
    yield
    await ask(cluster_url, f"ALTER DATABASE {name}_hidden RENAME TO {name}")


async def test_what_avito_is_told_to_post_to_is_where_the_service_listens(database_url: str) -> None:
    port = free_port()
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(database_url, sandbox, avito_webhook_secret=SECRET, public_url=f"http://127.0.0.1:{port}/") as stage,
        running(create_app(stage.service), port=int(port)),
        avito_clients(stage.service.settings) as [(_, client)],
    ):
        await stage.sync()
        url = stage.service.settings.webhook_url
        assert url
        await client.subscribe_webhook(url)
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        deliveries = await stage.avito.notify(chat.id, chat.messages[-1].id)
        assert [delivery.status for delivery in deliveries] == [200]

        async def marked() -> bool:
            return await hints(stage, chat) == 1

        await until(marked)
