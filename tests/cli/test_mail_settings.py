"""The settings of the mail: addresses read by one strict rule on every Python, the name in EHLO,
the way of encryption.
"""

from typing import Any

import pytest

from app.config import Settings, load_settings
from app.errors import SettingsError

LONG = "a" * 64


def settings(**given: Any) -> Settings:
    return load_settings(_env_file=None, **given)


@pytest.mark.parametrize(
    "address",
    [
        "boss@example.ru",
        "boss@[127.0.0.1]",
        "boss@[IPv6:2001:db8::1]",
        "начальник@пример.рф",
        "o'neil+mail{x}@r3---sn.example.ru",
        "root@localhost",
        f"{LONG}@example.ru",
    ],
)
def test_what_is_an_address(address: str) -> None:
    assert settings(report_recipients=address, mail_from=address).report_recipients == (address,)


@pytest.mark.parametrize(
    "address",
    [
        "boss",
        "boss@",
        "@example.ru",
        "a@b@example.ru",
        "a..b@example.ru",
        ".a@example.ru",
        "a.@example.ru",
        '"two words"@example.ru',
        "<boss@example.ru>",
        "Шеф <boss@example.ru>",
        "a(b)@example.ru",
        "a\u202eb@example.ru",
        "boss@example..ru",
        "boss@-example.ru",
        "boss@example.ru.",
        "boss@exam_ple.ru",
        "boss@пример..рф",
        "boss@[127.0.0.1",
        "boss@[127.0.0.256]",
        "boss@[::1]",
        "boss@[IPv6:fe80::1%eth0]",
        f"{LONG}a@example.ru",
        f"boss@{LONG}.ru",
        "boss@" + "a." * 130 + "ru",
    ],
)
def test_what_is_no_address(address: str) -> None:
    for name in ("MAIL_FROM", "REPORT_RECIPIENTS"):
        with pytest.raises(SettingsError, match=f"^{name}: "):
            settings(**{name.lower(): address})


def test_a_login_that_is_no_address_does_not_stand_for_the_sender() -> None:
    login = {"smtp_password": "secret", "smtp_host": "mail", "report_recipients": "boss@example.ru"}
    assert settings(smtp_username="reports@example.ru", **login).sender == "reports@example.ru"
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        settings(smtp_username="a b@example.ru", **login).require("mail")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reports.example.ru", "reports.example.ru"),
        ("web1", "web1"),
        ("почта.рф", "xn--80a1acny.xn--p1ai"),
        ("[203.0.113.7]", "[203.0.113.7]"),
    ],
)
def test_the_name_in_ehlo(name: str, said: str) -> None:
    assert settings(smtp_ehlo_name=name).smtp_ehlo_name == said


@pytest.mark.parametrize(
    "name", ["web 1", "web_1", "reports.example.ru:25", "[::1]", "[web1]", "web1\r\nMAIL", "-web"]
)
def test_what_is_no_name_for_ehlo(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^SMTP_EHLO_NAME: "):
        settings(smtp_ehlo_name=name)


@pytest.mark.parametrize(
    ("given", "encryption", "port"),
    [
        ({}, "starttls", 587),
        ({"smtp_port": 465}, "tls", 465),
        ({"smtp_port": 465, "smtp_security": ""}, "tls", 465),
        ({"smtp_port": 465, "smtp_security": "starttls"}, "starttls", 465),
        ({"smtp_port": 465, "smtp_security": "none"}, "none", 465),
        ({"smtp_port": 2525}, "starttls", 2525),
        ({"smtp_security": "tls"}, "tls", 465),
        ({"smtp_security": "none"}, "none", 25),
    ],
)
def test_port_465_implies_tls(
    given: dict[str, Any], encryption: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name.upper(), str(value))
    chosen = settings()
    assert (chosen.smtp_encryption, chosen.smtp_server_port) == (encryption, port)
