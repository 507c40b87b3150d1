"""Connect to the first suitable server of an address."""

import random
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from app.database.address import Address, Host
from app.database.connection import LimitedConnection, quote_settings
from app.database.tls import build_tls

HOST_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class AllHostsFailedError(OSError):
    """No server of several is reachable and suitable; ``failures`` has the error of each."""

    def __init__(self, failures: Sequence[tuple[Host, Exception]]) -> None:
        super().__init__("no suitable server")
        self.failures = tuple(failures)


class Connector:
    """Opens connections that keep no prepared statement.

    A statement is parsed again each time. A pooler in transaction mode may execute the next one on
    another server connection, and a changed column type makes a kept statement invalid.

    - ``setting``: the name of the address in messages.
    - ``ca_file``: trusted certificates, if the address names none.
    - ``connect_seconds``: timeout for each server, unless the address has its own.
    - ``answer_seconds``: timeout of a statement, until the session sets its own.
    - ``last``: the server of the newest connection.
    """

    def __init__(
        self,
        address: Address,
        setting: str,
        *,
        ca_file: Path | None,
        connect_seconds: float,
        answer_seconds: float | None,
    ) -> None:
        self._address = address
        self._tls = build_tls(address.tls, setting, ca_file=ca_file)
        self._connect_seconds = address.connect_seconds or connect_seconds
        self._answer_seconds = answer_seconds
        self._begin_sql = quote_settings(address.session_settings)
        self.last: Host | None = None

    async def connect(self) -> LimitedConnection:
        """Connect to the server of the connection before; try the others if it is not suitable.

        A server that is down thus delays one connection and not all of them.

        Raises:
            AllHostsFailedError: there are several servers, and none is suitable.
        """
        failures: list[tuple[Host, Exception]] = []
        for host in self._order_hosts():
            try:
                connection = await self._connect_host(host)
            except HOST_ERRORS as error:
                failures.append((host, error))
            else:
                self.last = host
                return connection
        raise AllHostsFailedError(failures) if len(failures) > 1 else failures[0][1]

    def _order_hosts(self) -> list[Host]:
        hosts = list(self._address.hosts)
        if self._address.in_random_order:
            random.shuffle(hosts)
        elif self.last is not None:
            hosts.sort(key=lambda host: host != self.last)
        return hosts

    async def is_pooled(self) -> bool:
        """Return whether the address leads to a pgbouncer.

        It refuses startup parameters that are not its own; every Postgres accepts this one.
        """
        try:
            connection = await self._connect_host(self.last or self._address.hosts[0], geqo="on")
        except asyncpg.PostgresError as error:
            return "unsupported startup parameter" in str(error)
        await connection.close()
        return False

    async def _connect_host(self, host: Host, **startup_settings: str) -> LimitedConnection:
        address = self._address
        connection: LimitedConnection = await asyncpg.connect(
            host=host.name or None,
            port=host.port,
            user=address.user,
            password=address.password,
            passfile=address.passfile,
            database=address.database,
            ssl=self._tls,
            direct_tls=address.tls.direct or None,
            target_session_attrs=address.target,
            server_settings={**address.startup_settings, **startup_settings},
            timeout=self._connect_seconds,
            command_timeout=self._answer_seconds,
            statement_cache_size=0,
            connection_class=LimitedConnection,
        )
        connection.configure(self._begin_sql, address.tcp_options)
        return connection
