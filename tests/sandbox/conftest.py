"""Local servers with a few chats of their own, and clients over real HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoAccount, AvitoListing, SandboxBuyer, numbered_account
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.server import serve_app
from app.sandbox.smtp import LocalSmtp
from tests.support.sandbox import NOW


async def request_token(client: httpx.AsyncClient, account: AvitoAccount) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
    }
    answer = await client.post("/token", data=form)
    token: str = answer.json()["access_token"]
    return token


@pytest.fixture
def avito() -> LocalAvito:
    """Two accounts.

    The first has a chat about a listing ("u2i-kia") and one without ("u2u-ann").
    """
    avito = LocalAvito([numbered_account(1), numbered_account(2)], clock=lambda: NOW)
    item = AvitoListing(3014567801, "Kia Rio 1.6 AT, 2019", "1 350 000 ₽")
    avito.add_chat(
        chat_id="u2i-kia",
        item=item,
        client=SandboxBuyer(5300000001, "Марина"),
        at=NOW - timedelta(hours=2),
    )
    avito.add_message(
        "u2i-kia", "client", text="Здравствуйте! Ещё продаётся?", at=NOW - timedelta(hours=2)
    )
    avito.add_message(
        "u2i-kia", "company", text="Добрый день! Да, продаётся.", at=NOW - timedelta(hours=1)
    )
    avito.add_chat(
        chat_id="u2u-ann",
        chat_type="u2u",
        client=SandboxBuyer(5300000002, "Анна"),
        at=NOW - timedelta(minutes=30),
    )
    avito.add_message(
        "u2u-ann", "client", text="Вы ещё стеклите балконы?", at=NOW - timedelta(minutes=30)
    )
    return avito


@pytest.fixture
async def anonymous(avito: LocalAvito) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the local Avito without a token."""
    async with serve_app(avito.app) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


@pytest.fixture
async def seller(avito: LocalAvito, anonymous: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with a token of the first account."""
    anonymous.headers["Authorization"] = (
        f"Bearer {await request_token(anonymous, avito.accounts[0])}"
    )
    return anonymous


@pytest.fixture
def deepseek() -> LocalDeepSeek:
    return LocalDeepSeek()


@pytest.fixture
async def model(deepseek: LocalDeepSeek) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the local DeepSeek with its key."""
    headers = {"Authorization": f"Bearer {deepseek.api_key}"}
    async with (
        serve_app(deepseek.app) as url,
        httpx.AsyncClient(base_url=url, headers=headers) as client,
    ):
        yield client


@pytest.fixture
async def smtp() -> AsyncIterator[LocalSmtp]:
    server = LocalSmtp()
    yield server
    await server.stop()
