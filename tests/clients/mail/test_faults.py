"""Classification of the mail server's replies: recipient, settings or temporary."""

import errno
from typing import Any

import pytest

from app.clients.mail import MailAccessError, MailError, MailRefusedError, MailTemporaryError
from app.clients.mail.faults import build_connection_error
from tests.support.smtp_client import (
    RECIPIENT,
    SENDER,
    Scripted,
    Unfenced,
    build_client,
    build_report,
    send,
)

REFUSED, ACCESS, LATER = MailRefusedError, MailAccessError, MailTemporaryError

# Step, reply, error and the setting that it names. Replies of Postfix are quoted from Debian's 3.7,
# others from memory of Gmail, Exchange, Exim, qmail, Yandex and mail.ru.
REPLIES: list[tuple[str, str, type[MailError], str]] = [
    # The recipient: 5.1.x and 5.2.x at any step; without an enhanced code, 550 and 551 at RCPT.
    (
        "RCPT",
        (
            "550 5.1.1 <boss@example.ru>: Recipient address rejected: User unknown in local"
            " recipient table"
        ),
        REFUSED,
        "RECIPIENTS",
    ),
    (
        "RCPT",
        (
            "550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 Learn"
            " more"
        ),
        REFUSED,
        "RECIPIENTS",
    ),
    ("RCPT", "552 5.2.2 Mailbox full", REFUSED, "RECIPIENTS"),
    ("RCPT", "554 5.2.1 Mailbox disabled", REFUSED, "RECIPIENTS"),
    ("RCPT", "556 5.1.10 Recipient address has null MX", REFUSED, "RECIPIENTS"),
    ("RCPT", "501 5.1.3 Bad recipient address syntax", REFUSED, "RECIPIENTS"),
    ("RCPT", "553 5.1.2 No such domain", REFUSED, "RECIPIENTS"),
    ("RCPT", "550 No such user", REFUSED, "RECIPIENTS"),
    ("RCPT", "551 User not local", REFUSED, "RECIPIENTS"),
    ("RCPT", "550 sorry, no mailbox here by that name (#5.1.1)", REFUSED, "RECIPIENTS"),
    ("RCPT", "550 #5.1.0 Address rejected.", REFUSED, "RECIPIENTS"),
    ("RCPT", "550 <relay-spam@example.ru>: unknown user", REFUSED, "RECIPIENTS"),
    (".", "550 5.1.1 User unknown", REFUSED, "RECIPIENTS"),
    (".", "552 5.2.2 Over quota", REFUSED, "RECIPIENTS"),
    (".", "552 5.2.3 Message length exceeds the mailbox's limit", REFUSED, "RECIPIENTS"),
    # The sender.
    ("MAIL", "501 5.1.7 Bad sender address syntax", ACCESS, "MAIL_FROM"),
    (
        "RCPT",
        "550 5.1.8 <reports@example.ru>: Sender address rejected: Domain not found",
        ACCESS,
        "MAIL_FROM",
    ),
    (
        "RCPT",
        "553 5.7.1 <reports@example.ru>: Sender address rejected: not owned by user boss",
        ACCESS,
        "MAIL_FROM",
    ),
    ("MAIL", "553 sender not allowed", ACCESS, "MAIL_FROM"),
    (
        "MAIL",
        "504 5.5.2 <reports@web1>: Sender address rejected: need fully-qualified address",
        ACCESS,
        "MAIL_FROM",
    ),
    ("MAIL", "550 go away", ACCESS, "MAIL_FROM"),
    ("RCPT", "550-Verification failed\r\n550 Sender verify failed", ACCESS, "MAIL_FROM"),
    (
        ".",
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        ACCESS,
        "MAIL_FROM",
    ),
    (
        ".",
        (
            "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n550"
            " 5.7.26 SPF did not pass"
        ),
        ACCESS,
        "SPF",
    ),
    # Relaying.
    ("RCPT", "554 5.7.1 <boss@example.ru>: Relay access denied", ACCESS, "relay"),
    ("RCPT", "550 5.7.1 Unable to relay", ACCESS, "relay"),
    ("RCPT", "550 relay not permitted", ACCESS, "relay"),
    (
        "RCPT",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        ACCESS,
        "relay",
    ),
    # Block lists and spam.
    (
        "RCPT",
        "554 5.7.1 Service unavailable; Client host [203.0.113.7] blocked using zen.spamhaus.org",
        ACCESS,
        "чёрном списке",
    ),
    ("greeting", "554 5.7.1 Your address is listed in our blocklist", ACCESS, "чёрном списке"),
    (".", "554 5.7.1 Message rejected under suspicion of SPAM", ACCESS, "спам"),
    (".", "550 spam message rejected. Please visit http://help.mail.ru/", ACCESS, "спам"),
    # Size.
    ("MAIL", "552 5.3.4 Message size exceeds fixed limit", ACCESS, "предел размера"),
    (".", "552 5.3.4 Error: message file too big", ACCESS, "предел размера"),
    ("MAIL", "552 Too much mail data", ACCESS, "предел размера"),
    # The name in EHLO.
    (
        "RCPT",
        "504 5.5.2 <web1>: Helo command rejected: need fully-qualified hostname",
        ACCESS,
        "SMTP_EHLO_NAME",
    ),
    ("RCPT", "550 5.7.1 <web1>: Helo command rejected: Host not found", ACCESS, "SMTP_EHLO_NAME"),
    ("MAIL", "504 5.5.2 need fully-qualified hostname", ACCESS, "SMTP_EHLO_NAME"),
    # Login and encryption.
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", ACCESS, "SMTP_SECURITY"),
    ("RCPT", "530 Authentication required", ACCESS, "SMTP_USERNAME"),
    ("RCPT", "550 5.7.1 Authentication required", ACCESS, "SMTP_USERNAME"),
    (
        "MAIL",
        "538 5.7.11 Encryption required for requested authentication mechanism",
        ACCESS,
        "SMTP_SECURITY",
    ),
    # The server itself, its protocol, and rules without further details.
    ("greeting", "521 5.3.2 Does not accept mail", ACCESS, "SMTP_HOST"),
    ("greeting", "554 No SMTP service here", ACCESS, "SMTP_HOST"),
    ("MAIL", "555 5.5.4 Unsupported option: SIZE=120", ACCESS, "SMTP_HOST"),
    ("RCPT", "503 5.5.1 Error: need MAIL command", ACCESS, "SMTP_HOST"),
    ("DATA", "554 5.5.1 Error: no valid recipients", ACCESS, "SMTP_HOST"),
    ("RCPT", "550 5.7.1 No such user!", ACCESS, "своим правилам"),
    ("RCPT", "554 Transaction failed", ACCESS, "своим правилам"),
    ("RCPT", "550 5.4.1 Recipient address rejected: Access denied", ACCESS, "своим правилам"),
    ("RCPT", "550 4.1.1 The two codes contradict each other", ACCESS, "своим правилам"),
    (".", "550 No", ACCESS, "своим правилам"),
    (".", "554 5.6.0 Content rejected", ACCESS, "своим правилам"),
    # Temporary for any enhanced code; the advice is added if the text names the cause.
    ("RCPT", "450 5.1.1 The first digits contradict each other", LATER, "повторим сами"),
    ("RCPT", "452 4.2.2 Mailbox full", LATER, "повторим сами"),
    ("RCPT", "421 4.7.0 Too many connections", LATER, "повторим сами"),
    ("greeting", "421 4.3.2 Shutting down", LATER, "повторим сами"),
    ("RCPT", "454 4.7.1 <boss@example.ru>: Relay access denied", LATER, "SMTP_USERNAME"),
    ("RCPT", "450 4.7.1 <web1>: Helo command rejected: Host not found", LATER, "SMTP_EHLO_NAME"),
    (
        "MAIL",
        "450 4.1.8 <reports@web1>: Sender address rejected: Domain not found",
        LATER,
        "MAIL_FROM",
    ),
    (".", "451 4.7.1 Greylisted", LATER, "повторим сами"),
]


