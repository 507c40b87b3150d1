"""Which server a connection reaches, and what the address asks of the connection."""

import asyncio
import re
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import make_url, text

from app.adapters import open_database
from app.config import load_settings
from app.database.address import TlsOptions
from app.database.check import check_server
from app.database.engine import Database
from app.database.failures import describe_outage
from app.database.tls import build_tls
from app.errors import DatabaseRefusedError, DatabaseUnavailableError, SettingsError
from tests.support.certificates import make_self_signed
from tests.support.clusters import fetch_value
from tests.support.command_line import free_port
from tests.support.network import Network, open_network
from tests.support.tls_postgres import open_tls_postgres


@pytest_asyncio.fixture
async def network(postgres_url: str) -> AsyncIterator[Network]:
    async with open_network(postgres_url) as network:
        yield network


def at(network: Network, hosts: str, query: str = "") -> str:
    """Return the network's address with other hosts; ``%`` stands for its own."""
    own = make_url(network.url)
    hosts = hosts.replace("%", f"{own.host}:{own.port}")
    return f"postgresql://{own.username}:{own.password}@{hosts}/{own.database}{query}"


async def use(url: str, **options: float) -> None:
    database = Database(url, **options)  # type: ignore[arg-type]
    try:
        await check_server(database)
    finally:
        await database.close()


@pytest.mark.parametrize("hosts", ["%,127.0.0.1:{port}", "127.0.0.1:{port},%", "nowhere.invalid,%"])
async def test_the_host_that_answers_is_used(network: Network, hosts: str) -> None:
    await use(at(network, hosts.format(port=free_port())))
    assert network.accepted > 0


async def test_a_silent_host_delays_one_connection(network: Network, postgres_url: str) -> None:
    async with open_network(postgres_url) as silent:
        silent.blackhole()
        hosts = silent.url.partition("@")[2].partition("/")[0]
        database = Database(at(network, f"{hosts},%"), connect_seconds=0.5)
        async with database.session() as first, database.session() as second:
            assert await first.scalar(text("SELECT 1")) == await second.scalar(text("SELECT 1"))
        await database.close()
        assert silent.accepted == 1


async def test_the_failure_of_each_host_is_named(network: Network) -> None:
    network.refusing = True
    with pytest.raises(DatabaseUnavailableError) as caught:
        await use(at(network, "nowhere.invalid,%"))
    assert not isinstance(caught.value, DatabaseRefusedError)
    assert re.search(
        r"\(nowhere.invalid:5432: имя сервера не находится; 127.0.0.1:\d+: сервер не отвечает\)",
        caught.value.message,
    )


def test_unreadable_file_is_named() -> None:
    """The driver looks for certificates in the home folder."""
    error = PermissionError(13, "Permission denied", "/home/service/.postgresql/postgresql.key")
    assert describe_outage(error) == "файл /home/service/.postgresql/postgresql.key не читается"


async def test_hosts_that_all_refuse_are_a_wrong_setting(network: Network) -> None:
    url = make_url(at(network, "%")).set(password="wrong").render_as_string(hide_password=False)
    place = url.partition("@")[2].partition("/")[0]
    with pytest.raises(DatabaseRefusedError, match="неверные имя или пароль"):
        await use(url.replace(place, f"{place},{place}"))


async def test_read_only_server_is_not_usable(network: Network, postgres_url: str) -> None:
    name = make_url(postgres_url).database
    await fetch_value(postgres_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    for query in ("", "?target_session_attrs=read-write"):
        with pytest.raises(DatabaseUnavailableError, match=r"DATABASE_URL: .*только для чтения"):
            await use(at(network, "%", query))
    with pytest.raises(DatabaseUnavailableError, match=r"чтения; 127.0.0.1:.*чтения"):
        await use(at(network, "%,%"))


async def test_ipv6(postgres_url: str) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    async with open_network(postgres_url, host="::1") as network:
        own = make_url(network.url)
        await use(f"postgresql://{own.username}:{own.password}@[::1]:{own.port}/{own.database}")


async def test_options_apply_to_each_transaction(postgres_url: str) -> None:
    options = "-c%20search_path%3Da%2C%22b's%22%20-c%20lock_timeout%3D7s%20--work-mem%3D5MB"
    database = Database(f"{postgres_url}&options={options}")
    shown = text(
        "SELECT concat_ws(' ', current_setting('search_path'), current_setting('lock_timeout'),"
        " current_setting('work_mem'))"
    )
    for _ in range(2):
        async with database.session() as session:
            assert await session.scalar(shown) == 'a,"b\'s" 7s 5MB'
    await database.close()


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("search_pth%3Da", "такого параметра нет"),
        ("lock_timeout%3Dcanary", "значение не подходит"),
        ("port%3D1", "его нельзя менять"),
    ],
)
async def test_wrong_options_are_named(postgres_url: str, option: str, reason: str) -> None:
    with pytest.raises(DatabaseRefusedError, match=r"DATABASE_URL: .*options") as caught:
        await use(f"{postgres_url}&options=-c{option}")
    assert reason in caught.value.message
    assert "canary" not in caught.value.message


async def test_missing_schema_is_named(postgres_url: str) -> None:
    with pytest.raises(DatabaseRefusedError, match=r"^DATABASE_URL: .*схем из search_path нет"):
        await use(f"{postgres_url}&options=-csearch_path%3Dnowhere")


