"""``webhook``: tells Avito where to post what is written in the accounts' chats, shows what it was
told, and takes it back.
"""

import sys
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from app.adapters import open_avito_clients
from app.cli.console import Mark, say_marked
from app.cli.process import PROGRAM, ExitCode
from app.clients.avito import AvitoClient
from app.config import Settings
from app.errors import SettingsError, UpstreamError

_SHOWN = 4
"""Letters of a secret that are shown, to tell one from another."""


async def subscribe(settings: Settings) -> int:
    """Has Avito post the messages of every account to the service."""
    settings.require("avito")
    url = _our_url(settings)

    async def act(client: AvitoClient, subject: str) -> None:
        await client.subscribe_webhook(url)
        say_marked(Mark.GOOD, f"{subject}: подписка есть, адрес {_masked(url, url)}.")

    say_marked(
        Mark.UNSURE,
        "Без оплаченного тарифа с API мессенджера Авито подписку примет, но ничего присылать не"
        " будет.",
    )
    return await _for_each_account(settings, act)


async def list_subscriptions(settings: Settings) -> int:
    """Shows where the messages of every account are posted to, other programs' addresses among
    them.
    """
    settings.require("avito")
    url = settings.webhook_url

    async def act(client: AvitoClient, subject: str) -> None:
        urls = await client.list_webhooks()
        for found in urls:
            say_marked(
                Mark.GOOD if found == url else Mark.UNSURE,
                f"{subject}: {_masked(found, url)} — {_whose(found, url)}.",
            )
        if not urls:
            say_marked(Mark.UNSURE, f"{subject}: подписок нет.")

    return await _for_each_account(settings, act)


async def unsubscribe(settings: Settings) -> int:
    """Has Avito post nothing more to the service, under a former secret either; other programs'
    subscriptions stay.
    """
    settings.require("avito")
    url = _our_url(settings)

    async def act(client: AvitoClient, subject: str) -> None:
        ours = [found for found in await client.list_webhooks() if is_ours(found, url)]
        for found in ours:
            await client.unsubscribe_webhook(found)
            say_marked(Mark.GOOD, f"{subject}: подписка снята, адрес {_masked(found, url)}.")
        if not ours:
            say_marked(Mark.GOOD, f"{subject}: нашей подписки и так нет.")

    return await _for_each_account(settings, act)


def _our_url(settings: Settings) -> str:
    if settings.webhook_url is None:
        raise SettingsError(
            "AVITO_WEBHOOK_SECRET, PUBLIC_URL: не заданы; из них складывается адрес, на который"
            " шлёт Авито."
        )
    return settings.webhook_url


async def _for_each_account(
    settings: Settings, act: Callable[[AvitoClient, str], Awaitable[None]]
) -> int:
    """Acts for one account after the other; one that fails is told and does not stop the others."""
    code = ExitCode.DONE
    async with open_avito_clients(settings) as clients:
        for account, client in clients:
            subject = f"Авито, «{account.name}»" if account.name else "Авито"
            try:
                await act(client, subject)
            except UpstreamError as error:
                code = ExitCode.FAILED
                print(f"{PROGRAM}: {subject}: {error.message}", file=sys.stderr)
    return code


def is_ours(found: str, url: str | None) -> bool:
    """Whether an address is the service's, be it under a former secret."""
    return url is not None and found.rpartition("/")[0] == url.rpartition("/")[0]


def _whose(found: str, url: str | None) -> str:
    if not is_ours(found, url):
        return "чужая"
    return "наша" if found == url else "наша, но с прежним секретом; её снимет unsubscribe"


def _masked(found: str, url: str | None) -> str:
    """An address fit to be shown: of ours the secret's beginning, of another's the server alone, as
    its secret may stand anywhere.
    """
    if is_ours(found, url):
        before, slash, secret = found.rpartition("/")
        return f"{before}{slash}{secret[:_SHOWN]}…"
    where = urlsplit(found)
    return f"{where.scheme}://{where.hostname}/…"
