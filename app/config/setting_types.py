"""Types of single settings: parsing and validation of one value."""

import json
import re
import ssl
from datetime import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr

from app.addresses import MailAddress, encode_domain
from app.domain.working_hours import WorkingHours

_Text = TypeVar("_Text", str, SecretStr)


def _match_whole(pattern: str) -> AfterValidator:
    """Return a validator: the whole value, secret or not, matches the pattern."""

    def check(value: _Text) -> _Text:
        if not re.fullmatch(
            pattern, value.get_secret_value() if isinstance(value, SecretStr) else value
        ):
            raise ValueError("not of the pattern")
        return value

    return AfterValidator(check)


_UNUSABLE_ROOT = re.compile(
    r".*/\.{1,2}(/.*)?|/api(/v1(/.*)?)?|/(docs|health|metrics|openapi\.json|page|webhooks)(/.*)?"
)
"""Paths with dot segments, and beginnings of the service's own paths.

With one of the latter, a request from which the proxy has removed the prefix would look like one
from which it has not.
"""

_HEADER_TEXT = _match_whole(r"[!-~]+")
_LOGIN_TEXT = _match_whole(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
"""Letters of any language and blanks.

SASL uses UTF-8 and forbids control characters (RFC 4013). Surrogates stand for bytes that were not
valid UTF-8.
"""

HeaderText = Annotated[str, _HEADER_TEXT]
Key = Annotated[SecretStr, _HEADER_TEXT]
OwnKey = Annotated[SecretStr, _match_whole(r"[!-~]{16,}")]
"""A key of the service itself, long enough to resist guessing."""
PathSecret = Annotated[SecretStr, _match_whole(r"[A-Za-z0-9_-]{16,}")]
LoginName = Annotated[str, _LOGIN_TEXT]
LoginPassword = Annotated[SecretStr, _LOGIN_TEXT]


class AvitoAccount(BaseModel):
    """The keys of one Avito account; ``name`` is for display (None: Avito's name of it)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str | None = None
    client_id: HeaderText
    client_secret: Key


def _validate_host(host: str) -> str:
    """Validate a host: a name in any letters or punycode, or an IP address.

    The resolver accepts the same.
    """
    if re.fullmatch(r"[\w.-]+", host):
        host.encode("idna")
    else:
        ip_address(host)
    return host


def _validate_address(address: str) -> str:
    MailAddress.parse(address)
    return address


def _check_certificates(path: Path) -> Path:
    """Check that the file has at least one certificate in PEM."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError as error:  # includes ssl.SSLError
        raise ValueError("no certificates") from error
    return path


def _normalize_root_path(path: str) -> str | None:
    """Return the path with a slash in front and none at the end; None for the root."""
    path = "/" + path.strip("/")
    if path == "/":
        return None
    if not re.fullmatch(r"(?:/[\w.~-]+)+", path, re.ASCII) or _UNUSABLE_ROOT.fullmatch(path):
        raise ValueError("not a path")
    return path


def _normalize_proxies(addresses: str) -> str:
    """Return the addresses and networks, comma-separated; a lone ``*`` stays as it is."""
    if addresses == "*":
        return addresses
    networks = [ip_network(one.strip(), strict=False) for one in addresses.split(",")]
    return ",".join(map(str, networks))


def _remove_duplicates(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _check_distinct(accounts: tuple[AvitoAccount, ...]) -> tuple[AvitoAccount, ...]:
    names = [account.name for account in accounts if account.name]
    client_ids = {account.client_id for account in accounts}
    if len(set(names)) < len(names) or len(client_ids) < len(accounts):
        raise ValueError("two accounts are alike")
    return accounts


def _split_list(value: object) -> object:
    """Split a comma-separated list; blanks and empty items are ignored."""
    return (
        [item for part in value.split(",") if (item := part.strip())]
        if isinstance(value, str)
        else value
    )


def _parse_json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _convert_to_upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _parse_zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("unknown zone") from error


def _check_wall_time(value: object) -> object:
    # Pydantic would parse "20" as twenty seconds past midnight.
    if isinstance(value, str) and value.count(":") != 1:
        raise ValueError("not HH:MM")
    return value


def _parse_hours(value: object) -> object:
    return WorkingHours.parse(value) if isinstance(value, str) else value


COMMA_SEPARATED = BeforeValidator(_split_list)
UPPER_CASE = BeforeValidator(_convert_to_upper)
HostName = Annotated[str, AfterValidator(_validate_host)]
CertificateFile = Annotated[Path, AfterValidator(_check_certificates)]
RootPath = Annotated[str, AfterValidator(_normalize_root_path)]
ProxyAddresses = Annotated[str, AfterValidator(_normalize_proxies)]
EhloName = Annotated[str, AfterValidator(encode_domain)]
AddressText = Annotated[str, AfterValidator(_validate_address)]
AddressList = Annotated[
    tuple[AddressText, ...], COMMA_SEPARATED, AfterValidator(_remove_duplicates)
]
AccountList = Annotated[
    tuple[AvitoAccount, ...], BeforeValidator(_parse_json), AfterValidator(_check_distinct)
]
Zone = Annotated[ZoneInfo, BeforeValidator(_parse_zone)]
WallTime = Annotated[time, BeforeValidator(_check_wall_time)]
Hours = Annotated[WorkingHours | None, BeforeValidator(_parse_hours)]


def is_address(text: str) -> bool:
    """Return whether the text is a mail address."""
    try:
        MailAddress.parse(text)
    except ValueError:
        return False
    return True
