"""Settings of the mail: server, sender and recipients."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import NoDecode

from app.config.setting_types import (
    AddressList,
    AddressText,
    EhloName,
    HostName,
    LoginName,
    LoginPassword,
    is_address,
)

LOCAL_SENDER = "avito-quality@localhost"
"""The sender of mails that become files."""
_DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class MailFields(BaseModel):
    """The mail server, the sender and the recipients."""

    smtp_host: HostName | None = Field(
        None, description="имя почтового сервера без порта и пробелов, например smtp.yandex.ru"
    )
    """Mail server. If it is not set, mails are written to DATA_DIR/outbox as .eml files."""
    smtp_port: int | None = Field(None, ge=1, le=65535, description="номер порта от 1 до 65535")
    """Port of the mail server. If it is not set, 587 for starttls, 465 for tls, 25 for none."""
    smtp_username: LoginName | None = Field(
        None, description="имя пользователя почтового сервера, одной строкой"
    )
    """User name at the mail server. If it is not set, the service does not authenticate."""
    smtp_password: LoginPassword | None = Field(
        None, description="пароль почтового сервера, одной строкой"
    )
    """Password at the mail server. Required together with SMTP_USERNAME."""
    smtp_security: Literal["starttls", "tls", "none"] | None = Field(
        None, description="starttls, tls или none"
    )
    """Encryption. If it is not set, tls on port 465, otherwise starttls."""
    smtp_ehlo_name: EhloName | None = Field(
        None,
        description=(
            "полное имя этой машины, например reports.example.ru, или её адрес вида [203.0.113.7]"
        ),
    )
    """Name sent in EHLO: a host name, or an address literal such as [203.0.113.7]. If it is not
    set, the host name of the machine.
    """
    mail_from: AddressText | None = Field(None, description="адрес вида reports@example.ru")
    """Sender of the mails. If it is not set, SMTP_USERNAME. Required if that is not a mail address.
    """
    report_recipients: Annotated[AddressList, NoDecode] = Field(
        (), description="почтовые адреса через запятую"
    )
    """Recipients of the mail, comma-separated. Required together with SMTP_HOST."""

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        if bool(self.smtp_username) != bool(self.smtp_password):
            missing = "SMTP_PASSWORD" if self.smtp_username else "SMTP_USERNAME"
            raise ValueError(f"{missing}: не задано, а нужны и имя, и пароль почтового сервера.")
        return self

    @property
    def sender(self) -> str:
        """The sender of the mails. Mails that become files may have any sender."""
        if self.mail_from:
            return self.mail_from
        return (
            self.smtp_username
            if self.smtp_username and is_address(self.smtp_username)
            else LOCAL_SENDER
        )

    @property
    def smtp_encryption(self) -> Literal["starttls", "tls", "none"]:
        """The encryption of SMTP: ``SMTP_SECURITY`` if set, otherwise chosen by the port.

        Port 465 means TLS from the first byte (RFC 8314), any other port STARTTLS.
        """
        return self.smtp_security or (
            "tls" if self.smtp_port == _DEFAULT_PORTS["tls"] else "starttls"
        )

    @property
    def smtp_server_port(self) -> int:
        """The mail server's port: the setting, or the standard port of the encryption."""
        return self.smtp_port or _DEFAULT_PORTS[self.smtp_encryption]
