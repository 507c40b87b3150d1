"""Local SMTP server: stores mails, and on demand refuses, delays or disconnects."""

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
    """A received mail.

    It has the envelope's addresses and the message's bytes, with dots and line ends as the sender
    had them.
    """

    sender: str
    recipients: list[str]
    data: bytes
    at: datetime


@dataclass
class SmtpSwitches:
    """Faults of the local SMTP server. All may be set while it runs."""

    recipient_answers: dict[str, str] = field(default_factory=dict)
    """Reply to RCPT by address, code and text.

    Examples: `550 5.1.1 No such user`, `451 4.7.1 Try again later`.
    """

    data_answer: str | None = None
    """Reply to the end of DATA instead of 250, code and text. The mail is then not stored."""

    cut_after_dot: bool = False
    """The mail is stored, but the connection breaks before the 250.

    The sender cannot find out that the mail was accepted (RFC 1047).
    """

    refuse_connections: bool = False
    """Every connection is broken before the greeting."""

    replies: dict[str, str] = field(default_factory=dict)
    """Reply to a command instead of executing it, code and text.

    Keys are `MAIL`, `DATA` and so on; `CONNECT` is the greeting.
    """

    latency_seconds: float = 0.0
    """Delay of the replies to MAIL, RCPT and the end of DATA, each."""

    latencies: dict[str, float] = field(default_factory=dict)
    """Delay of the reply to a command, with the keys of `replies`.

    With `DATA` the client waits between 354 and its dot.
    """

    recipient_latencies: dict[str, float] = field(default_factory=dict)
    """Delay of the reply to RCPT by address."""

    dot_latencies: dict[str, float] = field(default_factory=dict)
    """Delay of the reply to the final dot by recipient.

    The mail is stored before the delay, as by a slow content filter.
    """

    smtputf8: bool = True
    """Whether addresses may contain Cyrillic before the @ (RFC 6531); for later connections."""


class LocalSmtp:
    """An SMTP server in the caller's event loop.

    - `username`: if set, mail is accepted only after AUTH.
    - `starttls`: TLS context of STARTTLS, which is then offered.
    - `tls`: TLS context from the first byte.
    - `mail_folder`: if given, each mail is also written there as 0001.eml, 0002.eml and so on.
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
        """Number of connections, refused ones included."""
        self._username = username
        self._password = password
        self._starttls = starttls
        self._tls = tls
        self._mail_folder = mail_folder
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.BaseTransport] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and return the port; 0 takes a free one. Raises OSError if the port is taken."""
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd logs every address
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, loop), host, port, ssl=self._tls
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Break all connections and stop listening; received mails stay."""
        if self._server is None:
            return
        self._server.close()
        for transport in list(self._open):
            _abort(transport)
        await self._server.wait_closed()
        self._server = None

    def add_connection(self, transport: asyncio.BaseTransport) -> bool:
        """Register a new connection; return False if it must be refused."""
        self.connections += 1
        self._open.add(transport)
        return not self.switches.refuse_connections

    def remove_connection(self, transport: asyncio.BaseTransport) -> None:
        self._open.discard(transport)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        """Check the credentials of a client; called by aiosmtpd."""
        known = isinstance(login, LoginPassword) and (
            login.login.decode(),
            login.password.decode(),
        ) == (self._username, self._password)
        return AuthResult(
            success=known,
            handled=False,
            message=None if known else "535 5.7.8 Authentication credentials invalid",
        )

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.switches.latency_seconds)
        if self._username is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(
            self.switches.latency_seconds + self.switches.recipient_latencies.get(address, 0)
        )
        if answer := self.switches.recipient_answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.switches.latency_seconds)
        if self.switches.data_answer:
            return self.switches.data_answer
        mail = ReceivedMail(
            envelope.mail_from or "",
            list(envelope.rcpt_tos),
            envelope.original_content or b"",
            datetime.now(UTC),
        )
        self._store_mail(mail)
        await asyncio.sleep(
            max(self.switches.dot_latencies.get(recipient, 0) for recipient in mail.recipients)
        )
        if self.switches.cut_after_dot:
            _abort(server.transport)
            await asyncio.Event().wait()  # no reply: the broken connection ends the session
        return "250 OK"

    def _store_mail(self, mail: ReceivedMail) -> None:
        self.messages.append(mail)
        if self._mail_folder is not None:
            self._mail_folder.mkdir(parents=True, exist_ok=True)
            (self._mail_folder / f"{len(self.messages):04}.eml").write_bytes(mail.data)

    def build_protocol_arguments(self) -> dict[str, Any]:
        """Settings of aiosmtpd.

        AUTH is offered without TLS too, because a local server has no network to protect.
        """
        return {
            "hostname": "localhost",  # otherwise aiosmtpd queries DNS
            "enable_SMTPUTF8": self.switches.smtputf8,
            "tls_context": self._starttls,
            "auth_require_tls": self._username is None,
            "authenticator": self.authenticate,
        }


def _abort(transport: asyncio.BaseTransport | None) -> None:
    """Close a connection at once, unless it is already closing.

    Python 3.11.2 raises AttributeError if a closing TLS transport is aborted.
    """
    if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
        transport.abort()


class _Connection(SMTP):
    """The session of one client, registered with the server so that it can be broken."""

    def __init__(self, owner: LocalSmtp, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(owner, loop=loop, **owner.build_protocol_arguments())
        self._owner = owner
        self._raw_transport: asyncio.BaseTransport | None = None
        for command, execute in self._smtp_methods.items():
            self._smtp_methods[command] = partial(self._answer_command, command, execute)

    async def _answer_command(
        self, command: str, execute: Callable[[str], Awaitable[None]], argument: str
    ) -> None:
        """Answer a command, with the delay or the reply of the switches."""
        switches = self._owner.switches
        await asyncio.sleep(switches.latencies.get(command, 0))
        if reply := switches.replies.get(command):
            await self.push(reply)
        else:
            await execute(argument)

    async def _handle_client(self) -> None:
        switches = self._owner.switches
        await asyncio.sleep(switches.latencies.get("CONNECT", 0))
        if reply := switches.replies.get("CONNECT"):
            await self.push(reply)
            self._writer.close()
        else:
            await super()._handle_client()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._raw_transport is not None:  # TLS starts on a registered connection
            super().connection_made(transport)
            return
        self._raw_transport = transport
        accepted = self._owner.add_connection(transport)
        super().connection_made(transport)
        if not accepted:
            _abort(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._raw_transport is not None:
            self._owner.remove_connection(self._raw_transport)
        super().connection_lost(error)