async def test_keepalives(network: Network) -> None:
    async def get_options(query: str) -> tuple[int, int, int]:
        database = Database(at(network, "%", query))
        async with database.session() as session:
            raw = await (await session.connection()).get_raw_connection()
            connected = raw.driver_connection._transport.get_extra_info("socket")  # type: ignore[union-attr]
        found = (
            connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
            connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
        )
        await database.close()
        return found

    assert await get_options("") == (1, 5, 3)
    assert await get_options("?keepalives_interval=7&keepalives_count=2") == (1, 7, 2)
    assert (await get_options("?keepalives=0"))[0] == 0


async def test_connect_timeout_of_the_address(network: Network) -> None:
    network.blackhole()
    async with asyncio.timeout(4):
        with pytest.raises(DatabaseUnavailableError, match="сервер не отвечает"):
            await use(at(network, "%", "?connect_timeout=1"), connect_seconds=30)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    path = tmp_path / "server.pem"
    path.write_text(make_self_signed("127.0.0.1"))
    return path


@pytest.mark.parametrize(
    ("mode", "encrypted"),
    [
        ("disable", False),
        ("allow", False),
        ("prefer", True),
        ("require", True),
        ("verify-ca", True),
        ("verify-full", True),
    ],
)
async def test_every_tls_mode(
    postgres_url: str, certificate: Path, mode: str, encrypted: bool
) -> None:
    async with open_tls_postgres(postgres_url, certificate) as front:
        await use(f"{front.url}?sslmode={mode}&sslrootcert={certificate}")
        assert front.handshakes == int(encrypted)


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
async def test_server_without_tls(network: Network, certificate: Path, mode: str) -> None:
    url = at(network, "%", f"?sslmode={mode}&sslrootcert={certificate}")
    if mode == "prefer":
        await use(url)
    else:
        with pytest.raises(DatabaseRefusedError, match="не поддерживает TLS"):
            await use(url)


async def test_unverified_certificates_are_named(
    postgres_url: str, certificate: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(make_self_signed("127.0.0.1"))
    async with open_tls_postgres(postgres_url, certificate) as front:
        named = front.url.replace("127.0.0.1", "localhost")
        for url, reason in (
            (f"{front.url}?sslmode=verify-full", "издатель не из доверенных"),
            (f"{front.url}?sslmode=require&sslrootcert={other}", "издатель не из доверенных"),
            (f"{named}?sslmode=verify-full&sslrootcert={certificate}", "выдан на другое имя"),
        ):
            with pytest.raises(DatabaseRefusedError, match=f"DATABASE_URL: .*{reason}"):
                await use(url)
        await use(f"{named}?sslmode=verify-ca&sslrootcert={certificate}")
        for query, ca_file in (("", certificate), (f"&sslrootcert={certificate}", other)):
            database = Database(f"{front.url}?sslmode=verify-full{query}", ca_file=ca_file)
            await check_server(database)
            await database.close()


@pytest.mark.parametrize("place", ["home", "variable"])
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_default_certificates_of_libpq(
    postgres_url: str,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    mode: str,
) -> None:
    """Providers such as Yandex Cloud have their certificate put into the home folder."""
    home, trusted = tmp_path / "home" / ".postgresql", tmp_path / "root.crt"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home.parent))
    if place == "home":
        trusted = home / "root.crt"
    else:
        monkeypatch.setenv("PGSSLROOTCERT", str(trusted))
    trusted.write_text(make_self_signed("127.0.0.1"))
    async with open_tls_postgres(postgres_url, certificate) as front:
        with pytest.raises(DatabaseRefusedError, match="издатель не из доверенных"):
            await use(f"{front.url}?sslmode={mode}")
        shutil.copy(certificate, trusted)
        await use(f"{front.url}?sslmode={mode}")


async def test_setting_for_certificates_reaches_the_database(
    postgres_url: str, certificate: Path
) -> None:
    async with open_tls_postgres(postgres_url, certificate) as front:
        url = f"{front.url}?sslmode=verify-full"
        settings = load_settings(
            _env_file=None, database_url=url, database_direct_url=url, ca_file=certificate
        )
        async with open_database(settings, patience_seconds=0):
            assert front.handshakes == 2


def test_certificate_of_the_client(certificate: Path) -> None:
    build_tls(TlsOptions("require", cert_file=certificate, key_file=certificate), "DATABASE_URL")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (TlsOptions("verify-full", Path("/none")), "sslrootcert: файла /none нет"),
        (TlsOptions("require", cert_file=Path("/none")), "sslcert: файла /none нет"),
        (TlsOptions("require", crl_file=Path("/none")), "sslcrl: файла /none нет"),
        (TlsOptions("verify-full", Path(__file__)), "sslrootcert: в файле .* нет годного"),
        (TlsOptions("require", cert_file=Path(__file__)), "sslcert: в файле .* нет годного"),
        (TlsOptions("verify-full", Path("/tmp")), "sslrootcert: файл /tmp не читается"),  # noqa: S108
        (TlsOptions("verify-ca"), "для sslmode=verify-ca нужен sslrootcert"),
        (TlsOptions("require", system_ca=True), "sslmode=verify-full"),
        (TlsOptions("prefer", direct=True), "для sslnegotiation=direct нужен sslmode"),
    ],
)
def test_wrong_tls_parameters_are_named(options: TlsOptions, fault: str) -> None:
    with pytest.raises(SettingsError, match=f"^DATABASE_URL: .*{fault}"):
        build_tls(options, "DATABASE_URL")


def test_system_certificates_mean_full_verification() -> None:
    context = build_tls(TlsOptions(system_ca=True), "DATABASE_URL")
    assert isinstance(context, ssl.SSLContext)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
