"""The address of Postgres as libpq's environment variables.

Postgres's client programs take it from there: a command line is visible to every account of the
machine.
"""

from collections.abc import Mapping
from pathlib import Path

from app.database.address import Address, TlsOptions


def build_client_environment(address: Address, ca_file: Path | None = None) -> dict[str, str]:
    """Return the variables with which ``pg_dump`` and the like connect as this service does.

    ``ca_file``: trusted certificates, if the address names none.
    """
    variables = {
        "PGHOST": ",".join(host.name for host in address.hosts),
        "PGPORT": ",".join(str(host.port) for host in address.hosts),
        "PGUSER": address.user,
        "PGPASSWORD": address.password,
        "PGDATABASE": address.database,
        "PGPASSFILE": address.passfile,
        "PGTARGETSESSIONATTRS": address.target,
        "PGCONNECT_TIMEOUT": address.connect_seconds,
        "PGOPTIONS": _join_options(address),
        **_list_tls(address.tls, ca_file),
    }
    return {name: str(value) for name, value in variables.items() if value}


def _list_tls(tls: TlsOptions, ca_file: Path | None) -> Mapping[str, object]:
    setting_file = ca_file if (tls.mode or "").startswith("verify") else None
    return {
        "PGSSLMODE": tls.mode,
        "PGSSLROOTCERT": "system" if tls.system_ca else tls.ca_file or setting_file,
        "PGSSLCERT": tls.cert_file,
        "PGSSLKEY": tls.key_file,
        "PGSSLCRL": tls.crl_file,
        "PGSSLMINPROTOCOLVERSION": tls.min_version,
        "PGSSLMAXPROTOCOLVERSION": tls.max_version,
        "PGSSLNEGOTIATION": "direct" if tls.direct else None,
    }


def _join_options(address: Address) -> str:
    settings = [f"-c {name}={_escape(value)}" for name, value in address.session_settings.items()]
    return " ".join([*settings, address.startup_settings.get("options", "")]).strip()


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
