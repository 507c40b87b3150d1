"""``sandbox``: run the local Avito, DeepSeek and SMTP servers for a separately started service."""

import asyncio

from app.cli.console import print_line
from app.cli.listening import listen
from app.config import Settings
from app.sandbox.server import Sandbox

RECIPIENT, SENDER = "rukovoditel@example.ru", "otchety@example.ru"


async def run_sandbox(
    settings: Settings, *, host: str, avito_port: int, deepseek_port: int, smtp_port: int
) -> int:
    """Run the servers until cancelled, and print the settings that a service needs to use them.

    Raises:
        SettingsError: a port is in use.
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
        print_line(
            "# Авито, DeepSeek и почтовый сервер работают. Настройки службы для них (впишите в"
            " .env):",
            style="dim",
        )
        for name, value in sandbox.environment().items():
            print_line(f"{name}={value}", no_wrap=True)
        print_line(f"MAIL_FROM={SENDER}")
        print_line(f"REPORT_RECIPIENTS={RECIPIENT}")
        print_line("AVITO_REQUESTS_PER_MINUTE=0")
        print_line(f"# Письма складываются в {mail.resolve()}. Остановить: Ctrl-C.", style="dim")
        await asyncio.Event().wait()
    return 0
