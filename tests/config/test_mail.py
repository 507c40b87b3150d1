"""Mail settings: strict addresses on every Python version, the EHLO name, the encryption."""

from typing import Any

import pytest

from app.config import Settings, load_settings
from app.errors import SettingsError

LONG = "a" * 64


def load(**values: Any) -> Settings:
    return load_settings(_env_file=None, **values)


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
def test_valid_address(address: str) -> None:
    assert load(report_recipients=address, mail_from=address).report_recipients == (address,)


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
def test_invalid_address(address: str) -> None:
    for name in ("MAIL_FROM", "REPORT_RECIPIENTS"):
        with pytest.raises(SettingsError, match=f"^{name}: "):
            load(**{name.lower(): address})


def test_login_is_the_sender_only_if_it_is_an_address() -> None:
    login = {"smtp_password": "secret", "smtp_host": "mail", "report_recipients": "boss@example.ru"}
    assert load(smtp_username="reports@example.ru", **login).sender == "reports@example.ru"
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        load(smtp_username="a b@example.ru", **login).require("mail")


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("reports.example.ru", "reports.example.ru"),
        ("web1", "web1"),
        ("почта.рф", "xn--80a1acny.xn--p1ai"),
        ("[203.0.113.7]", "[203.0.113.7]"),
    ],
)
def test_the_name_in_ehlo(name: str, encoded: str) -> None:
    assert load(smtp_ehlo_name=name).smtp_ehlo_name == encoded


@pytest.mark.parametrize(
    "name", ["web 1", "web_1", "reports.example.ru:25", "[::1]", "[web1]", "web1\r\nMAIL", "-web"]
)
def test_invalid_ehlo_name(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^SMTP_EHLO_NAME: "):
        load(smtp_ehlo_name=name)


@pytest.mark.parametrize(
    ("values", "encryption", "port"),
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
    values: dict[str, Any], encryption: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name.upper(), str(value))
    chosen = load()
    assert (chosen.smtp_encryption, chosen.smtp_server_port) == (encryption, port)
