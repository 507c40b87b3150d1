"""A start of ``serve`` with a fault in its settings."""

from pathlib import Path

from tests.support.command_line import free_port, run_app

SECRETS = {
    "API_KEYS": "canary-rest-key-1",
    "AVITO_CLIENT_SECRET": "canary-avito-secret",
    "DEEPSEEK_API_KEY": "canary-deepseek-key",
    "SMTP_PASSWORD": "canary-smtp-password",
}
COMPLETE = {
    **SECRETS,
    "AVITO_CLIENT_ID": "client",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_USERNAME": "reports@example.ru",
    "REPORT_RECIPIENTS": "boss@example.ru",
}


async def start_and_read_error(folder: Path, code: int, name: str, **settings: str) -> str:
    """Run ``serve`` and return its one-line error."""
    ended = await run_app(folder, "serve", **{**COMPLETE, "PORT": free_port(), **settings})
    assert ended.code == code, ended
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert ended.err.startswith(f"avito-quality: {name}: ")
    assert not [secret for secret in (*SECRETS.values(), "canary") if secret in ended.err]
    return ended.err
