"""The mail client with the defaults of its tests."""

from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from app.clients.mail import (
    SmtpClient,
)


class Unfenced:
    """A fence that stops no mail."""

    async def before_data(self) -> None: ...

    def before_dot(self) -> None: ...


SENDER, RECIPIENT = "reports@example.ru", "boss@example.ru"


Scripted = Callable[[dict[str, str]], Any]


def build_client(port: int, **options: Any) -> SmtpClient:
    return SmtpClient(
        "127.0.0.1",
        port,
        **{
            "username": None,
            "password": None,
            "security": "none",
            "timeout_seconds": 30,
            **options,
        },
    )


def build_report(body: str = "Отчёт за день.\n.точка в начале строки\n..и две\n") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, "Отчёт"
    message.set_content(body, cte="8bit")
    return message.as_bytes()


async def send(port: int, **options: Any) -> str:
    return await build_client(port, **options).send(
        build_report(), sender=SENDER, recipient=RECIPIENT, fence=Unfenced()
    )
