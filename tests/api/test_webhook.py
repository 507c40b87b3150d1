"""The webhook receiver: every notification gets a 200, valid or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from app.adapters import open_avito_clients
from app.config import load_settings
from app.database.connection import Limits
from app.errors import SettingsError
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoChat
from app.sandbox.server import Sandbox, serve_app
from app.services.sync.hints import CONFIRMED_A_MINUTE, DROPPED, MAX_UNKNOWN
from tests.support.clusters import fetch_value
from tests.support.command_line import free_port
from tests.support.stage import GOOD_TALK, Stage, make_app, on_stage, until
from tests.support.webhooks import OK, RECEIVER, SECRET, count_hints, post_webhook, post_webhooks


@pytest.fixture
def stage(receiving_stage: Stage) -> Stage:
    return receiving_stage


async def test_every_notification_gets_a_200(stage: Stage) -> None:
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
        answer = await post_webhook(stage, content)
        assert (answer.status_code, answer.json()) == OK, content
    await post_webhooks(stage, chat)  # the queue is ordered: everything before has been handled
    assert await stage.rows("SELECT avito_id, hints FROM chats") == [
        {"avito_id": chat.id, "hints": 1}
    ]


async def test_wrong_secret_is_a_404(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    envelope = stage.avito.webhook(chat.id, chat.messages[-1].id)
    nowhere = await stage.rest.post("/nothing")
    for secret in (
        "",
        "wrong",
        SECRET[:-1],
        SECRET + "1",
        SECRET.upper(),
        "секрет",
        SECRET + "/more",
    ):
        answer = await post_webhook(stage, envelope, secret=secret)
        assert (answer.status_code, answer.json()) == (404, nowhere.json())
    assert set(nowhere.json()) == {"status", "message"}
    await post_webhooks(stage, chat)
    assert await count_hints(stage, chat) == 1


async def test_other_methods_and_too_large_bodies_are_http_errors(stage: Stage) -> None:
    for answer, status in (
        (await post_webhook(stage, {}, method="GET"), 405),
        (await post_webhook(stage, b" " * 1_000_001), 413),
    ):
        assert answer.status_code == status
        assert answer.json()["status"] == "error"


async def test_receiver_is_not_in_the_openapi_document(stage: Stage) -> None:
    assert "webhook" not in (await stage.rest.get("/openapi.json")).text


async def test_switched_off_receiver_is_a_404(database_url: str) -> None:
    async with Sandbox(avito=LocalAvito()) as sandbox, on_stage(database_url, sandbox) as stage:
        for method in ("POST", "GET"):
            answer = await post_webhook(stage, {}, method=method)
            assert (answer.status_code, answer.json()) == (
                404,
                (await stage.rest.post("/nothing")).json(),
            )


@pytest.mark.parametrize("missing", ["AVITO_WEBHOOK_SECRET", "PUBLIC_URL"])
def test_one_of_the_two_settings_alone_is_rejected(missing: str) -> None:
    given = {name: value for name, value in RECEIVER.items() if name != missing.lower()}
    with pytest.raises(SettingsError, match=f"^{missing}: не задано") as caught:
        load_settings(_env_file=None, **given)
    assert SECRET not in caught.value.message


async def test_slow_database_delays_no_response_and_loses_no_hint_of_a_known_chat(
    stage: Stage,
) -> None:
    first, last = (stage.add_talk(*GOOD_TALK, minutes_ago=minutes) for minutes in (600, 700))
    await stage.sync()
    await post_webhooks(stage, first)  # by now both are known
    before = count_dropped("queue_full")
    app = make_app(stage.service)
    async with (
        stage.service.database.with_limits(
            Limits(statement=0, lock=0, idle=0)
        ).transaction() as session,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost:8000"
        ) as http,
    ):
        connection = await session.connection()
        await connection.exec_driver_sql("LOCK TABLE chats")
        unknown = [
            make_envelope(stage, last, f"u2u-{number}") for number in range(MAX_UNKNOWN + 50)
        ]
        for envelope in (
            *unknown,
            make_envelope(stage, first, first.id),
            make_envelope(stage, last, last.id),
        ):
            answer = await http.post(f"/webhooks/avito/{SECRET}", json=envelope)
            assert (answer.status_code, answer.json()) == OK  # while the table is locked
    await until(lambda: is_marked(stage, first, 2))
    await until(lambda: is_marked(stage, last, 1))
    assert count_dropped("queue_full") - before == 50


def make_envelope(stage: Stage, chat: AvitoChat, chat_id: str) -> dict[str, Any]:
    """Return the webhook of a chat's last message, with another chat ID."""
    envelope = stage.avito.webhook(chat.id, chat.messages[-1].id)
    return {
        **envelope,
        "payload": {
            "type": "message",
            "value": {**envelope["payload"]["value"], "chat_id": chat_id},
        },
    }


