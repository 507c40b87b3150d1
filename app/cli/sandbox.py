"""``sandbox``: the local far ends by themselves, for a service that is started beside them."""

import asyncio

from app.cli.console import say
from app.cli.rest_server import listen
from app.config import Settings
from app.sandbox.server import Sandbox

RECIPIENT, SENDER = "rukovoditel@example.ru", "otchety@example.ru"


async def run_sandbox(
    settings: Settings, *, host: str, avito_port: int, deepseek_port: int, smtp_port: int
) -> int:
    """Runs the far ends until it is cancelled and prints the settings that point a service at them.

    Raises:
        SettingsError: a port is taken.
    """
    for option, port in {
        "--avito-port": avito_port,
        "--deepseek-port": deepseek_port,
        "--smtp-port": smtp_port,
    }.items():
        listen(host, port, option + " {port}", name=option, apart=10).close()
    mail = settings.data_dir / "sandbox-mail"
    async with Sandbox(
        host=host,
        avito_port=avito_port,
        deepseek_port=deepseek_port,
        smtp_port=smtp_port,
        mail_folder=mail,
    ) as sandbox:
        say(
            "# Авито, DeepSeek и почтовый сервер работают. Настройки службы для них (впишите в"
            " .env):",
            style="dim",
        )
        for name, value in sandbox.environment().items():
            say(f"{name}={value}", whole=True)
        say(f"MAIL_FROM={SENDER}")
        say(f"REPORT_RECIPIENTS={RECIPIENT}")
        say("AVITO_REQUESTS_PER_MINUTE=0")
        say(f"# Письма складываются в {mail.resolve()}. Остановить: Ctrl-C.", style="dim")
        await asyncio.Event().wait()
    return 0
