"""The address of Postgres, in the spelling of libpq, of a provider or of SQLAlchemy."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, unquote_plus

from app.database.address_parameters import ParameterError, read_parameters
from app.errors import SettingsError

_DEFAULT_PORT = 5432
_SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_HOST = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<name>[^\[\]:]*))(?::(?P<port>\d*))?")


@dataclass(frozen=True)
class Host:
    """A server of an address. ``name`` may be a socket's folder; "" means a local server."""

    name: str
    port: int = _DEFAULT_PORT

    def __str__(self) -> str:
        """Return the name with the port, or the path of the socket."""
        if self.name.startswith("/"):
            return f"{self.name}/.s.PGSQL.{self.port}"
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True)
class TlsOptions:
    """The ``ssl…`` parameters. ``mode`` None: TLS if the server offers it, as libpq does."""

    mode: str | None = None
    ca_file: Path | None = None
    system_ca: bool = False
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = None
    crl_file: Path | None = None
    min_version: str | None = None
    max_version: str | None = None
    direct: bool = False


@dataclass(frozen=True)
class Address:
    """Where Postgres is and how to connect.

    - ``target``: which server of several is suitable. Without the parameter it is the writable one.
    - ``session_settings``: settings for every transaction. A pooler does not accept them at connect
      time and would hand them to other clients.
    - ``startup_settings``: settings for the start of the connection.
    - ``tcp_options``: socket options by name; None means no keepalive.
    - ``pool_size``: maximum number of connections, if the address limits it.
    """

    hosts: tuple[Host, ...]
    user: str | None
    password: str | None = field(repr=False)
    database: str | None
    tls: TlsOptions = TlsOptions()
    target: str = "any"
    in_random_order: bool = False
    passfile: Path | None = None
    session_settings: Mapping[str, str] = field(default_factory=dict)
    startup_settings: Mapping[str, str] = field(default_factory=dict)
    tcp_options: Mapping[str, int] | None = field(default_factory=dict)
    connect_seconds: float | None = None
    pool_size: int | None = None


def parse_address(url: str, setting: str = "DATABASE_URL") -> Address:
    """Parse an address of Postgres. ``setting`` is its name in messages.

    Raises:
        SettingsError: the address or one of its parameters is not valid.
    """
    fault = f"{setting}: нужен адрес вида postgresql://имя:пароль@хост:5432/база."
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise SettingsError(fault)
    for user_info, rest in _split_user_info(url[scheme.end() :]):
        try:
            return _build_address(user_info, rest)
        except ParameterError as error:
            fault = f"{setting}: {error}."
        except ValueError:
            continue
    raise SettingsError(fault)


def _split_user_info(text: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to separate user and password from the rest, the most probable one first.

    A password may contain any character as it is, although ``@``, ``/`` and ``?`` should be
    percent-encoded.
    """
    before_query = text.partition("?")[0]
    for part in (before_query, text):
        user_info, at, _ = part.rpartition("@")
        yield user_info, text[len(user_info) + len(at) :]


def _build_address(user_info: str, rest: str) -> Address:
    """Build the address.

    Raises:
        ValueError: this is not an address. ``ParameterError`` states which parameter is wrong.
    """
    location, _, query = rest.partition("?")
    authority, _, path = location.partition("/")
    named, values = read_parameters(list(_split_query(query)))
    user, colon, password = user_info.partition(":")
    hosts = _parse_hosts(authority, named)
    tls, target = values.pop("tls", {}), values.pop("target", None)
    return Address(
        hosts=hosts,
        user=_pick(named, "user") or _decode(user) or None,
        password=_pick(named, "password") or (_decode_password(password) if colon else None),
        database=_pick(named, "dbname") or _decode(path) or None,
        tls=TlsOptions(**tls),
        target=target or ("read-write" if len(hosts) > 1 else "any"),
        **values,
    )


def _split_query(query: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError("a parameter without a value")
        yield _decode(name), unquote_plus(value, errors="strict")


def _parse_hosts(authority: str, named: Mapping[str, list[str]]) -> tuple[Host, ...]:
    """Parse the hosts of the parameters, or else of the authority.

    There is a port for each host, or one for all.
    """
    listed = ",".join(named.get("host", ()))
    read = _read_plain_host if listed else _read_encoded_host
    texts = (listed or authority).split(",")
    ports = [port for port in ",".join(named.get("port", ())).split(",") if port] or [""]
    if len(ports) not in (1, len(texts)):
        raise ValueError("not as many ports as hosts")
    ports *= len(texts) // len(ports)
    return tuple(read(text, port) for text, port in zip(texts, ports, strict=True))


def _read_plain_host(text: str, port: str) -> Host:
    """Read a host of a parameter, where a socket's folder and IPv6 need no brackets."""
    if text.startswith("/") or (text.count(":") > 1 and "[" not in text):
        return Host(text, _read_port(port))
    return _split_port(text, port)


def _read_encoded_host(text: str, port: str) -> Host:
    """Read a host of the authority."""
    host = _split_port(text, port)
    return Host(_decode(host.name), host.port)


def _split_port(text: str, port: str) -> Host:
    match = _HOST.fullmatch(text)
    if match is None:
        raise ValueError("not a host")
    return Host(match["ipv6"] or match["name"] or "", _read_port(match["port"] or port))


def _read_port(text: str) -> int:
    number = int(text or _DEFAULT_PORT)
    if not 0 < number < 65536:
        raise ValueError("not a port")
    return number


def _pick(named: Mapping[str, list[str]], name: str) -> str | None:
    return named[name][-1] if name in named else None


def _decode(text: str) -> str:
    """Decode percent-encoding. Bytes that are not UTF-8 raise a ValueError."""
    return unquote(text, errors="strict")


def _decode_password(text: str) -> str:
    """Decode a password. If it is not valid percent-encoding, it was written as it is."""
    try:
        return _decode(text)
    except UnicodeDecodeError:
        return text
