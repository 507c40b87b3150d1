"""The parameters after the ``?`` of an address: libpq's, and those that providers add."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

Convert = Callable[[str], Any]

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TARGETS = ("any", "read-write", "primary")
"""The service writes, so a server that is meant for reading is of no use."""
_SPELLINGS = {"ssl": "sslmode", "database": "dbname", "username": "user"}
_NAMED = frozenset({"host", "port", "user", "password", "dbname"})
_WITHOUT_EFFECT = frozenset(
    {
        "channel_binding",
        "client_encoding",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "gsslib",
        "krbsrvname",
        "pgbouncer",
        "pool_mode",
        "pool_timeout",
        "prepareThreshold",
        "prepared_statement_cache_size",
        "prepared_statements",
        "socket_timeout",
        "sslcompression",
        "sslsni",
        "statement_cache_size",
        "supa",
        "uselibpqcompat",
    }
)
"""Parameters for other drivers, or for what is always so: no prepared statement is kept."""
_SETTING_OPTION = re.compile(r"-c\s*(?P<short>\S.*)|--(?P<long>.+)", re.DOTALL)


class ParameterError(ValueError):
    """A parameter is unknown or its value is wrong; the text names it and not the value."""


def read_parameters(
    pairs: Sequence[tuple[str, str]],
) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Return the parameters that are parts of the address itself, and the fields of the others.

    Raises:
        ParameterError: a parameter is unknown or its value is wrong.
    """
    named: dict[str, list[str]] = defaultdict(list)
    fields: dict[str, Any] = {}
    for spelling, value in pairs:
        name = _SPELLINGS.get(spelling, spelling)
        if name in _NAMED:
            named[name].append(value)
        elif name in _READERS:
            _READERS[name](fields, name, value)
        elif name not in _WITHOUT_EFFECT:
            raise ParameterError(_describe_unknown(name))
    if (sockets := fields.get("tcp_options")) and sockets.pop("keepalives", 1) == 0:
        fields["tcp_options"] = None
    return named, fields


def _describe_unknown(name: str) -> str:
    if not re.fullmatch(r"\w{1,40}", name):
        return "один из параметров не поддерживается, проверьте часть адреса после «?»"
    known = get_close_matches(name, {*_READERS, *_NAMED, *_WITHOUT_EFFECT}, n=1)
    hint = f"возможно, нужен {known[0]}" if known else "уберите его из адреса"
    return f"параметр «{name}» не поддерживается, {hint}"


def _into(group: str | None, field: str, convert: Convert, needed: str) -> Callable[..., None]:
    """Return a reader that stores a converted value as a field, or in a group of fields."""

    def read(fields: dict[str, Any], name: str, value: str) -> None:
        try:
            converted = convert(value)
        except (ValueError, KeyError):
            raise ParameterError(f"параметр «{name}»: нужно {needed}") from None
        place = fields if group is None else fields.setdefault(group, {})
        place[field] = converted

    return read


def _choose(*values: str, **spellings: str) -> tuple[Convert, str]:
    known = {value: value for value in values} | spellings
    return known.__getitem__, f"одно из значений {', '.join(values)}"


def _count(least: int) -> tuple[Convert, str]:
    def convert(value: str) -> int:
        if int(value) < least:
            raise ValueError("too small")
        return int(value)

    return convert, f"целое число от {least}"


def _read_root_certificate(fields: dict[str, Any], _: str, value: str) -> None:
    tls = fields.setdefault("tls", {})
    if value == "system":
        tls["system_ca"] = True
    else:
        tls["ca_file"] = Path(value)


def _read_options(fields: dict[str, Any], _: str, value: str) -> None:
    """Read ``-c name=value`` and ``--name=value``; a backslash escapes a blank.

    Other options are sent at connect time: some providers find the database by them.
    """
    words = [
        re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|[^\s\\])+", value, re.DOTALL)
    ]
    settings, left = {}, []
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word += words.pop(0)
        match = _SETTING_OPTION.fullmatch(word)
        name, equals, text = (match["short"] or match["long"] if match else "").partition("=")
        if equals:
            settings[name.replace("-", "_")] = text
        else:
            left.append(word)
    fields.setdefault("session_settings", {}).update(settings)
    if left:
        fields.setdefault("startup_settings", {})["options"] = " ".join(left)


def _read_connect_timeout(fields: dict[str, Any], name: str, value: str) -> None:
    _into(None, "connect_seconds", *_count(0))(fields, name, value)
    if fields["connect_seconds"] == 0:  # libpq waits without a limit; this service does not
        del fields["connect_seconds"]


_VERSIONS = _choose("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_READERS: dict[str, Callable[..., None]] = {
    "application_name": _into("startup_settings", "application_name", str, "имя"),
    "connect_timeout": _read_connect_timeout,
    "connection_limit": _into(None, "pool_size", *_count(1)),
    "keepalives": _into("tcp_options", "keepalives", *_count(0)),
    "keepalives_count": _into("tcp_options", "TCP_KEEPCNT", *_count(0)),
    "keepalives_idle": _into("tcp_options", "TCP_KEEPIDLE", *_count(0)),
    "keepalives_interval": _into("tcp_options", "TCP_KEEPINTVL", *_count(0)),
    "load_balance_hosts": _into(
        None,
        "in_random_order",
        {"disable": False, "random": True}.__getitem__,
        "disable или random",
    ),
    "options": _read_options,
    "passfile": _into(None, "passfile", Path, "путь к файлу"),
    "schema": _into("session_settings", "search_path", str, "имя схемы"),
    "ssl_max_protocol_version": _into("tls", "max_version", *_VERSIONS),
    "ssl_min_protocol_version": _into("tls", "min_version", *_VERSIONS),
    "sslcert": _into("tls", "cert_file", Path, "путь к файлу"),
    "sslcrl": _into("tls", "crl_file", Path, "путь к файлу"),
    "sslkey": _into("tls", "key_file", Path, "путь к файлу"),
    "sslmode": _into("tls", "mode", *_choose(*SSL_MODES, true="require", false="disable")),
    "sslnegotiation": _into(
        "tls", "direct", {"postgres": False, "direct": True}.__getitem__, "postgres или direct"
    ),
    "sslpassword": _into("tls", "key_password", str, "пароль"),
    "sslrootcert": _read_root_certificate,
    "target_session_attrs": _into(None, "target", *_choose(*_TARGETS)),
    "tcp_user_timeout": _into("tcp_options", "TCP_USER_TIMEOUT", *_count(0)),
}
