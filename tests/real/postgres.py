"""A Postgres of a Debian package, with TLS, on a free loopback port."""

import asyncio
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg

from tests.real.programs import hand_over, run_server, run_to_end
from tests.support.certificates import make_self_signed
from tests.support.command_line import free_port

OWNER, PASSWORD = "postgres", "secret"
_SETTINGS = {
    "fsync": "off",
    "ssl_cert_file": "server.pem",
    "ssl_key_file": "server.pem",
    "listen_addresses": "127.0.0.1,::1",
    "max_connections": "60",
}
_numbers = count(1)


@dataclass(frozen=True)
class PostgresServer:
    """A running server. ``folder`` has its data, its socket and its certificate."""

    programs: Path
    folder: Path
    port: int
    version: str

    @property
    def certificate(self) -> Path:
        """The server's own certificate, for 127.0.0.1 only."""
        return self.folder.parent / "server.pem"

    def url(
        self,
        database: str = OWNER,
        *,
        user: str = OWNER,
        password: str = PASSWORD,
        host: str = "127.0.0.1",
        **query: object,
    ) -> str:
        """Return an address of the server."""
        tail = f"?{urlencode(query)}" if query else ""
        secret = quote(password, safe="")
        return f"postgresql://{user}:{secret}@{host}:{self.port}/{database}{tail}"

    async def execute(self, *statements: str, database: str = OWNER) -> Any:
        """Run statements as the owner; return the value of the last one."""
        connection = await asyncpg.connect(self.url(database), ssl=False)
        try:
            for statement in statements:
                value = await connection.fetchval(statement)
            return value
        finally:
            await connection.close()

    async def set_tls(self, state: str) -> None:
        """Set ``ssl`` to on or off, and wait until new connections have it."""
        await self.execute(f"ALTER SYSTEM SET ssl = {state}", "SELECT pg_reload_conf()")
        while await self.execute("SHOW ssl") != state:  # noqa: ASYNC110 - the server's state
            await asyncio.sleep(0.05)

    async def create_database(self, options: str = "") -> str:
        """Create an empty database and return its name."""
        name = f"trial_{next(_numbers)}"
        await self.execute(f"CREATE DATABASE {name} {options}")
        return name


@asynccontextmanager
async def start_postgres(programs: Path, folder: Path) -> AsyncIterator[PostgresServer]:
    """Create a cluster and start it; stop it at the end."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    password, data = folder / "password", folder / "data"
    password.write_text(PASSWORD)
    (folder / "server.pem").write_text(make_self_signed("127.0.0.1"))
    account = hand_over(folder)
    await run_to_end(
        *account,
        *(programs / "initdb", "-D", data, "-U", OWNER, f"--pwfile={password}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
    )
    shutil.copy(folder / "server.pem", data)
    (data / "postgresql.auto.conf").write_text("ssl = on\n")
    (data / "server.pem").chmod(0o600)
    async with serve_cluster(programs, data) as server:
        yield server


@asynccontextmanager
async def start_standby(primary: PostgresServer, folder: Path) -> AsyncIterator[PostgresServer]:
    """Start a standby of a server."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    account = hand_over(folder)
    shutil.copy(primary.certificate, folder)
    data = folder / "data"
    await run_to_end(
        *account,
        primary.programs / "pg_basebackup",
        "-R",
        "-c",
        "fast",
        "-D",
        data,
        "-d",
        primary.url(),
    )
    async with serve_cluster(primary.programs, data) as server:
        yield server


@asynccontextmanager
async def serve_cluster(programs: Path, data: Path) -> AsyncIterator[PostgresServer]:
    """Start the server of a data folder."""
    port = int(free_port())
    settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    async with run_server(
        *hand_over(data),
        *(programs / "postgres", "-D", data, "-p", str(port)),
        *(*settings, f"--unix_socket_directories={data}"),
        log=data.parent / "postgres.log",
        is_ready=lambda: _ask(data, port),
        stop_signal=signal.SIGINT,
    ):
        server = PostgresServer(programs, data, port, "")
        version = str(await server.execute("SHOW server_version")).partition(" ")[0]
        yield PostgresServer(programs, data, port, version)


def _ask(data: Path, port: int) -> None:
    """Raise OSError until the server accepts connections, which its lock file records."""
    if "ready" not in (data / "postmaster.pid").read_text():
        raise OSError("not ready")
    socket.create_connection(("127.0.0.1", port), 1).close()
