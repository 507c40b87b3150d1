"""The local SMTP server, tested with the product's client."""

import asyncio
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from app.sandbox.smtp import LocalSmtp
from tests.support.certificates import make_self_signed

TO = ["head@example.com", "owner@example.com"]


def build_mail(text: str = "Готово\n.\nконец") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", ", ".join(TO), "Отчёт"
    mail.set_content(text)
    return mail


def build_client(port: int, **options: Any) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname="127.0.0.1", port=port, timeout=5, **{"start_tls": False, **options}
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_text(make_self_signed("127.0.0.1"))
    return file


def build_contexts(certificate: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    return serving, ssl.create_default_context(cafile=certificate)


async def test_a_mail_is_kept_with_its_envelope_and_its_bytes(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    async with build_client(port) as sender:
        await sender.send_message(build_mail())

    mail = smtp.messages[0]
    assert (mail.sender, mail.recipients) == ("shop@example.com", TO)
    assert b"Subject: =?utf-8?" in mail.data
    assert mail.data.endswith(b"\r\n")


async def test_a_refused_recipient_leaves_the_others_their_mail(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    smtp.switches.recipient_answers = {TO[0]: "550 5.1.1 No such user"}
    async with build_client(port) as sender:
        refused, _ = await sender.send_message(build_mail())

    assert refused[TO[0]].code == 550
    assert smtp.messages[0].recipients == [TO[1]]


async def test_refusal_can_be_temporary_and_end(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    smtp.switches.recipient_answers = dict.fromkeys(TO, "451 4.7.1 Try again later")
    async with build_client(port) as sender:
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await sender.send_message(build_mail())
        smtp.switches.recipient_answers.clear()
        await sender.send_message(build_mail())

    assert [refusal.code for refusal in refused.value.recipients] == [451, 451]
    assert len(smtp.messages) == 1


async def test_data_can_be_refused_and_is_not_kept(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    smtp.switches.data_answer = "554 5.7.1 Looks like spam"
    async with build_client(port) as sender:
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await sender.send_message(build_mail())

    assert refused.value.code == 554
    assert smtp.messages == []


async def test_connection_cut_after_the_dot_keeps_the_mail(
    smtp: LocalSmtp,
) -> None:
    port = await smtp.start()
    smtp.switches.cut_after_dot = True
    sender = build_client(port)
    await sender.connect()
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await sender.send_message(build_mail())

    assert len(smtp.messages) == 1


async def test_connections_can_be_refused_for_a_while(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    smtp.switches.refuse_connections = True
    with pytest.raises((aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPConnectError)):
        await build_client(port).connect()
    smtp.switches.refuse_connections = False
    async with build_client(port) as sender:
        await sender.send_message(build_mail())

    assert smtp.connections == 2
    assert len(smtp.messages) == 1


async def test_slow_server_times_out_the_client(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    smtp.switches.latency_seconds = 30
    sender = build_client(port)
    await sender.connect()
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await sender.mail("shop@example.com", timeout=0.05)

    async with asyncio.timeout(10):
        await smtp.stop()


async def test_a_stopped_server_refuses_and_starts_again_on_its_port(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    await smtp.stop()
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await build_client(port).connect()

    assert await smtp.start(port=port) == port
    async with build_client(port) as sender:
        await sender.send_message(build_mail())
    assert len(smtp.messages) == 1


async def test_server_with_login_requires_it() -> None:
    server = LocalSmtp(username="shop", password="right")
    port = await server.start()
    async with build_client(port) as sender:
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
            await sender.send_message(build_mail())
    with pytest.raises(aiosmtplib.SMTPAuthenticationError) as wrong:
        await build_client(port, username="shop", password="wrong").connect()
    async with build_client(port, username="shop", password="right") as sender:
        await sender.send_message(build_mail())
    await server.stop()

    assert (refused.value.code, wrong.value.code) == (530, 535)
    assert len(server.messages) == 1


async def test_starttls(certificate: Path) -> None:
    serving, trusting = build_contexts(certificate)
    server = LocalSmtp(starttls=serving, username="shop", password="right")
    port = await server.start()
    async with build_client(
        port, start_tls=True, tls_context=trusting, username="shop", password="right"
    ) as sender:
        await sender.send_message(build_mail())
    await server.stop()

    assert len(server.messages) == 1


async def test_tls_from_the_first_byte(certificate: Path) -> None:
    serving, trusting = build_contexts(certificate)
    server = LocalSmtp(tls=serving)
    port = await server.start()
    async with build_client(port, use_tls=True, tls_context=trusting) as sender:
        await sender.send_message(build_mail())
    await server.stop()

    assert len(server.messages) == 1


async def test_each_command_can_have_another_reply(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    for command, error in (
        ("CONNECT", aiosmtplib.SMTPConnectResponseError),
        ("MAIL", aiosmtplib.SMTPSenderRefused),
        ("RCPT", aiosmtplib.SMTPRecipientsRefused),
        ("DATA", aiosmtplib.SMTPDataError),
    ):
        smtp.switches.replies = {command: "554-5.7.1 No\r\n554 5.7.1 really"}
        sender = build_client(port)
        with pytest.raises(error):
            await sender.connect()
            await sender.send_message(build_mail())
        sender.close()
    smtp.switches.replies.clear()
    async with build_client(port) as sender:
        await sender.send_message(build_mail())
    assert len(smtp.messages) == 1


async def test_a_command_can_answer_late(smtp: LocalSmtp) -> None:
    """With DATA the client waits between its command and its text.

    A slow filter stores the mail before it replies.
    """
    port = await smtp.start()
    smtp.switches.latencies = {"DATA": 60}
    async with build_client(port) as sender:
        await sender.mail("shop@example.com")
        await sender.rcpt(TO[0])
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await sender.data(b"text", timeout=0.05)
    smtp.switches.latencies.clear()
    smtp.switches.dot_latencies = {TO[0]: 60}
    async with build_client(port) as sender:
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await sender.send_message(build_mail(), timeout=0.5)
    assert [mail.recipients for mail in smtp.messages] == [TO]


async def test_reply_to_one_recipient_can_be_delayed(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    smtp.switches.recipient_latencies = {TO[1]: 60}
    async with build_client(port) as sender:
        await sender.mail("shop@example.com")
        await sender.rcpt(TO[0])
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await sender.rcpt(TO[1], timeout=0.05)


async def test_a_server_without_smtputf8_does_not_offer_it(smtp: LocalSmtp) -> None:
    port = await smtp.start()
    for offered in (True, False):
        smtp.switches.smtputf8 = offered
        async with build_client(port) as sender:
            await sender.ehlo()
            assert sender.supports_extension("smtputf8") is offered
