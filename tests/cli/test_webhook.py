"""``webhook``: create, list and remove subscriptions of every account; print no secret."""

import json
from pathlib import Path

import pytest

from app.cli.webhook import list_subscriptions, subscribe, unsubscribe
from app.config import Settings
from app.errors import SettingsError
from app.sandbox.server import Sandbox
from tests.support.command_line import make_environment, run_app
from tests.support.stage import stage_settings

SECRET, FORMER = "canary-webhook-secret", "former-canary-secret"
OURS = f"https://quality.example.ru/webhooks/avito/{SECRET}"
OLD = f"https://quality.example.ru/webhooks/avito/{FORMER}"
THEIRS = "https://crm.example.ru/avito/canary-of-theirs?token=canary"
RECEIVER = {"AVITO_WEBHOOK_SECRET": SECRET, "PUBLIC_URL": "https://quality.example.ru"}


def load_settings_for(sandbox: Sandbox, **settings: str) -> Settings:
    lower = {name.lower(): value for name, value in settings.items()}
    return stage_settings("postgresql://127.0.0.1/unused", sandbox.environment(), **lower)


async def test_every_account_is_subscribed_listed_and_unsubscribed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Sandbox(accounts=2) as sandbox:
        first, second = sandbox.avito.accounts
        first.webhooks[:] = [THEIRS, OLD]
        subscribed = await run_app(
            tmp_path, "webhook", "subscribe", **make_environment(sandbox, **RECEIVER)
        )
        assert (subscribed.code, subscribed.err) == (0, "")
        assert [first.webhooks, second.webhooks] == [[THEIRS, OLD, OURS], [OURS]]
        settings = load_settings_for(sandbox, **RECEIVER)
        assert await list_subscriptions(settings) == 0
        listed = capsys.readouterr()
        assert await unsubscribe(settings) == 0
        unsubscribed = capsys.readouterr()
        assert [first.webhooks, second.webhooks] == [[THEIRS], []]
    for output in (subscribed.out, *listed, *unsubscribed):
        assert "canary-" not in output
    assert subscribed.lines[0].startswith("! Без оплаченного тарифа")
    assert [line.partition(": ")[2] for line in listed.out.splitlines()] == [
        "https://crm.example.ru/… — чужая.",
        (
            "https://quality.example.ru/webhooks/avito/form… — наша, но с прежним секретом; её"
            " снимет unsubscribe."
        ),
        "https://quality.example.ru/webhooks/avito/cana… — наша.",
        "https://quality.example.ru/webhooks/avito/cana… — наша.",
    ]
    assert [
        line.partition(": ")[2].partition(",")[0] for line in unsubscribed.out.splitlines()
    ] == ["подписка снята"] * 3


async def test_failing_account_is_reported_and_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with Sandbox(accounts=2) as sandbox:
        first, second = sandbox.avito.accounts
        accounts = json.loads(sandbox.environment()["AVITO_ACCOUNTS"])
        wrong = json.dumps([{**accounts[0], "client_secret": "canary"}, accounts[1]])
        assert await subscribe(load_settings_for(sandbox, AVITO_ACCOUNTS=wrong, **RECEIVER)) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"avito-quality: Авито, «{first.name}»: Авито не принял ключи")
    assert (error.count("\n"), "canary" in error) == (1, False)
    assert (first.webhooks, second.webhooks) == ([], [OURS])


async def test_without_settings_only_listing_works(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with Sandbox() as sandbox:
        sandbox.avito.accounts[0].webhooks.append(THEIRS)
        with pytest.raises(SettingsError, match="AVITO_WEBHOOK_SECRET, PUBLIC_URL: не заданы"):
            await subscribe(load_settings_for(sandbox))
        assert await list_subscriptions(load_settings_for(sandbox)) == 0
    assert capsys.readouterr().out.splitlines() == ["! Авито: https://crm.example.ru/… — чужая."]
