"""Encrypted connections to a mail server: STARTTLS, TLS, and their failures."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.clients.mail import MailAccessError, MailTemporaryError, SmtpClient
from app.sandbox.smtp import LocalSmtp
from tests.support.certificates import make_self_signed
from tests.support.smtp_client import Unfenced

LOGIN: dict[str, Any] = {"username": "reports", "password": "app-password"}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a self-signed certificate for 127.0.0.1, valid for two days."""
    path = tmp_path_factory.mktemp("tls") / "127.0.0.1.pem"
    path.write_text(make_self_signed("127.0.0.1"))
    return path


@pytest.fixture
def trust_certificate(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the system trust the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@asynccontextmanager
async def serve_smtp(certificate: Path, way: str) -> AsyncIterator[tuple[LocalSmtp, int]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = LocalSmtp(
        **LOGIN,
        starttls=context if way == "starttls" else None,
        tls=context if way == "tls" else None,
    )
    try:
        yield server, await server.start()
    finally:
        await server.stop()


async def send(port: int, security: Any, host: str = "127.0.0.1") -> str:
    client = SmtpClient(host, port, **LOGIN, security=security, timeout_seconds=30)
    return await client.send(
        b"Subject: x\r\n\r\nx\r\n",
        sender="a@example.ru",
        recipient="b@example.ru",
        fence=Unfenced(),
    )


@pytest.mark.usefixtures("trust_certificate")
@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_mail_goes_through_an_encrypted_connection(certificate: Path, way: str) -> None:
    async with serve_smtp(certificate, way) as (server, port):
        assert (await send(port, way)).startswith("250")
        assert len(server.messages) == 1


@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_untrusted_certificate_is_an_error(certificate: Path, way: str) -> None:
    async with serve_smtp(certificate, way) as (server, port):
        with pytest.raises(MailAccessError, match=r"CERTIFICATE_VERIFY_FAILED.*SMTP_SECURITY"):
            await send(port, way)
        assert server.messages == []


@pytest.mark.usefixtures("trust_certificate")
@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_certificate_for_another_name_is_an_error(certificate: Path, way: str) -> None:
    async with serve_smtp(certificate, way) as (_, port):
        with pytest.raises(MailAccessError, match="SMTP_HOST"):
            await send(port, way, host="localhost")


async def test_a_server_that_does_not_offer_encryption_gets_no_password(certificate: Path) -> None:
    async with serve_smtp(certificate, "none") as (server, port):
        with pytest.raises(MailAccessError, match="SMTP_SECURITY"):
            await send(port, "starttls")
        assert server.messages == []


async def test_tls_on_a_plain_port_is_an_error(certificate: Path) -> None:
    async with serve_smtp(certificate, "starttls") as (_, port):
        with pytest.raises(MailAccessError, match="SMTP_PORT"):
            await send(port, "tls")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("454 4.7.0 TLS not available now", MailTemporaryError),
        ("554 5.7.3 No TLS for you", MailAccessError),
    ],
)
async def test_encryption_that_is_offered_and_then_refused(
    scripted_smtp: Callable[..., Any], answer: str, error: type[Exception]
) -> None:
    async with scripted_smtp({"EHLO": "250-hi\r\n250 STARTTLS", "STARTTLS": answer}) as port:
        with pytest.raises(error, match=answer):
            await send(port, "starttls")
