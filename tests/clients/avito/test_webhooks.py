"""Webhook subscriptions, and parsing of a webhook's body."""

from collections.abc import Callable
from typing import Any

import pytest

from app.clients.avito import (
    AvitoClient,
    AvitoHint,
    AvitoRequestError,
    AvitoUnavailableError,
    parse_hint,
)
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_switches import (
    CUT,
    ERROR_UNDER_200,
    SERVER_ERROR,
    error_body,
    html,
    too_many,
)
from app.sandbox.faults import CannedResponse

URL = "https://quality.example.ru/webhooks/avito/canary-secret"
OTHER = "https://crm.example.ru/avito"


async def test_subscriptions_are_created_listed_and_deleted(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    assert await avito.list_webhooks() == ()
    for url in (OTHER, URL, URL):
        await avito.subscribe_webhook(url)
    assert await avito.list_webhooks() == (OTHER, URL)
    for _ in range(2):
        await avito.unsubscribe_webhook(URL)
    assert local_avito.accounts[0].webhooks == [OTHER]


@pytest.mark.parametrize("fault", [SERVER_ERROR, ERROR_UNDER_200, html(200), CUT, too_many()])
async def test_webhook_calls_are_retried(
    avito: AvitoClient, local_avito: LocalAvito, fault: Any
) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: avito.subscribe_webhook(URL),
        avito.list_webhooks,
        lambda: avito.unsubscribe_webhook(URL),
    ]
    paths = (
        "/messenger/v3/webhook",
        "/messenger/v1/subscriptions",
        "/messenger/v1/webhook/unsubscribe",
    )
    for call, path in zip(calls, paths, strict=True):
        local_avito.switches.fail(fault, path=path)
        await call()
        assert [request.method for request in local_avito.requests if request.path == path] == [
            "POST",
            "POST",
        ]


async def test_webhook_calls_renew_an_expired_token(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    await avito.get_self()
    local_avito.expire_tokens()
    await avito.subscribe_webhook(URL)
    assert local_avito.accounts[0].webhooks == [URL]


async def test_refusal_message_omits_the_secret_in_avitos_response(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(
        CannedResponse(
            400, error_body(400, f"bad url {URL}: /webhooks/avito/canary-secret is away")
        ),
        path="/webhook",
    )
    with pytest.raises(AvitoRequestError, match="bad url https://quality") as caught:
        await avito.subscribe_webhook(URL)
    assert "canary" not in caught.value.message


async def test_unconfirmed_subscription_is_an_error(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    local_avito.switches.fail(CannedResponse(200, {"ok": False}), path="/webhook", times=None)
    for change in (avito.subscribe_webhook, avito.unsubscribe_webhook):
        with pytest.raises(AvitoUnavailableError):
            await change(URL)


@pytest.mark.parametrize(
    ("body", "urls"),
    [
        ({"subscriptions": [{"url": URL, "version": "3"}, {"version": "2"}, None]}, (URL,)),
        ([{"url": URL}], (URL,)),
        ({"subscriptions": None}, ()),
        ({}, ()),
    ],
)
async def test_subscriptions_are_parsed_in_every_format(
    avito: AvitoClient, local_avito: LocalAvito, body: Any, urls: tuple[str, ...]
) -> None:
    local_avito.switches.fail(CannedResponse(200, body), path="/subscriptions")
    assert await avito.list_webhooks() == urls


def test_a_hint_is_the_chat_and_the_account(local_avito: LocalAvito, chat_id: str) -> None:
    account = local_avito.accounts[0]
    for message in local_avito.chat(chat_id).messages:
        assert parse_hint(local_avito.webhook(chat_id, message.id)) == AvitoHint(
            account.user_id, chat_id, "u2i"
        )
    envelope = {
        "payload": {
            "type": "message",
            "value": {"user_id": "49", "chat_id": "x", "chat_type": "s2s"},
        }
    }
    assert parse_hint(envelope) == AvitoHint(49, "x", None)
