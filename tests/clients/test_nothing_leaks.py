"""No secret, name or text of a chat appears in the logs.

A separate process runs every client at DEBUG with every kind of failure.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog

from app.clients.avito import AvitoClient, AvitoCredentials, create_avito_http
from app.clients.deepseek import DeepSeekClient
from app.clients.mail import OutboxFolder, SmtpClient
from app.clients.retry import RetryPolicy
from app.errors import AppError
from app.log import LogFormat, configure_logging
from app.sandbox import avito_switches, deepseek_faults
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoAccount, SandboxBuyer
from app.sandbox.deepseek import LocalDeepSeek
from app.sandbox.faults import CannedResponse
from app.sandbox.server import serve_app
from app.sandbox.smtp import LocalSmtp
from tests.support.checkout import CHECKOUT
from tests.support.smtp_client import Unfenced

CANARY = "канарейка"
SECRET = "canary-0451"
RETRY = RetryPolicy(attempts=2, first_wait_seconds=0.001, longest_wait_seconds=0.01)
PASSING = [
    CannedResponse(200, f"<html>{CANARY}</html>"),
    CannedResponse(200, {"error": {"message": SECRET}}),
    CannedResponse(200, {"error": True, "chats": CANARY}),
]


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_nothing_leaks(log_format: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        log_format,
        str(tmp_path),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    for event in (
        "avito.token.renewed",
        "avito.messages.unreadable",
        "retry.scheduled",
        "probe.failed",
        "probe.worked",
    ):
        assert event in printed
    assert CANARY not in printed.lower()
    # JSON escapes.
    assert CANARY not in printed.encode().decode("unicode_escape", "replace").lower()
    assert SECRET not in printed


async def run_calls(*calls: Callable[[], Awaitable[Any]]) -> None:
    """Run the calls and log each failure with its traceback, as a service would."""
    log = structlog.get_logger()
    for call in calls:
        try:
            await call()
            log.info("probe.worked")
        except AppError as error:
            log.exception("probe.failed", message=error.message)


async def run_avito() -> None:
    local = LocalAvito([AvitoAccount(f"id-{SECRET}", SECRET, 5, CANARY)])
    chat = local.add_chat(client=SandboxBuyer(6, CANARY))
    local.add_message(chat.id, "client", text=CANARY)
    async with serve_app(local.app) as url, create_avito_http(url) as http:

        def build_client(secret: str) -> AvitoClient:
            credentials = AvitoCredentials(f"id-{SECRET}", secret)
            return AvitoClient(
                http,
                credentials,
                max_concurrency=2,
                requests_per_minute=0,
                retry=RETRY,
                clock=lambda: datetime.now(UTC),
            )

        avito = build_client(SECRET)
        reads: list[Callable[[], Awaitable[Any]]] = [
            partial(avito.list_chats, 5),
            partial(avito.get_chat, 5, chat.id),
            partial(avito.list_messages, 5, chat.id),
        ]
        await run_calls(
            build_client(f"wrong-{SECRET}").get_self,
            avito.get_self,
            *reads,
            partial(avito.get_chat, 5, "none"),
        )
        local.switches.drop_message_keys = {"created"}
        await run_calls(*reads)
        troubles = [
            avito_switches.SERVER_ERROR,
            avito_switches.FORBIDDEN,
            avito_switches.CUT,
            avito_switches.too_many("0"),
        ]
        for fault in [*troubles, *PASSING]:
            local.switches.faults = []
            local.switches.fail(fault, times=None)
            await run_calls(*reads)


async def run_deepseek() -> None:
    local = LocalDeepSeek(api_key=SECRET)
    async with serve_app(local.app) as url:

        def build_client(key: str) -> DeepSeekClient:
            return DeepSeekClient(
                url, key, "deepseek-flash", max_concurrency=2, timeout_seconds=30, retry=RETRY
            )

        async with (
            build_client(SECRET) as deepseek,
            build_client(f"wrong-{SECRET}") as wrong_client,
        ):
            await run_calls(
                *(
                    partial(client.complete, system="JSON", user=CANARY)
                    for client in (deepseek, wrong_client)
                )
            )
            troubles = [
                deepseek_faults.SERVER_ERROR,
                deepseek_faults.CONTENT_RISK,
                deepseek_faults.LENGTH,
                deepseek_faults.NULL_CHOICES,
            ]
            repeating = CannedResponse(
                400, {"error": {"message": f"bad {SECRET}"}, "input": CANARY}
            )
            for fault in [
                *troubles,
                deepseek_faults.EMPTY_BODY,
                deepseek_faults.CUT,
                repeating,
                *PASSING,
            ]:
                local.switches.faults = []
                local.switches.fail(fault, times=None)
                await run_calls(
                    partial(deepseek.complete, system="JSON", user=CANARY),
                    deepseek.get_models,
                    deepseek.get_balance,
                )


async def run_mail(folder: Path) -> None:
    mime = f"Subject: {CANARY}\r\n\r\n{CANARY}\r\n".encode()
    server = LocalSmtp(username="reports", password=SECRET)
    port = await server.start()
    for password in (SECRET, f"wrong-{SECRET}"):
        client = SmtpClient(
            "127.0.0.1",
            port,
            username="reports",
            password=password,
            security="none",
            timeout_seconds=5,
        )
        await run_calls(
            partial(
                client.send, mime, sender="a@example.ru", recipient="b@example.ru", fence=Unfenced()
            ),
            client.check,
        )
    await server.stop()
    outboxes = [OutboxFolder(folder), OutboxFolder(Path(__file__))]
    await run_calls(
        *(
            partial(
                outbox.send, mime, sender="a@example.ru", recipient="b@example.ru", fence=Unfenced()
            )
            for outbox in outboxes
        )
    )


async def run_all(log_format: LogFormat, folder: Path) -> None:
    configure_logging("DEBUG", log_format)
    await run_avito()
    await run_deepseek()
    await run_mail(folder)


if __name__ == "__main__":
    asyncio.run(run_all("json" if sys.argv[1] == "json" else "console", Path(sys.argv[2])))
