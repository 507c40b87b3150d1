"""Sends a ready mail through an SMTP server: a connection for each mail, which is at most a few a day."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.utils import parseaddr
from typing import Literal

import aiosmtplib

from app.clients.mail.faults import mail_error, not_an_address

Security = Literal["starttls", "tls", "none"]

_GOODBYE_SECONDS = 5


class SmtpClient:
    """One mail server and the way into it. ``timeout_seconds`` bounds the connecting and each answer of the server."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str | None,
        password: str | None,
        security: Security,
        timeout_seconds: float = 60,
    ) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._password = password
        self._security = security
        self._timeout_seconds = timeout_seconds

    async def send(self, mime: bytes, *, sender: str, recipient: str) -> str:
        """Hands the mail over, byte for byte but for line ends, and gives the server's answer: ``250 2.0.0 Ok: queued as …``.

        Raises:
            MailTemporaryError, MailRefusedError, MailAccessError: it was not taken.
        """
        # aiosmtplib sends what it makes of an address, and makes something of nearly everything.
        if any("@" not in address or parseaddr(address)[1] != address for address in (sender, recipient)):
            raise not_an_address()
        async with self._session() as server:
            options = ["SMTPUTF8"] if not (sender + recipient).isascii() else []
            if not mime.isascii() and server.supports_extension("8bitmime"):
                options.append("BODY=8BITMIME")
            _, answer = await server.sendmail(sender, recipient, mime, mail_options=options)
        return f"250 {answer}"  # nothing else counts as taken

    async def check(self) -> str:
        """Goes all the way but the mail: connects, encrypts, logs in. Gives the server's answer; raises as ``send``."""
        async with self._session() as server:
            answer = await server.noop()
        return str(answer)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            timeout=self._timeout_seconds,
        )
        try:
            await server.connect()
            yield server
            # What was taken stays taken, however the server says goodbye.
            with suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=min(_GOODBYE_SECONDS, self._timeout_seconds))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise mail_error(error, self._host, self._port) from error
        finally:
            server.close()
