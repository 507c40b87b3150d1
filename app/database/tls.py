"""TLS of the connection to Postgres, by libpq's rules."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.database.address import TlsOptions
from app.errors import SettingsError

_VERIFYING = ("verify-ca", "verify-full")
_ALPN = ["postgresql"]
_UNKNOWN_ISSUER = "его издатель не из доверенных (sslrootcert или CA_FILE)"
# Codes of X509_STORE_CTX_get_error(3).
_CERTIFICATE_FAULTS = {
    9: "он ещё не действует",
    10: "его срок истёк",
    18: _UNKNOWN_ISSUER,
    19: _UNKNOWN_ISSUER,
    20: _UNKNOWN_ISSUER,
    21: _UNKNOWN_ISSUER,
    23: "он отозван",
    62: "он выдан на другое имя",
    64: "он выдан на другой адрес",
}


def build_tls(
    options: TlsOptions, setting: str, *, ca_file: Path | None = None
) -> ssl.SSLContext | str | None:
    """Return what asyncpg takes as ``ssl``: a context, or the name of a mode without certificates.

    ``ca_file``: trusted certificates, if the mode verifies and the address names none.

    Raises:
        SettingsError: a file is missing or of no use, or the parameters contradict each other. The
          message begins with ``setting``.
    """
    mode = "verify-full" if options.system_ca and options.mode is None else options.mode
    if options.system_ca and mode != "verify-full":
        raise SettingsError(f"{setting}: при sslrootcert=system нужен sslmode=verify-full.")
    if mode not in ("require", *_VERIFYING):
        if options.direct:
            raise SettingsError(
                f"{setting}: для sslnegotiation=direct нужен sslmode=require, verify-ca или"
                " verify-full."
            )
        return mode
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    context.set_alpn_protocols(_ALPN)
    _trust(context, options, mode, setting, ca_file)
    cert_file = options.cert_file or _find_default("PGSSLCERT", "postgresql.crt")
    if cert_file is not None:
        key_file = options.key_file or _find_default("PGSSLKEY", "postgresql.key")
        with _naming_file(setting, "sslcert", cert_file, key_file):
            context.load_cert_chain(cert_file, key_file, password=options.key_password or "")
    _limit_versions(context, options)
    return context


def _trust(
    context: ssl.SSLContext,
    options: TlsOptions,
    mode: str,
    setting: str,
    ca_file: Path | None,
) -> None:
    """Load the trusted certificates. ``require`` verifies only if the address names a file, or if
    libpq's own file exists.

    ``verify-full`` trusts the system's certificates too, unless the address names a file.
    ``verify-ca`` never does: it accepts a certificate for any host, so any owner of a public
    certificate could pretend to be the server.
    """
    setting_file = ca_file if mode in _VERIFYING else None
    own = options.ca_file or setting_file or _find_default("PGSSLROOTCERT", "root.crt")
    if mode == "require" and own is None:
        context.verify_mode = ssl.CERT_NONE
    if mode == "verify-ca" and own is None:
        raise SettingsError(f"{setting}: для sslmode=verify-ca нужен sslrootcert.")
    if mode == "verify-full" and options.ca_file is None:
        context.load_default_certs()
    if own is not None:
        with _naming_file(setting, "CA_FILE" if own is setting_file else "sslrootcert", own):
            context.load_verify_locations(own)
    if options.crl_file is not None:
        with _naming_file(setting, "sslcrl", options.crl_file):
            context.load_verify_locations(options.crl_file)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _find_default(variable: str, name: str) -> Path | None:
    """Return libpq's default: the file of the variable, or the one in the home folder."""
    if named := os.environ.get(variable):
        return Path(named)
    path = Path("~/.postgresql", name).expanduser()
    return path if os.access(path, os.R_OK) else None


def _limit_versions(context: ssl.SSLContext, options: TlsOptions) -> None:
    if options.min_version:
        context.minimum_version = ssl.TLSVersion[options.min_version.replace(".", "_")]
    if options.max_version:
        context.maximum_version = ssl.TLSVersion[options.max_version.replace(".", "_")]


@contextmanager
def _naming_file(setting: str, name: str, *paths: Path | None) -> Iterator[None]:
    """Turn the failure of reading a file into a message that names the parameter and the file."""
    for path in filter(None, paths):
        try:
            path.read_bytes()
        except FileNotFoundError:
            raise SettingsError(f"{setting}: {name}: файла {path} нет.") from None
        except OSError as error:
            raise SettingsError(
                f"{setting}: {name}: файл {path} не читается ({error.strerror})."
            ) from None
    try:
        yield
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        shown = ", ".join(str(path) for path in paths if path)
        raise SettingsError(
            f"{setting}: {name}: в файле {shown} нет годного сертификата или ключа в виде PEM."
        ) from None


def describe_tls_error(error: ssl.SSLError) -> str:
    """Return in Russian why the handshake failed."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS не установлен: {error.reason or 'ошибка протокола'}"
    reason = _CERTIFICATE_FAULTS.get(error.verify_code, error.verify_message)
    return f"TLS не установлен, сертификат сервера не подходит: {reason}"
