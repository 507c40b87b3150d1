"""The commands ``webhook subscribe``, ``webhook list`` and ``webhook unsubscribe``."""

# ruff: noqa: PLC0415 - see app.__main__

import typer

from app.cli.process import read_settings, run
from app.cli.usage import Command, Group

webhook = typer.Typer(
    cls=Group, help="Подписка на вебхуки Авито: он сам сообщает, в каком чате написали."
)


@webhook.command("subscribe", cls=Command)
def subscribe() -> int:
    """Подписать службу на сообщения каждого аккаунта."""
    settings = read_settings()
    from app.cli.webhook import subscribe

    return run(subscribe(settings))


@webhook.command("list", cls=Command)
def list_subscriptions() -> int:
    """Показать, куда Авито шлёт сообщения каждого аккаунта."""
    settings = read_settings()
    from app.cli.webhook import list_subscriptions

    return run(list_subscriptions(settings))


@webhook.command("unsubscribe", cls=Command)
def unsubscribe() -> int:
    """Снять подписку службы; чужие подписки остаются."""
    settings = read_settings()
    from app.cli.webhook import unsubscribe

    return run(unsubscribe(settings))
