"""Servers in the running event loop, and the three local servers together."""

import asyncio
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest
from fastapi import FastAPI

from app.sandbox.server import Sandbox, serve_app


def list_names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_a_server_stops_at_once_with_an_answer_still_under_way() -> None:
    app, entered = FastAPI(), asyncio.Event()

    @app.get("/wait")
    async def wait() -> None:
        entered.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(10), httpx.AsyncClient(timeout=None) as client:  # noqa: S113 - the server ends it
        async with serve_app(app) as url:
            hanging = asyncio.create_task(client.get(f"{url}/wait"))
            await entered.wait()
        with pytest.raises(httpx.TransportError):
            await hanging


async def test_a_taken_port_is_an_os_error() -> None:
    async with serve_app(FastAPI()) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with serve_app(FastAPI(), port=port):
                pass


async def test_sandbox_is_reachable_with_its_settings(tmp_path: Path) -> None:
    async with Sandbox(mail_folder=tmp_path) as sandbox, httpx.AsyncClient() as client:
        settings = sandbox.environment()
        form = {
            "grant_type": "client_credentials",
            "client_id": settings["AVITO_CLIENT_ID"],
            "client_secret": settings["AVITO_CLIENT_SECRET"],
        }
        token = (await client.post(settings["AVITO_BASE_URL"] + "/token", data=form)).json()[
            "access_token"
        ]
        headers = {"Authorization": f"Bearer {settings['DEEPSEEK_API_KEY']}"}
        models = await client.get(settings["DEEPSEEK_BASE_URL"] + "/models", headers=headers)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "shop@example.com", "head@example.com", "Отчёт"
        mail.set_content("Готово")
        await aiosmtplib.send(
            mail, hostname=settings["SMTP_HOST"], port=int(settings["SMTP_PORT"]), start_tls=False
        )

    assert token
    assert [row["id"] for row in models.json()["data"]] == ["deepseek-flash", "deepseek-v4-pro"]
    assert settings["SMTP_SECURITY"] == "none"
    assert list_names(tmp_path) == ["0001.eml"]
    assert sandbox.smtp.messages[0].recipients == ["head@example.com"]


async def test_two_accounts_share_the_dialogues() -> None:
    async with Sandbox(accounts=2, now=datetime(2026, 11, 22, tzinfo=UTC)) as sandbox:
        settings = sandbox.environment()

    accounts = json.loads(settings["AVITO_ACCOUNTS"])
    assert [set(account) for account in accounts] == [{"name", "client_id", "client_secret"}] * 2
    assert "AVITO_CLIENT_ID" not in settings
    assert all(account.chats for account in sandbox.avito.accounts)


async def test_started_servers_stop_if_a_later_port_is_taken() -> None:
    async with serve_app(FastAPI()) as url:
        taken_port = int(url.rpartition(":")[2])
        sandbox = Sandbox(deepseek_port=taken_port)
        with pytest.raises(OSError, match="in use"):
            await sandbox.__aenter__()

        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient().get(sandbox.avito_url)
