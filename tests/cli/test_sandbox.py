"""The ``sandbox`` command: the settings that it prints connect a service to its servers."""

import signal
import socket
from pathlib import Path

import httpx

from tests.support.command_line import free_port, run_app, start_app, stop
from tests.support.patience import PATIENCE


async def test_printed_settings_connect_to_the_servers(tmp_path: Path) -> None:
    ports = [
        argument
        for option in ("--avito-port", "--deepseek-port", "--smtp-port")
        for argument in (option, free_port())
    ]
    async with start_app(tmp_path, "sandbox", *ports) as process:
        assert process.stdout
        output = (await process.stdout.readuntil("Остановить".encode())).decode()
        settings = dict(
            line.split("=", 1) for line in output.splitlines() if not line.startswith("#")
        )
        keys = {
            "client_id": settings["AVITO_CLIENT_ID"],
            "client_secret": settings["AVITO_CLIENT_SECRET"],
        }
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            token = await client.post(
                f"{settings['AVITO_BASE_URL']}/token",
                data={"grant_type": "client_credentials", **keys},
            )
            bearer = {"Authorization": f"Bearer {settings['DEEPSEEK_API_KEY']}"}
            models = await client.get(f"{settings['DEEPSEEK_BASE_URL']}/models", headers=bearer)
        with socket.create_connection(
            (settings["SMTP_HOST"], int(settings["SMTP_PORT"])), timeout=10
        ):
            pass
        ended = await stop(process, signal.SIGINT)
    assert token.json()["access_token"]
    assert models.status_code == 200
    assert (ended.code, ended.err) == (0, "")


async def test_taken_port_is_reported_with_its_option(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = await run_app(tmp_path, "sandbox", "--smtp-port", str(other.getsockname()[1]))
    assert ended.code == 2
    assert ended.err.startswith("avito-quality: --smtp-port: порт ")
    assert ended.err.count("\n") == 1
