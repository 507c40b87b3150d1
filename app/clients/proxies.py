"""Choose the proxy of a client: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

The HTTP packages read these variables too. httpx cannot create a client if it cannot parse an entry
of NO_PROXY, and it ignores networks there. Therefore the clients get their proxy from here, and the
packages do not read the environment.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import getproxies

from app.errors import SettingsError

_SCHEMES = {scheme: scheme for scheme in ("http", "https", "socks5", "socks5h")} | {
    "socks": "socks5"  # written by desktop environments
}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?")
_EXEMPTION = re.compile(
    r"(?:(\w+)://)?(\[[^\]]*\](?:/\d+)?|[^\[\]:]+|[0-9A-Fa-f:.]+(?:/\d+)?)(?::(\d+))?"
)
"""Scheme, host or network, port. Only a host in brackets or without colons may have a port."""


@dataclass(frozen=True)
class Proxy:
    """The proxy of one client: its URL, with a password if it has one, and where it was set."""

    url: str
    variable: str

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection to the proxy itself uses TLS."""
        return self.url.startswith("https:")

    @property
    def address(self) -> str:
        """Scheme, host and port, without name and password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@dataclass(frozen=True)
class Exemption:
    """One entry of NO_PROXY: a domain with its subdomains, an address, a network, or ``*``."""

    scheme: str | None
    place: str | IPv4Network | IPv6Network
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> Self:
        """Parse ``example.ru``, ``.example.ru:443``, ``10.0.0.0/8``, ``::1`` or ``[::1]:8080``.

        Raises:
            ValueError: the entry is none of these.
        """
        match = _EXEMPTION.fullmatch(entry)
        if match is None:
            raise ValueError("not an entry")
        return cls(match[1], _parse_place(match[2]), int(match[3]) if match[3] else None)

    def covers(self, target: SplitResult) -> bool:
        """Return whether requests to the target are sent without a proxy."""
        port = target.port or _DEFAULT_PORTS.get(target.scheme)
        if self.scheme not in (None, "all", target.scheme) or self.port not in (None, port):
            return False
        host = (target.hostname or "").rstrip(".")
        if isinstance(self.place, str):
            return self.place in ("*", host) or host.endswith(f".{self.place}")
        try:
            return ip_address(host) in self.place
        except ValueError:
            return False


def _parse_place(written: str) -> str | IPv4Network | IPv6Network:
    if ":" in written or "/" in written or re.fullmatch(r"[\d.]+", written):
        return ip_network(written.replace("[", "").replace("]", ""), strict=False)
    domain = written.removeprefix("*").removeprefix(".").rstrip(".") or written
    if domain != "*" and not _HOST.fullmatch(domain):
        raise ValueError("not a domain")
    return domain.lower()


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy of the environment for requests to this URL; None if there is none.

    Entries of NO_PROXY that cannot be parsed have no effect.

    Raises:
        SettingsError: the address of the proxy is unusable; the message names the variable.
    """
    variables, target = getproxies(), urlsplit(url)
    name = next((one for one in (target.scheme, "all") if variables.get(one)), None)
    if name is None or _is_exempt(target, variables.get("no", "")):
        return None
    variable = f"{name.upper()}_PROXY"
    return Proxy(_normalize(variables[name], variable), variable)


def list_unreadable_exemptions() -> list[str]:
    """Return the entries of NO_PROXY that cannot be parsed."""
    entries = _parse_entries(getproxies().get("no", ""))
    return [entry for entry, exemption in entries.items() if exemption is None]


def _is_exempt(target: SplitResult, no_proxy: str) -> bool:
    exemptions = _parse_entries(no_proxy).values()
    return any(one is not None and one.covers(target) for one in exemptions)


def _parse_entries(no_proxy: str) -> dict[str, Exemption | None]:
    """Parse the entries, separated by commas or spaces; None for one that cannot be parsed."""
    entries: dict[str, Exemption | None] = {}
    for entry in no_proxy.replace(",", " ").split():
        try:
            entries[entry] = Exemption.parse(entry)
        except ValueError:
            entries[entry] = None
    return entries


def _normalize(written: str, variable: str) -> str:
    """Return the proxy's URL with a scheme that the HTTP packages know."""
    try:
        parts = urlsplit(written if "://" in written else f"http://{written}")
        host, port = parts.hostname or "", parts.port
        scheme = _SCHEMES[parts.scheme]
        if ":" in host:
            ip_address(host)
        elif not _HOST.fullmatch(host):
            raise ValueError("not a host")
    except (ValueError, LookupError):
        raise SettingsError(
            f"{variable}: адрес прокси не подходит; нужно: http://имя:пароль@хост:порт, https://…"
            " или socks5://…."
        ) from None
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    return f"{scheme}://{_quote_credentials(parts)}{place}"


def _quote_credentials(parts: SplitResult) -> str:
    """Return name and password with a final ``@``. httpx rejects a raw ``@`` in a password."""
    credentials, at, _ = parts.netloc.rpartition("@")
    quoted = (quote(unquote(part), safe="") for part in credentials.split(":", maxsplit=1))
    return ":".join(quoted) + at
