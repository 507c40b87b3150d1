"""Webhook: subscriptions of every account are made, shown and taken back, and no secret is on the screen."""

import json
from pathlib import Path

from app.sandbox.server import Sandbox
from tests.cli.processes import run_app, settings_for

SECRET, FORMER = "canary-webhook-secret", "former-canary-secret"
OURS = f"https://quality.example.ru/webhooks/avito/{SECRET}"
OLD = f"https://quality.example.ru/webhooks/avito/{FORMER}"
THEIRS = "https://crm.example.ru/avito/canary-of-theirs?token=canary"
RECEIVER = {"AVITO_WEBHOOK_SECRET": SECRET, "PUBLIC_URL": "https://quality.example.ru"}


async def test_every_account_is_subscribed_shown_and_unsubscribed(tmp_path: Path) -> None:
    async with Sandbox(accounts=2) as sandbox:
        first, second = sandbox.avito.accounts
        first.webhooks[:] = [THEIRS, OLD]
        settings = settings_for(sandbox, **RECEIVER)
        subscribed = await run_app(tmp_path, "webhook", "subscribe", **settings)
        assert [first.webhooks, second.webhooks] == [[THEIRS, OLD, OURS], [OURS]]
        listed = await run_app(tmp_path, "webhook", "list", **settings)
        unsubscribed = await run_app(tmp_path, "webhook", "unsubscribe", **settings)
        assert (unsubscribed.code, unsubscribed.err) == (0, "")
        assert [first.webhooks, second.webhooks] == [[THEIRS], []]
    for ended in (subscribed, listed, unsubscribed):
        assert (ended.code, ended.err) == (0, "")
        assert "canary-" not in ended.out
    assert subscribed.lines[0].startswith("! Без оплаченного тарифа")
    assert [line.partition(": ")[2] for line in listed.lines] == [
        "https://crm.example.ru/… — чужая.",
        "https://quality.example.ru/webhooks/avito/form… — наша, но с прежним секретом; её снимет unsubscribe.",
        "https://quality.example.ru/webhooks/avito/cana… — наша.",
        "https://quality.example.ru/webhooks/avito/cana… — наша.",
    ]
    assert [line.partition(": ")[2].partition(",")[0] for line in unsubscribed.lines] == ["подписка снята"] * 3


async def test_an_account_that_fails_is_told_and_does_not_stop_the_others(tmp_path: Path) -> None:
    async with Sandbox(accounts=2) as sandbox:
        first, second = sandbox.avito.accounts
        settings = settings_for(sandbox, **RECEIVER)
        accounts = json.loads(settings["AVITO_ACCOUNTS"])
        settings["AVITO_ACCOUNTS"] = json.dumps([{**accounts[0], "client_secret": "canary"}, accounts[1]])
        ended = await run_app(tmp_path, "webhook", "subscribe", **settings)
    assert ended.code == 1
    assert ended.err.startswith(f"avito-quality: Авито, «{first.name}»: Авито не принял ключи")
    assert (ended.err.count("\n"), "canary" in ended.err) == (1, False)
    assert (first.webhooks, second.webhooks) == ([], [OURS])


async def test_without_settings_there_is_nothing_to_subscribe_but_others_are_shown(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        sandbox.avito.accounts[0].webhooks.append(THEIRS)
        refused = await run_app(tmp_path, "webhook", "subscribe", **settings_for(sandbox))
        listed = await run_app(tmp_path, "webhook", "list", **settings_for(sandbox))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("avito-quality: AVITO_WEBHOOK_SECRET, PUBLIC_URL: не заданы")
    assert (listed.code, listed.lines) == (0, ["! Авито: https://crm.example.ru/… — чужая."])
