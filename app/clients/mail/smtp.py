"""Send a prepared mail through an SMTP server.

Each mail uses its own connection, because only a few are sent a day.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from app.addresses import MailAddress, encode_domain
from app.clients.mail.faults import (
    Step,
    build_address_error,
    build_connection_error,
    build_reply_error,
    build_smtputf8_error,
)
from app.clients.mail.fence import Fence

Security = Literal["starttls", "tls", "none"]

REPLY_SECONDS = 600
"""Timeout of the reply to the final dot (RFC 5321, 4.5.3.2.6).

With a shorter timeout, a mail that the server has accepted would be sent twice.
"""
_CHUNK = 65_536
_DEFAULT_EHLO_NAME = "[127.0.0.1]"
"""EHLO name of a machine whose own name is not a valid host name."""


class SmtpClient:
    """One mail server and its connection settings.

    - ``timeout_seconds``: timeout of connecting and of each reply.
    - ``reply_seconds``: timeout of the reply to the final dot.
    - ``ehlo_name``: the name in EHLO (None: the machine's name).
    - ``ca_file``: certificates that are trusted besides the system's.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str | None,
        password: str | None,
        security: Security,
        ehlo_name: str | None = None,
        ca_file: Path | None = None,
        timeout_seconds: float = 60,
        reply_seconds: float = REPLY_SECONDS,
    ) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._password = password
        self._security = security
        self._ehlo_name = ehlo_name
        self._ca_file = ca_file
        self._timeout_seconds = timeout_seconds
        self._reply_seconds = reply_seconds

    async def send(self, mime: bytes, *, sender: str, recipient: str, fence: Fence) -> str:
        """Send the mail and return the server's reply: ``250 2.0.0 Ok: queued as …``.

        The bytes are unchanged except for line ends. If ``fence`` raises, the connection is closed
        without the final dot, and the server discards the mail.

        Raises:
            MailTemporaryError, MailRefusedError, MailAccessError: the server did not accept it.
        """
        origin, target = (
            _parse_address(sender, "MAIL_FROM"),
            _parse_address(recipient, "REPORT_RECIPIENTS"),
        )
        text = _normalize(mime)
        async with self._open_session() as server:
            await _send_envelope(server, origin, target, text)
            await fence.before_data()
            await _send_command(server, Step.DATA, b"DATA")
            await self._send_text(server, _double_dots(text))
            fence.before_dot()
            answer = await _send_command(
                server, Step.DOT, b".", seconds=self._reply_seconds, target=target
            )
            _send_quit(server)
        return answer

    async def check(self) -> str:
        """Connect, encrypt and log in without sending a mail.

        Return the server's reply. Raises as ``send``.
        """
        async with self._open_session() as server:
            answer = await server.noop()
            _send_quit(server)
        return str(answer)

    @asynccontextmanager
    async def _open_session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._ehlo_name or await asyncio.to_thread(_get_machine_name),
            username=self._username,
            password=self._password,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            cert_bundle=str(self._ca_file) if self._ca_file else None,
            timeout=self._timeout_seconds,
        )
        try:
            await server.connect()
            await _send_ehlo(server)
            yield server
        except (aiosmtplib.SMTPException, OSError) as error:
            raise build_connection_error(error, self._host, self._port) from error
        finally:
            server.close()

    async def _send_text(self, server: aiosmtplib.SMTP, text: bytes) -> None:
        """Send the mail without its final dot and wait until the write buffer is empty.

        No bytes may be queued before the dot.
        """
        protocol = _require_protocol(server)
        if isinstance(protocol.transport, asyncio.WriteTransport):
            # With 0, an encrypted transport pauses while its buffer is empty.
            protocol.transport.set_write_buffer_limits(high=1)
        for start in range(0, len(text), _CHUNK):
            async with asyncio.timeout(self._timeout_seconds):
                protocol.write(text[start : start + _CHUNK])
                await protocol._drain_helper()  # StreamWriter.drain waits for the same


async def _send_ehlo(server: aiosmtplib.SMTP) -> None:
    """Send EHLO, or HELO if the server does not support EHLO; skip it after a login."""
    if not server.is_ehlo_or_helo_needed:
        return
    try:
        await server.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not server.is_connected:
            raise
        await server.helo()


async def _send_envelope(
    server: aiosmtplib.SMTP, origin: MailAddress, target: MailAddress, text: bytes
) -> None:
    """Send MAIL and RCPT.

    If the server lacks SMTPUTF8, raise the error for the address that needs it.
    """
    options = []
    if origin.needs_smtputf8 or target.needs_smtputf8:
        if not server.supports_extension("smtputf8"):
            raise build_smtputf8_error(recipient=not origin.needs_smtputf8)
        options.append("SMTPUTF8")
    if server.supports_extension("size"):
        options.append(f"SIZE={len(text)}")
    if not text.isascii() and server.supports_extension("8bitmime"):
        options.append("BODY=8BITMIME")
    affected = target if not origin.needs_smtputf8 else None
    await _send_command(
        server, Step.MAIL, " ".join([f"MAIL FROM:<{origin}>", *options]).encode(), target=affected
    )
    await _send_command(server, Step.RCPT, f"RCPT TO:<{target}>".encode(), target=target)


async def _send_command(
    server: aiosmtplib.SMTP,
    step: Step,
    line: bytes,
    *,
    seconds: float | None = None,
    target: MailAddress | None = None,
) -> str:
    """Send one line and return the reply, code and text.

    ``target`` is the recipient that a refusal may concern. Addresses are not passed to aiosmtplib,
    because it parses them with ``email.utils.parseaddr``.
    """
    reply = await server.execute_command(line, timeout=seconds or server.timeout)
    if reply.code // 100 != (3 if step is Step.DATA else 2):
        raise build_reply_error(
            step,
            reply.code,
            reply.message,
            cyrillic_recipient=target is not None and target.needs_smtputf8,
        )
    return f"{reply.code} {reply.message}"


def _require_protocol(server: aiosmtplib.SMTP) -> SMTPProtocol:
    if server.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    return server.protocol


def _send_quit(server: aiosmtplib.SMTP) -> None:
    """Send QUIT without waiting for the reply.

    A delivery must be recorded at once, and the reply cannot change it.
    """
    if server.protocol is not None and server.is_connected:
        server.protocol.write(b"QUIT\r\n")


def _normalize(mime: bytes) -> bytes:
    """Return the mail with CRLF line ends, including the last line."""
    text = mime.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def _double_dots(text: bytes) -> bytes:
    """Return the text with a second dot before each line that begins with one."""
    return (b"." if text.startswith(b".") else b"") + text.replace(b"\n.", b"\n..")


def _parse_address(address: str, setting: str) -> MailAddress:
    try:
        return MailAddress.parse(address)
    except ValueError:
        raise build_address_error(setting) from None


def _get_machine_name() -> str:
    try:
        return encode_domain(socket.getfqdn())
    except ValueError:
        return _DEFAULT_EHLO_NAME
