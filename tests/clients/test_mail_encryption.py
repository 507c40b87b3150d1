"""Encrypted connections to a mail server: both ways in, and every way in which they fail."""

import base64
import hashlib
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clients.mail import MailAccessError, MailTemporaryError, SmtpClient
from app.sandbox.smtp import LocalSmtp

LOGIN: dict[str, Any] = {"username": "reports", "password": "app-password"}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a self-signed certificate for 127.0.0.1, good for two days."""
    path = tmp_path_factory.mktemp("tls") / "127.0.0.1.pem"
    path.write_text(self_signed("127.0.0.1"))
    return path


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@asynccontextmanager
async def listening(certificate: Path, way: str) -> AsyncIterator[tuple[LocalSmtp, int]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = LocalSmtp(**LOGIN, starttls=context if way == "starttls" else None, tls=context if way == "tls" else None)
    try:
        yield server, await server.start()
    finally:
        await server.stop()


async def send(port: int, security: Any, host: str = "127.0.0.1") -> str:
    client = SmtpClient(host, port, **LOGIN, security=security, timeout_seconds=30)
    return await client.send(b"Subject: x\r\n\r\nx\r\n", sender="a@example.ru", recipient="b@example.ru")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_mail_goes_through_an_encrypted_connection(certificate: Path, way: str) -> None:
    async with listening(certificate, way) as (server, port):
        assert (await send(port, way)).startswith("250")
        assert len(server.messages) == 1


@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_is_told(certificate: Path, way: str) -> None:
    async with listening(certificate, way) as (server, port):
        with pytest.raises(MailAccessError, match=r"CERTIFICATE_VERIFY_FAILED.*SMTP_SECURITY"):
            await send(port, way)
        assert server.messages == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_a_certificate_for_another_name_is_told(certificate: Path, way: str) -> None:
    async with listening(certificate, way) as (_, port):
        with pytest.raises(MailAccessError, match="SMTP_HOST"):
            await send(port, way, host="localhost")


async def test_a_server_that_does_not_offer_encryption_gets_no_password(certificate: Path) -> None:
    async with listening(certificate, "none") as (server, port):
        with pytest.raises(MailAccessError, match="SMTP_SECURITY"):
            await send(port, "starttls")
        assert server.messages == []


async def test_encryption_from_the_first_byte_on_a_plain_port_is_told(certificate: Path) -> None:
    async with listening(certificate, "starttls") as (_, port):
        with pytest.raises(MailAccessError, match="SMTP_PORT"):
            await send(port, "tls")


@pytest.mark.parametrize(
    ("answer", "error"), [("454 4.7.0 TLS not available now", MailTemporaryError), ("554 5.7.3 No TLS for you", MailAccessError)]
)
async def test_encryption_that_is_offered_and_then_refused(scripted_smtp: Callable[..., Any], answer: str, error: type[Exception]) -> None:
    async with scripted_smtp({"EHLO": "250-hi\r\n250 STARTTLS", "STARTTLS": answer}) as port:
        with pytest.raises(error, match=answer):
            await send(port, "starttls")


# A certificate without any package that makes them: ECDSA on P-256 (FIPS 186), written down in DER (X.690, RFC 5280, RFC 5915).

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

Point = tuple[int, int] | None


def added(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiplied(times: int) -> tuple[int, int]:
    total: Point = None
    power: Point = BASE
    while times:
        total = added(total, power) if times & 1 else total
        power = added(power, power)
        times >>= 1
    assert total
    return total


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    length = (
        bytes([size]) if size < 128 else bytes([128 + (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
    )
    return bytes([tag]) + length + body


def integer(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def pem(label: str, body: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(body).decode()}-----END {label}-----\n"


def self_signed(address: str) -> str:
    """A key and its certificate for an IPv4 address, in PEM."""
    ecdsa_sha256, ec_key, p256, common_name, alternative_name = map(
        bytes.fromhex, ("06082a8648ce3d040302", "06072a8648ce3d0201", "06082a8648ce3d030107", "0603550403", "0603551d11")
    )
    key, nonce, now = secrets.randbelow(ORDER - 1) + 1, secrets.randbelow(ORDER - 1) + 1, datetime.now(UTC)
    x, y = multiplied(key)
    public = der(3, b"\0\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))
    name = der(0x30, der(0x31, der(0x30, common_name, der(12, address.encode()))))
    validity = der(0x30, *(der(23, f"{now + timedelta(days=days):%y%m%d%H%M%SZ}".encode()) for days in (-1, 1)))
    names = der(4, der(0x30, der(0x87, bytes(map(int, address.split("."))))))
    body = der(
        0x30,
        der(0xA0, integer(2)),
        integer(secrets.randbits(63)),
        der(0x30, ecdsa_sha256),
        name,
        validity,
        name,
        der(0x30, der(0x30, ec_key, p256), public),
        der(0xA3, der(0x30, der(0x30, alternative_name, names))),
    )
    r = multiplied(nonce)[0] % ORDER
    s = pow(nonce, -1, ORDER) * (int.from_bytes(hashlib.sha256(body).digest(), "big") + r * key) % ORDER
    signature = der(3, b"\0", der(0x30, integer(r), integer(s)))
    private = der(0x30, integer(1), der(4, key.to_bytes(32, "big")), der(0xA0, p256), der(0xA1, public))
    return pem("EC PRIVATE KEY", private) + pem("CERTIFICATE", der(0x30, body, der(0x30, ecdsa_sha256), signature))
