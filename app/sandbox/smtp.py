"""The local SMTP server: keeps what it gets, and refuses, stalls or breaks off when it is told to."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class ReceivedMail:
    """A mail as it came: the envelope's addresses and the message's bytes, dots and line ends as in
    the sender's own.
    """

    sender: str
    recipients: list[str]
    data: bytes
    at: datetime


@dataclass
class SmtpSwitches:
    """How the local SMTP server misbehaves. All may be set while it runs."""

    recipient_answers: dict[str, str] = field(default_factory=dict)
    """What RCPT answers for an address, code and words: `550 5.1.1 No such user`, `451 4.7.1 Try
    again later`.
    """

    data_answer: str | None = None
    """What the end of DATA answers instead of 250, code and words; the mail is not kept then."""

    cut_after_dot: bool = False
    """The mail is kept, but the connection breaks before the 250: the sender cannot know that it
    arrived (RFC 1047).
    """

    refuse_connections: bool = False
    """Every connection breaks before the greeting."""

    replies: dict[str, str] = field(default_factory=dict)
    """What a command answers instead of being carried out, code and words: `MAIL`, `DATA` and so
    on; `CONNECT` is the greeting.
    """

    latency_seconds: float = 0.0
    """How long MAIL, RCPT and the end of DATA wait, each, before they are answered."""

    latencies: dict[str, float] = field(default_factory=dict)
    """How long one command waits before it is answered, named as in `replies`: with `DATA` the
    client waits between 354 and its dot.
    """

    recipient_latencies: dict[str, float] = field(default_factory=dict)
    """How long RCPT waits for an address before it is answered."""

    dot_latencies: dict[str, float] = field(default_factory=dict)
    """By recipient: how long the reply to the final dot takes. The mail is kept by then, as by a
    slow content filter.
    """

    smtputf8: bool = True
    """Whether addresses may hold Cyrillic before the @ (RFC 6531); for connections that come in
    later.
    """


class LocalSmtp:
    """An SMTP server in the caller's event loop.

    With `username` it takes mail only after AUTH. `starttls` offers STARTTLS with that context,
    `tls` speaks TLS from the first byte. Each mail is also written to `mail_folder` as 0001.eml,
    0002.eml and so on, where one is given.
    """

    def __init__(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        mail_folder: Path | None = None,
    ) -> None:
        self.messages: list[ReceivedMail] = []
        self.switches = SmtpSwitches()
        self.connections = 0
        """How many connections came in, refused ones included."""
        self._username = username
        self._password = password
        self._starttls = starttls
        self._tls = tls
        self._mail_folder = mail_folder
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.BaseTransport] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and return the port; 0 takes a free one. Raises OSError where the port is taken."""
        logging.getLogger("mail.log").setLevel(
            logging.ERROR
        )  # aiosmtpd writes every address into its log
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, loop), host, port, ssl=self._tls
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Break every connection and stop listening; what was received stays."""
        if self._server is None:
            return
        self._server.close()
        for transport in list(self._open):
            _abort(transport)
        await self._server.wait_closed()
        self._server = None

    def opened(self, transport: asyncio.BaseTransport) -> bool:
        """Note a new connection. False where it is to be refused."""
        self.connections += 1
        self._open.add(transport)
        return not self.switches.refuse_connections

    def closed(self, transport: asyncio.BaseTransport) -> None:
        self._open.discard(transport)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        """Check what a client logged in with; called by aiosmtpd."""
        known = isinstance(login, LoginPassword) and (
            login.login.decode(),
            login.password.decode(),
        ) == (self._username, self._password)
        return AuthResult(
            success=known,
            handled=False,
            message=None if known else "535 5.7.8 Authentication credentials invalid",
        )

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.switches.latency_seconds)
        if self._username is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(
            self.switches.latency_seconds + self.switches.recipient_latencies.get(address, 0)
        )
        if answer := self.switches.recipient_answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd names it
        await asyncio.sleep(self.switches.latency_seconds)
        if self.switches.data_answer:
            return self.switches.data_answer
        mail = ReceivedMail(
            envelope.mail_from or "",
            list(envelope.rcpt_tos),
            envelope.original_content or b"",
            datetime.now(UTC),
        )
        self._keep(mail)
        await asyncio.sleep(
            max(self.switches.dot_latencies.get(recipient, 0) for recipient in mail.recipients)
        )
        if self.switches.cut_after_dot:
            _abort(server.transport)
            await (
                asyncio.Event().wait()
            )  # the broken connection ends this conversation, no answer is written to it
        return "250 OK"

    def _keep(self, mail: ReceivedMail) -> None:
        self.messages.append(mail)
        if self._mail_folder is not None:
            self._mail_folder.mkdir(parents=True, exist_ok=True)
            (self._mail_folder / f"{len(self.messages):04}.eml").write_bytes(mail.data)

    def protocol_arguments(self) -> dict[str, Any]:
        """How aiosmtpd is to speak: AUTH is offered without TLS too, for a local server has no wire
        to protect.
        """
        return {
            "hostname": "localhost",  # else aiosmtpd asks DNS
            "enable_SMTPUTF8": self.switches.smtputf8,
            "tls_context": self._starttls,
            "auth_require_tls": self._username is None,
            "authenticator": self.authenticate,
        }


def _abort(transport: asyncio.BaseTransport | None) -> None:
    """Close a connection at once, unless it is closing: Python 3.11.2 raises AttributeError if a
    closing TLS transport is aborted.
    """
    if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
        transport.abort()


class _Connection(SMTP):
    """One client's conversation, known to the server so that it can be broken."""

    def __init__(self, owner: LocalSmtp, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(owner, loop=loop, **owner.protocol_arguments())
        self._owner = owner
        self._wire: asyncio.BaseTransport | None = None
        for command, carry_out in self._smtp_methods.items():
            self._smtp_methods[command] = partial(self._answer, command, carry_out)

    async def _answer(
        self, command: str, carry_out: Callable[[str], Awaitable[None]], argument: str
    ) -> None:
        """Answer a command, late or otherwise than well-behaved servers do where a switch says so."""
        switches = self._owner.switches
        await asyncio.sleep(switches.latencies.get(command, 0))
        if reply := switches.replies.get(command):
            await self.push(reply)
        else:
            await carry_out(argument)

    async def _handle_client(self) -> None:
        switches = self._owner.switches
        await asyncio.sleep(switches.latencies.get("CONNECT", 0))
        if reply := switches.replies.get("CONNECT"):
            await self.push(reply)
            self._writer.close()
        else:
            await super()._handle_client()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._wire is not None:  # TLS has begun on a known connection
            super().connection_made(transport)
            return
        self._wire = transport
        welcome = self._owner.opened(transport)
        super().connection_made(transport)
        if not welcome:
            _abort(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._wire is not None:
            self._owner.closed(self._wire)
        super().connection_lost(error)