@pytest.mark.parametrize(
    ("step", "reply", "error", "expected"),
    REPLIES,
    ids=[f"{step} {reply[:40]}" for step, reply, *_ in REPLIES],
)
async def test_reply_classification(
    scripted_smtp: Scripted, step: str, reply: str, error: type[MailError], expected: str
) -> None:
    async with scripted_smtp({step: reply}) as port:
        with pytest.raises(error, match=expected) as caught:
            await send(port)
    assert caught.value.code == int(reply[:3])


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "."])
async def test_late_smtputf8_refusal_concerns_the_recipient(
    scripted_smtp: Scripted, step: str
) -> None:
    script = {"EHLO": "250-hi\r\n250 SMTPUTF8", step: "553 5.6.7 Non-ASCII addresses not permitted"}
    async with scripted_smtp(script) as port:
        with pytest.raises(MailRefusedError, match=r"кириллиц.*REPORT_RECIPIENTS"):
            await build_client(port).send(
                build_report(), sender=SENDER, recipient="шеф@example.ru", fence=Unfenced()
            )
        with pytest.raises(MailAccessError, match="MAIL_FROM"):
            await build_client(port).send(
                build_report(), sender="отчёты@example.ru", recipient=RECIPIENT, fence=Unfenced()
            )


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("boss@[127.0.0.1]", "boss@[127.0.0.1]"),
        ("boss@[IPv6:::1]", "boss@[IPv6:::1]"),
        ("first.last+tag@mail.example.ru", "first.last+tag@mail.example.ru"),
        ("boss@localhost", "boss@localhost"),
        ("boss@ПРИМЕР.рф", "boss@xn--e1afmkfd.xn--p1ai"),
    ],
)
async def test_address_sent_to_the_server(
    scripted_smtp: Scripted, address: str, known_as: str
) -> None:
    async with scripted_smtp(
        {f"RCPT TO:<{known_as}>": "250 2.1.5 Ok", "RCPT": "550 5.1.1 Unknown"}
    ) as port:
        await build_client(port).send(
            build_report(), sender=SENDER, recipient=address, fence=Unfenced()
        )


async def test_the_name_in_ehlo(scripted_smtp: Scripted) -> None:
    refusing: dict[str, Any] = {
        "EHLO": "504 5.5.2 need fully-qualified hostname",
        "HELO": "504 5.5.2 need fully-qualified hostname",
    }
    async with scripted_smtp(refusing | {"EHLO reports.example.ru": "250 hi"}) as port:
        with pytest.raises(MailAccessError, match="SMTP_EHLO_NAME"):
            await send(port, ehlo_name="web1")
        assert await send(port, ehlo_name="reports.example.ru") == "250 2.0.0 Ok"


def test_missing_file_descriptors_are_not_a_mail_server_fault() -> None:
    error = build_connection_error(
        OSError(errno.EMFILE, "Too many open files"), "smtp.example.ru", 587
    )
    assert isinstance(error, MailTemporaryError)
    assert "ulimit" in error.message
    assert "smtp.example.ru" not in error.message
