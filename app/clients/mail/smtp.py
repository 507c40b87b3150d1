"""Sends a ready mail through an SMTP server: a connection for each mail, which is at most a few a
day.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from app.addresses import MailAddress, encode_domain
from app.clients.mail.faults import Step, bad_address, connection_error, no_smtputf8, reply_error
from app.clients.mail.fence import Fence

Security = Literal["starttls", "tls", "none"]

REPLY_SECONDS = 600
"""How long the reply to the final dot may take (RFC 5321, 4.5.3.2.6): to give up earlier is to send
a mail twice that was taken.
"""
_CHUNK = 65_536
_LINE_END = re.compile(rb"\r\n|\r|\n")
_UNNAMED = "[127.0.0.1]"
"""What a machine is called in EHLO whose name is no host name."""


class SmtpClient:
    """One mail server and the way into it.

    ``timeout_seconds`` bounds the connecting and each reply of the server, ``reply_seconds`` the
    reply to the final dot. ``ehlo_name``: the name in EHLO (None: the machine's).
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
        timeout_seconds: float = 60,
        reply_seconds: float = REPLY_SECONDS,
    ) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._password = password
        self._security = security
        self._ehlo_name = ehlo_name
        self._timeout_seconds = timeout_seconds
        self._reply_seconds = reply_seconds

    async def send(self, mime: bytes, *, sender: str, recipient: str, fence: Fence) -> str:
        """Hand the mail over, byte for byte but for line ends, and return the server's reply: ``250
        2.0.0 Ok: queued as …``.

        If ``fence`` raises, the connection is closed without the final dot, and the server discards
        the mail.

        Raises:
            MailTemporaryError, MailRefusedError, MailAccessError: it was not taken.
        """
        origin, target = _parse(sender, "MAIL_FROM"), _parse(recipient, "REPORT_RECIPIENTS")
        async with self._session() as server:
            await _send_envelope(server, origin, target, mime)
            await fence.before_data()
            await _command(server, Step.DATA, b"DATA")
            await self._send_text(server, mime)
            fence.before_dot()
            answer = await _command(
                server, Step.DOT, b".", seconds=self._reply_seconds, target=target
            )
            _say_goodbye(server)
        return answer

    async def check(self) -> str:
        """Do everything but send a mail: connect, encrypt, log in. Returns the server's reply;
        raises as ``send``.
        """
        async with self._session() as server:
            answer = await server.noop()
            _say_goodbye(server)
        return str(answer)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._ehlo_name or await asyncio.to_thread(_name_machine),
            username=self._username,
            password=self._password,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            timeout=self._timeout_seconds,
        )
        try:
            await server.connect()
            await _greet(server)
            yield server
        except (aiosmtplib.SMTPException, OSError) as error:
            raise connection_error(error, self._host, self._port) from error
        finally:
            server.close()

    async def _send_text(self, server: aiosmtplib.SMTP, mime: bytes) -> None:
        """Send the mail without its final dot, and wait until all of it has left the process:
        nothing may be queued before the dot.
        """
        protocol = _connected(server)
        if isinstance(protocol.transport, asyncio.WriteTransport):
            protocol.transport.set_write_buffer_limits(
                high=1
            )  # not 0: an encrypted transport then pauses while it is empty
        text = re.sub(rb"(?m)^\.", b"..", _normalize(mime))
        for start in range(0, len(text), _CHUNK):
            async with asyncio.timeout(self._timeout_seconds):
                protocol.write(text[start : start + _CHUNK])
                await protocol._drain_helper()  # what StreamWriter.drain waits for


async def _greet(server: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO to a server that does not know it; it was said already if there was a login."""
    if not server.is_ehlo_or_helo_needed:
        return
    try:
        await server.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not server.is_connected:
            raise
        await server.helo()


async def _send_envelope(
    server: aiosmtplib.SMTP, origin: MailAddress, target: MailAddress, mime: bytes
) -> None:
    """Send MAIL and RCPT. A server without SMTPUTF8 refuses addresses that need it, each by its own
    error.
    """
    options = []
    if origin.needs_smtputf8 or target.needs_smtputf8:
        if not server.supports_extension("smtputf8"):
            raise no_smtputf8(recipient=not origin.needs_smtputf8)
        options.append("SMTPUTF8")
    if server.supports_extension("size"):
        options.append(f"SIZE={len(_normalize(mime))}")
    if not mime.isascii() and server.supports_extension("8bitmime"):
        options.append("BODY=8BITMIME")
    alone = target if not origin.needs_smtputf8 else None
    await _command(
        server, Step.MAIL, " ".join([f"MAIL FROM:<{origin}>", *options]).encode(), target=alone
    )
    await _command(server, Step.RCPT, f"RCPT TO:<{target}>".encode(), target=target)


async def _command(
    server: aiosmtplib.SMTP,
    step: Step,
    line: bytes,
    *,
    seconds: float | None = None,
    target: MailAddress | None = None,
) -> str:
    """Send one line and return the reply, code and words; ``target`` is the recipient that a
    refusal may be about.

    Addresses are not left to aiosmtplib: it reads them by ``email.utils.parseaddr``.
    """
    reply = await server.execute_command(line, timeout=seconds or server.timeout)
    if reply.code // 100 != (3 if step is Step.DATA else 2):
        raise reply_error(
            step,
            reply.code,
            reply.message,
            cyrillic_recipient=target is not None and target.needs_smtputf8,
        )
    return f"{reply.code} {reply.message}"


def _connected(server: aiosmtplib.SMTP) -> SMTPProtocol:
    if server.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    return server.protocol


def _say_goodbye(server: aiosmtplib.SMTP) -> None:
    """Send QUIT without waiting for the reply: an arrival is to be written at once, and no reply
    would change it.
    """
    if server.protocol is not None and server.is_connected:
        server.protocol.write(b"QUIT\r\n")


def _normalize(mime: bytes) -> bytes:
    """The mail as it is sent: lines end in CRLF, the last one too."""
    text = _LINE_END.sub(b"\r\n", mime)
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def _parse(address: str, setting: str) -> MailAddress:
    try:
        return MailAddress.parse(address)
    except ValueError:
        raise bad_address(setting) from None


def _name_machine() -> str:
    try:
        return encode_domain(socket.getfqdn())
    except ValueError:
        return _UNNAMED
