"""CA_FILE: the certificates that Avito's, the model's and the mail server's are checked against."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.sandbox.server import Sandbox
from app.sandbox.smtp import LocalSmtp
from tests.support.command_line import ProcessResult, make_environment, run_app
from tests.support.proxy_server import open_proxy
from tests.support.start_faults import start_and_read_error
from tests.support.tls_front import make_certificate, open_tls_front

USERNAME, PASSWORD = "reports", "app-password"


@asynccontextmanager
async def open_encrypted(certificate: Path, **settings: str) -> AsyncIterator[dict[str, str]]:
    """Serve Avito, the model and mail over TLS; yield the environment of a service."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    smtp = LocalSmtp(username=USERNAME, password=PASSWORD, starttls=context)
    try:
        async with (
            Sandbox() as sandbox,
            open_tls_front(sandbox.avito_url, certificate) as avito_url,
            open_tls_front(sandbox.deepseek_url, certificate) as deepseek_url,
        ):
            yield make_environment(
                sandbox,
                AVITO_BASE_URL=avito_url,
                DEEPSEEK_BASE_URL=deepseek_url,
                SMTP_PORT=str(await smtp.start()),
                SMTP_SECURITY="starttls",
                SMTP_USERNAME=USERNAME,
                SMTP_PASSWORD=PASSWORD,
                **settings,
            )
    finally:
        await smtp.stop()


def list_faults(ended: ProcessResult) -> list[str]:
    return [line[2:] for line in ended.lines if line.startswith("✗ ")]


async def test_every_system_is_trusted_by_the_file(tmp_path: Path, database_url: str) -> None:
    """The address of the file may be a link, as Kubernetes mounts it."""
    certificate = make_certificate(tmp_path)
    (tmp_path / "ca.pem").symlink_to(certificate)
    async with open_encrypted(
        certificate, DATABASE_URL=database_url, CA_FILE="ca.pem"
    ) as environment:
        ended = await run_app(tmp_path, "doctor", **environment)
    assert list_faults(ended) == [], ended
    for subject in ("Авито: ключи", "DeepSeek: ключ", "Почта: сервер пускает"):
        assert f"✓ {subject}" in ended.out


async def test_doctor_names_the_setting_for_an_unknown_issuer(
    tmp_path: Path, database_url: str
) -> None:
    async with open_encrypted(make_certificate(tmp_path), DATABASE_URL=database_url) as environment:
        ended = await run_app(tmp_path, "doctor", **environment)
    avito, deepseek, mail = list_faults(ended)
    unknown = "центр, который выдал сертификат сервера, неизвестен (self"
    for fault, setting in ((avito, "AVITO_BASE_URL"), (deepseek, "DEEPSEEK_BASE_URL")):
        assert unknown in fault
        assert fault.endswith(
            f"добавьте сертификат его центра в файл CA_FILE; адрес — в {setting}."
        )
    assert unknown in mail
    assert "CA_FILE" in mail


async def test_proxy_with_tls_is_trusted_by_the_file(tmp_path: Path, database_url: str) -> None:
    certificate = make_certificate(tmp_path)
    async with Sandbox() as sandbox, open_proxy() as proxy:
        plain = f"http://127.0.0.1:{proxy.port}"
        async with (
            open_tls_front(plain, certificate) as https_proxy,
            open_tls_front(sandbox.avito_url, certificate) as avito_url,
        ):
            ended = await run_app(
                tmp_path,
                "sync",
                **make_environment(sandbox, DATABASE_URL=database_url, AVITO_BASE_URL=avito_url),
                HTTPS_PROXY=https_proxy,
                CA_FILE=str(certificate),
            )
    assert (ended.code, ended.err) == (0, ""), ended
    assert {way for way, _ in proxy.targets} == {"CONNECT"}


@pytest.mark.parametrize("fault", ["missing", "folder", "empty", "not PEM"])
async def test_unusable_file_refuses_the_start(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "ca.pem"
    match fault:
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
        case "not PEM":
            path.write_bytes(b"\x30\x82canary")
    await start_and_read_error(tmp_path, 2, "CA_FILE", CA_FILE=str(path))


@pytest.mark.parametrize("command", ["sync", "doctor"])
async def test_unusable_file_ends_every_command(tmp_path: Path, command: str) -> None:
    async with Sandbox() as sandbox:
        environment = make_environment(sandbox, CA_FILE="/nowhere/ca.pem")
        ended = await run_app(tmp_path, command, **environment)
    assert "CA_FILE: значение не подходит; нужно: путь к файлу" in ended.out + ended.err
    assert (ended.code, "Traceback" in ended.err) == ({"sync": 2, "doctor": 1}[command], False)
