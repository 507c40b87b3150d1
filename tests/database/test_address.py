"""Addresses of Postgres as operators and providers write them."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from app.database.address import Address, Host, TlsOptions, parse_address
from app.database.address_parameters import SSL_MODES
from app.errors import SettingsError


def parse(rest: str) -> Address:
    return parse_address(f"postgresql://{rest}")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/db",
        "host/db",
        "postgresql://host:port/db",
        "postgresql://host:0/db",
        "postgresql://host:70000/db",
        "postgresql://[::1/db",
        "postgresql://a,b/db?port=1,2,3",
        "postgresql://user:secret@%ff/db",
        "postgresql://host/db?fast",
    ],
)
def test_invalid_address_is_named_without_its_value(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL: нужен адрес вида") as caught:
        parse_address(url)
    assert "secret" not in caught.value.message


def test_the_setting_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_DIRECT_URL: "):
        parse_address("nothing", "DATABASE_DIRECT_URL")


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg", "POSTGRESQL"]
)
def test_schemes(scheme: str) -> None:
    assert parse_address(f"{scheme}://user:secret@db.example:6432/chats") == Address(
        hosts=(Host("db.example", 6432),), user="user", password="secret", database="chats"
    )


@pytest.mark.parametrize(
    ("rest", "hosts"),
    [
        ("host/db", [Host("host")]),
        ("/db", [Host("")]),
        ("h1:6432,h2:6433/db", [Host("h1", 6432), Host("h2", 6433)]),
        ("h1,h2/db?port=6432", [Host("h1", 6432), Host("h2", 6432)]),
        ("h1,h2/db?port=1,2", [Host("h1", 1), Host("h2", 2)]),
        ("/db?host=h1&host=h2:6433", [Host("h1"), Host("h2", 6433)]),
        ("user@%2Fvar%2Frun%2Fpostgresql/db", [Host("/var/run/postgresql")]),
        ("user@%2Ftmp:6432/db", [Host("/tmp", 6432)]),  # noqa: S108 - a name only
        ("/db?host=/var/run/postgresql&port=6432", [Host("/var/run/postgresql", 6432)]),
        ("/db?host=/srv/a%2520b", [Host("/srv/a%20b")]),
        ("/db?host=/srv/a:b[c]&port=1", [Host("/srv/a:b[c]", 1)]),
        ("/db?host=::1&port=1", [Host("::1", 1)]),
        ("/db?host=[::1]:2", [Host("::1", 2)]),
        ("[::1]:6432/db", [Host("::1", 6432)]),
        ("[fe80::1%25eth0]/db", [Host("fe80::1%eth0")]),
        ("[::1],[::2]:6433,h3/db", [Host("::1"), Host("::2", 6433), Host("h3")]),
    ],
)
def test_hosts(rest: str, hosts: list[Host]) -> None:
    assert list(parse(rest).hosts) == hosts


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        (Host("db"), "db:5432"),
        (Host("::1", 1), "[::1]:1"),
        (Host("/run", 6432), "/run/.s.PGSQL.6432"),
    ],
)
def test_host_as_text(host: Host, shown: str) -> None:
    assert str(host) == shown


PASSWORDS = [
    "plain",
    "per%cent",
    "a@b",
    "@",
    "a:b",
    "sla/sh",
    "quest?ion",
    "ha#sh",
    "a@b/c:d",
    "a@b?c=d",
    "пароль",
    "a b+c&d=e",
    "100%25",
]


@pytest.mark.parametrize("password", PASSWORDS)
def test_encoded_passwords(password: str) -> None:
    address = parse(f"user:{quote(password, safe='')}@host/db?sslmode=require")
    assert address.password == password
    assert (address.user, address.database, address.tls.mode) == ("user", "db", "require")


@pytest.mark.parametrize("password", PASSWORDS[:-1])
def test_passwords_as_they_are(password: str) -> None:
    address = parse(f"user:{password}@host/db?sslmode=require")
    assert (address.password, address.hosts) == (password, (Host("host"),))
    assert (address.user, address.database, address.tls.mode) == ("user", "db", "require")


def test_missing_parts_are_left_to_the_driver() -> None:
    assert parse("") == Address(hosts=(Host(""),), user=None, password=None, database=None)
    assert parse("user:@host").password == ""
    assert parse("host?user=u&password=p%26&dbname=d") == Address(
        hosts=(Host("host"),), user="u", password="p&", database="d"
    )


def test_password_is_not_shown() -> None:
    assert "canary" not in repr(parse("user:canary@host/db"))


def test_at_sign_in_a_parameter() -> None:
    address = parse("user:secret@host/db?application_name=a@b")
    assert (address.password, address.startup_settings) == (
        "secret",
        {"application_name": "a@b"},
    )


@pytest.mark.parametrize("mode", SSL_MODES)
def test_tls_modes(mode: str) -> None:
    assert parse(f"host/db?sslmode={mode}").tls == TlsOptions(mode)


def test_tls_parameters() -> None:
    assert parse(
        "host/db?ssl=true&sslrootcert=/ca&sslcert=/c&sslkey=/k&sslpassword=p&sslcrl=/r"
        "&ssl_min_protocol_version=TLSv1.3&sslnegotiation=direct"
    ).tls == TlsOptions(
        "require",
        Path("/ca"),
        cert_file=Path("/c"),
        key_file=Path("/k"),
        key_password="p",
        crl_file=Path("/r"),
        min_version="TLSv1.3",
        direct=True,
    )


def test_a_writable_server_is_wanted_of_several() -> None:
    assert parse("h1/db").target == "any"
    assert parse("h1,h2/db").target == "read-write"
    assert parse("h1,h2/db?target_session_attrs=any").target == "any"


@pytest.mark.parametrize(
    ("options", "session", "startup"),
    [
        ("-csearch_path=avito", {"search_path": "avito"}, {}),
        ("-c search_path=a,b -c lock-timeout=5s", {"search_path": "a,b", "lock_timeout": "5s"}, {}),
        ("--search_path=a\\ b", {"search_path": "a b"}, {}),
        ("endpoint=ep-1", {}, {"options": "endpoint=ep-1"}),
        (
            "endpoint=ep-1 -c search_path=a",
            {"search_path": "a"},
            {"options": "endpoint=ep-1"},
        ),
    ],
)
def test_options(options: str, session: dict[str, str], startup: dict[str, str]) -> None:
    address = parse(f"host/db?options={quote(options)}")
    assert (address.session_settings, address.startup_settings) == (session, startup)


def test_keepalives() -> None:
    assert parse(
        "host/db?keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=2"
        "&tcp_user_timeout=10000"
    ).tcp_options == {
        "TCP_KEEPIDLE": 30,
        "TCP_KEEPINTVL": 5,
        "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": 10_000,
    }
    assert parse("host/db?keepalives=0&keepalives_idle=30").tcp_options is None
    assert parse("host/db").tcp_options == {}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("pgbouncer=true&connection_limit=1&pool_timeout=20", {"pool_size": 1}),
        ("sslmode=require&channel_binding=require", {"tls": TlsOptions("require")}),
        ("connect_timeout=10", {"connect_seconds": 10}),
        ("connect_timeout=0", {"connect_seconds": None}),
        ("schema=avito", {"session_settings": {"search_path": "avito"}}),
        ("load_balance_hosts=random", {"in_random_order": True}),
        ("sslrootcert=system", {"tls": TlsOptions(system_ca=True)}),
        ("prepared_statement_cache_size=0&statement_cache_size=0", {}),
        ("supa=base-pooler.x&uselibpqcompat=true", {}),
    ],
)
def test_parameters_of_providers(query: str, fields: dict[str, object]) -> None:
    address = parse(f"host/db?{query}")
    assert {name: getattr(address, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sslmod=require", "параметр «sslmod» не поддерживается, возможно, нужен sslmode"),
        ("target_session_attr=any", "возможно, нужен target_session_attrs"),
        ("fast=1", "параметр «fast» не поддерживается, уберите его из адреса"),
        ("hostaddr=10.0.0.1", "параметр «hostaddr» не поддерживается"),
        (
            "sslmode=canary",
            "параметр «sslmode»: нужно одно из значений disable, allow, prefer, require, verify-ca,"
            " verify-full",
        ),
        (
            "target_session_attrs=standby",
            "параметр «target_session_attrs»: нужно одно из значений any, read-write, primary",
        ),
        ("connection_limit=canary", "параметр «connection_limit»: нужно целое число от 1"),
        ("connection_limit=0", "параметр «connection_limit»: нужно целое число от 1"),
        ("keepalives_idle=canary", "параметр «keepalives_idle»: нужно целое число от 0"),
        ("connect_timeout=canary", "параметр «connect_timeout»: нужно целое число от 0"),
        ("sslnegotiation=canary", "параметр «sslnegotiation»: нужно postgres или direct"),
        ("load_balance_hosts=canary", "параметр «load_balance_hosts»: нужно disable или random"),
        ("ca nary=1", "один из параметров не поддерживается"),
    ],
)
def test_wrong_parameters_are_named(query: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=f"^DATABASE_URL: .*{re.escape(fault)}") as caught:
        parse(f"user:secret@host/db?{query}")
    assert "canary" not in caught.value.message
    assert "\n" not in caught.value.message
