"""Mails that a server receives, and the errors of its refusals."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.clients.mail import (
    MailAccessError,
    MailError,
    MailRefusedError,
    MailTemporaryError,
)
from app.errors import PermanentError, TransientError
from app.sandbox.smtp import LocalSmtp
from tests.support.smtp_client import (
    RECIPIENT,
    SENDER,
    Scripted,
    Unfenced,
    build_client,
    build_report,
    send,
)


@asynccontextmanager
async def serve_smtp(**options: Any) -> AsyncIterator[tuple[LocalSmtp, int]]:
    server = LocalSmtp(**options)
    try:
        yield server, await server.start()
    finally:
        await server.stop()


async def test_mail_arrives_byte_for_byte() -> None:
    async with serve_smtp() as (server, port):
        assert await send(port) == "250 OK"
        (mail,) = server.messages
        assert (mail.sender, mail.recipients, mail.data) == (SENDER, [RECIPIENT], build_report())


async def test_addresses_in_cyrillic_arrive() -> None:
    """Mail servers require the domain in ASCII; a local part has no ASCII form."""
    async with serve_smtp() as (server, port):
        await build_client(port).send(
            build_report(),
            sender="отчёты@пример.рф",
            recipient="начальник@Пример.рф",
            fence=Unfenced(),
        )
        domain = "xn--e1afmkfd.xn--p1ai"
        assert (server.messages[0].sender, server.messages[0].recipients) == (
            f"отчёты@{domain}",
            [f"начальник@{domain}"],
        )


async def test_cyrillic_domain_arrives_without_smtputf8() -> None:
    async with serve_smtp() as (server, port):
        server.switches.smtputf8 = False
        await build_client(port).send(
            build_report(), sender="reports@пример.рф", recipient="boss@пример.рф", fence=Unfenced()
        )
        assert server.messages[0].recipients == ["boss@xn--e1afmkfd.xn--p1ai"]


@pytest.mark.parametrize(
    ("sender", "recipient", "error", "setting"),
    [
        (SENDER, "начальник@пример.рф", MailRefusedError, "REPORT_RECIPIENTS"),
        ("отчёты@example.ru", RECIPIENT, MailAccessError, "MAIL_FROM"),
        ("отчёты@example.ru", "начальник@пример.рф", MailAccessError, "MAIL_FROM"),
    ],
)
async def test_cyrillic_local_part_without_smtputf8_fails_alone(
    sender: str, recipient: str, error: type[MailError], setting: str
) -> None:
    async with serve_smtp() as (server, port):
        server.switches.smtputf8 = False
        with pytest.raises(error, match=f"кириллиц.*{setting}"):
            await build_client(port).send(
                build_report(), sender=sender, recipient=recipient, fence=Unfenced()
            )
        await send(port)
        assert len(server.messages) == 1, "the others get theirs"


async def test_eight_bit_mail_is_sent_without_8bitmime(
    scripted_smtp: Scripted,
) -> None:
    async with scripted_smtp({".": "250 2.0.0 Ok: queued as 4XyZ"}) as port:
        assert await send(port) == "250 2.0.0 Ok: queued as 4XyZ"


@pytest.mark.parametrize(
    "recipient", ["two words@example.ru", "a@b\r\nDATA", "<a@b", "a@b>, c@d", "a@b\x01", "", "boss"]
)
async def test_invalid_address_is_refused(recipient: str) -> None:
    async with serve_smtp() as (server, port):
        with pytest.raises(MailRefusedError, match="REPORT_RECIPIENTS"):
            await build_client(port).send(
                build_report(), sender=SENDER, recipient=recipient, fence=Unfenced()
            )
        assert server.messages == []


async def test_login_opens_the_server() -> None:
    async with serve_smtp(username="reports", password="app-password") as (server, port):
        await send(port, username="reports", password="app-password")
        assert len(server.messages) == 1


@pytest.mark.parametrize("login", [{"username": "reports", "password": "canary-password"}, {}])
async def test_a_wrong_or_missing_login_names_the_settings(login: dict[str, str]) -> None:
    async with serve_smtp(username="reports", password="app-password") as (_, port):
        with pytest.raises(MailAccessError, match="SMTP_PASSWORD") as caught:
            await send(port, **login)
        assert caught.value.code == (535 if login else 530)
        assert "canary" not in caught.value.message
        assert isinstance(caught.value, PermanentError)


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ("550 5.1.1 No such user", MailRefusedError, 550),
        ("451 4.7.1 Greylisted, try again later", MailTemporaryError, 451),
    ],
)
async def test_reply_to_the_recipient_is_permanent_or_temporary(
    answer: str, error: type[MailError], code: int
) -> None:
    async with serve_smtp() as (server, port):
        server.switches.recipient_answers[RECIPIENT] = answer
        with pytest.raises(error) as caught:
            await send(port)
        assert (caught.value.code, caught.value.answer) == (code, answer.partition(" ")[2])
        assert answer in caught.value.message


@pytest.mark.parametrize(
    ("answer", "error"),
    [("554 5.7.1 Spam", MailAccessError), ("452 4.3.1 Disk full", MailTemporaryError)],
)
async def test_reply_to_the_mail_is_permanent_or_temporary(
    answer: str, error: type[MailError]
) -> None:
    async with serve_smtp() as (server, port):
        server.switches.data_answer = answer
        with pytest.raises(error, match=answer):
            await send(port)


async def test_connection_lost_after_the_final_dot_is_temporary() -> None:
    async with serve_smtp() as (server, port):
        server.switches.cut_after_dot = True
        with pytest.raises(MailTemporaryError) as caught:
            await send(port)
        assert caught.value.code is None
        assert isinstance(caught.value, TransientError)
        assert len(server.messages) == 1


async def test_refused_or_broken_connection_is_temporary() -> None:
    async with serve_smtp() as (server, port):
        server.switches.refuse_connections = True
        with pytest.raises(MailTemporaryError, match="SMTP_HOST"):
            await send(port)
    with pytest.raises(MailTemporaryError, match="SMTP_PORT"):
        await send(port)  # nothing listens there any more


async def test_slow_server_is_temporary(scripted_smtp: Scripted) -> None:
    for step in ("greeting", "EHLO", "RCPT", "."):
        async with scripted_smtp({step: "hang"}) as port:
            with pytest.raises(MailTemporaryError):
                await send(port, timeout_seconds=0.2, reply_seconds=0.2)


@pytest.mark.parametrize(
    ("script", "error", "expected"),
    [
        ({"greeting": "554 5.3.2 Go away"}, MailAccessError, "SMTP_HOST"),
        ({"greeting": "421 4.3.2 Too busy"}, MailTemporaryError, "421 4.3.2 Too busy"),
        ({"greeting": "cut"}, MailTemporaryError, "SMTP_HOST"),
        ({"greeting": "HTTP/1.1 400 Bad Request"}, MailTemporaryError, "Malformed"),
        ({"EHLO": "550 Who are you", "HELO": "550 Who are you"}, MailAccessError, "SMTP_EHLO_NAME"),
        (
            {"MAIL": "553 5.7.1 Sender address rejected: not owned by user"},
            MailAccessError,
            "MAIL_FROM",
        ),
        ({"MAIL": "552 5.3.4 Message too big"}, MailAccessError, "552"),
        ({"MAIL": "450 4.7.1 Slow down"}, MailTemporaryError, "450"),
        ({"MAIL": "530 5.7.0 Authentication required"}, MailAccessError, "SMTP_USERNAME"),
        ({"RCPT": "cut"}, MailTemporaryError, "SMTP_HOST"),
        ({"DATA": "cut"}, MailTemporaryError, "SMTP_HOST"),
        ({"DATA": "554 5.5.1 No valid recipients"}, MailAccessError, "554"),
    ],
)
async def test_reply_is_permanent_or_temporary(
    scripted_smtp: Scripted, script: dict[str, str], error: type[MailError], expected: str
) -> None:
    async with scripted_smtp(script) as port:
        with pytest.raises(error, match=expected):
            await send(port)


async def test_temporary_login_failure_is_temporary(
    scripted_smtp: Scripted,
) -> None:
    script = {
        "EHLO": "250-hi\r\n250 AUTH PLAIN",
        "AUTH": "454 4.7.0 Temporary authentication failure",
    }
    async with scripted_smtp(script) as port:
        with pytest.raises(MailTemporaryError, match="454"):
            await send(port, username="reports", password="app-password")


async def test_a_server_without_login_names_the_settings(scripted_smtp: Scripted) -> None:
    async with scripted_smtp({}) as port:
        with pytest.raises(MailAccessError, match="SMTP_USERNAME"):
            await send(port, username="reports", password="app-password")


@pytest.mark.parametrize("goodbye", ["cut", "hang", "500 What?"])
async def test_failed_quit_does_not_undo_the_delivery(
    scripted_smtp: Scripted, goodbye: str
) -> None:
    async with scripted_smtp({"QUIT": goodbye}) as port:
        assert await send(port, timeout_seconds=1) == "250 2.0.0 Ok"


async def test_check_connects_without_sending_a_mail() -> None:
    async with serve_smtp(username="reports", password="app-password") as (server, port):
        assert (
            await build_client(port, username="reports", password="app-password").check()
        ).startswith("250")
        assert server.messages == []
        with pytest.raises(MailAccessError):
            await build_client(port, username="reports", password="other").check()


async def test_concurrent_mails_do_not_mix() -> None:
    async with serve_smtp() as (server, port):
        people = [f"person-{number}@example.ru" for number in range(8)]
        smtp = build_client(port)
        await asyncio.gather(
            *(
                smtp.send(build_report(person), sender=SENDER, recipient=person, fence=Unfenced())
                for person in people
            )
        )
        assert sorted(mail.recipients[0] for mail in server.messages) == people
        assert all(mail.data == build_report(mail.recipients[0]) for mail in server.messages)