def count_dropped(reason: str) -> float:
    """Return the number of hints that this process has dropped for this reason."""
    return float(DROPPED.labels(reason)._value.get())


async def is_marked(stage: Stage, chat: AvitoChat, times: int) -> bool:
    return await count_hints(stage, chat) == times


async def test_unknown_chat_ids_are_not_stored_and_their_checks_are_rate_limited(
    stage: Stage,
) -> None:
    known = stage.add_talk(*GOOD_TALK, minutes_ago=600)
    await stage.sync()
    stage.avito.requests.clear()
    before, app = count_dropped("unknown_chat"), make_app(stage.service)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost:8000"
    ) as http:
        for number in range(200):
            await http.post(
                f"/webhooks/avito/{SECRET}",
                json=make_envelope(stage, known, f"u2i-made-up-{number}"),
            )
    await post_webhooks(stage, known)

    async def is_dropped() -> bool:
        return count_dropped("unknown_chat") > before

    await until(is_dropped)
    assert (
        len([request for request in stage.avito.requests if "made-up" in request.path])
        <= CONFIRMED_A_MINUTE
    )
    assert [row["avito_id"] for row in await stage.rows("SELECT avito_id FROM chats")] == [known.id]
    assert (await stage.sync())["incomplete_chats"] == 0
    metrics = (await stage.rest.get("/metrics")).text
    assert 'avito_quality_webhook_hints_dropped_total{reason="unknown_chat"}' in metrics


async def test_hints_of_a_database_outage_are_delayed_not_lost(
    cluster_url: str, postgres_url: str
) -> None:
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(postgres_url, sandbox, **RECEIVER) as stage,
    ):
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await stage.sync()
        await post_webhooks(stage, chat)
        async with without_database(cluster_url, str(make_url(postgres_url).database)):
            answer = await post_webhook(stage, stage.avito.webhook(chat.id, chat.messages[-1].id))
            assert (answer.status_code, answer.json()) == OK
            assert (await stage.rest.get("/health/ready")).status_code == 503
        await until(lambda: is_marked(stage, chat, 2))


@asynccontextmanager
async def without_database(cluster_url: str, name: str) -> AsyncIterator[None]:
    """Make the database unavailable to the service during the context."""
    await fetch_value(cluster_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await fetch_value(
        cluster_url,
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"  # noqa: S608
        f" WHERE datname = '{name}'",
    )
    await fetch_value(cluster_url, f"ALTER DATABASE {name} RENAME TO {name}_hidden")
    await fetch_value(cluster_url, f"ALTER DATABASE {name}_hidden ALLOW_CONNECTIONS true")
    yield
    await fetch_value(cluster_url, f"ALTER DATABASE {name}_hidden RENAME TO {name}")


async def test_subscribed_url_is_the_receivers(
    database_url: str,
) -> None:
    port = free_port()
    async with (
        Sandbox(avito=LocalAvito()) as sandbox,
        on_stage(
            database_url,
            sandbox,
            avito_webhook_secret=SECRET,
            public_url=f"http://127.0.0.1:{port}/",
        ) as stage,
        serve_app(make_app(stage.service), port=int(port)),
        open_avito_clients(stage.service.settings) as [(_, client)],
    ):
        await stage.sync()
        url = stage.service.settings.webhook_url
        assert url
        await client.subscribe_webhook(url)
        chat = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        deliveries = await stage.avito.notify(chat.id, chat.messages[-1].id)
        assert [delivery.status for delivery in deliveries] == [200]

        async def marked() -> bool:
            return await count_hints(stage, chat) == 1

        await until(marked)
