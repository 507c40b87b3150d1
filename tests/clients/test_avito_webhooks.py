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


async def test_subscriptions_are_made_listed_and_taken_back(
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
async def test_they_are_repeated_like_reads(
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


async def test_an_expired_token_is_renewed_for_them_too(
    avito: AvitoClient, local_avito: LocalAvito
) -> None:
    await avito.get_self()
    local_avito.expire_tokens()
    await avito.subscribe_webhook(URL)
    assert local_avito.accounts[0].webhooks == [URL]


async def test_a_refusal_is_told_without_the_secret_that_avito_repeats(
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


async def test_a_subscription_that_avito_does_not_confirm_is_none(
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
async def test_lists_are_read_in_every_shape(
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
