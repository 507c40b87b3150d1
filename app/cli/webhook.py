"""``webhook``: subscribe to Avito's webhooks, list the subscriptions and remove them."""

import sys
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from app.adapters import open_avito_clients
from app.cli.console import Mark, print_marked
from app.cli.process import PROGRAM, ExitCode
from app.clients.avito import AvitoClient
from app.config import Settings
from app.errors import SettingsError, UpstreamError

_SHOWN_LETTERS = 4
"""Number of shown letters of a secret, enough to distinguish secrets."""


async def subscribe(settings: Settings) -> int:
    """Subscribe the service to the messages of every account."""
    settings.require("avito")
    url = _require_url(settings)

    async def act(client: AvitoClient, subject: str) -> None:
        await client.subscribe_webhook(url)
        print_marked(Mark.GOOD, f"{subject}: подписка есть, адрес {_mask_url(url, url)}.")

    print_marked(
        Mark.UNSURE,
        "Без оплаченного тарифа с API мессенджера Авито подписку примет, но ничего присылать не"
        " будет.",
    )
    return await _for_each_account(settings, act)


async def list_subscriptions(settings: Settings) -> int:
    """Print the subscriptions of every account, including those of other programs."""
    settings.require("avito")
    url = settings.webhook_url

    async def act(client: AvitoClient, subject: str) -> None:
        urls = await client.list_webhooks()
        for subscribed in urls:
            print_marked(
                Mark.GOOD if subscribed == url else Mark.UNSURE,
                f"{subject}: {_mask_url(subscribed, url)} — {_describe_owner(subscribed, url)}.",
            )
        if not urls:
            print_marked(Mark.UNSURE, f"{subject}: подписок нет.")

    return await _for_each_account(settings, act)


async def unsubscribe(settings: Settings) -> int:
    """Remove the service's subscriptions, also those with a former secret.

    Subscriptions of other programs are kept.
    """
    settings.require("avito")
    url = _require_url(settings)

    async def act(client: AvitoClient, subject: str) -> None:
        ours = [
            subscribed for subscribed in await client.list_webhooks() if is_ours(subscribed, url)
        ]
        for subscribed in ours:
            await client.unsubscribe_webhook(subscribed)
            print_marked(
                Mark.GOOD, f"{subject}: подписка снята, адрес {_mask_url(subscribed, url)}."
            )
        if not ours:
            print_marked(Mark.GOOD, f"{subject}: нашей подписки и так нет.")

    return await _for_each_account(settings, act)


def _require_url(settings: Settings) -> str:
    if settings.webhook_url is None:
        raise SettingsError(
            "AVITO_WEBHOOK_SECRET, PUBLIC_URL: не заданы; из них складывается адрес, на который"
            " шлёт Авито."
        )
    return settings.webhook_url


async def _for_each_account(
    settings: Settings, act: Callable[[AvitoClient, str], Awaitable[None]]
) -> int:
    """Call ``act`` for each account in turn. A failure is printed and does not stop the others."""
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


def is_ours(subscribed: str, url: str | None) -> bool:
    """Whether a URL is the service's, with the current or a former secret."""
    return url is not None and subscribed.rpartition("/")[0] == url.rpartition("/")[0]


def _describe_owner(subscribed: str, url: str | None) -> str:
    if not is_ours(subscribed, url):
        return "чужая"
    return "наша" if subscribed == url else "наша, но с прежним секретом; её снимет unsubscribe"


def _mask_url(subscribed: str, url: str | None) -> str:
    """Mask a URL for display.

    Of our URL the beginning of the secret is shown. Of another program's URL only the server is
    shown: its secret may be in any part.
    """
    if is_ours(subscribed, url):
        before, slash, secret = subscribed.rpartition("/")
        return f"{before}{slash}{secret[:_SHOWN_LETTERS]}…"
    parts = urlsplit(subscribed)
    return f"{parts.scheme}://{parts.hostname}/…"
