"""A pgbouncer in transaction mode before a Postgres."""

import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.real.postgres import OWNER, PASSWORD, PostgresServer
from tests.real.programs import find_program, hand_over, run_server
from tests.support.command_line import free_port

PROGRAM = "pgbouncer"
_CONFIG = """
[databases]
* = host={server.folder} port={server.port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
server_reset_query =
{more}
"""


@dataclass(frozen=True)
class Pooler:
    """A running pgbouncer."""

    port: int

    def url(
        self, database: str, *, user: str = OWNER, password: str = PASSWORD, **query: object
    ) -> str:
        """Return an address of the pooler, with the parameter that providers add."""
        tail = urlencode({"pgbouncer": "true", **query})
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{database}?{tail}"


@asynccontextmanager
async def start_pgbouncer(
    server: PostgresServer, folder: Path, **settings: object
) -> AsyncIterator[Pooler]:
    """Start a pgbouncer that keeps no session: its reset query is empty."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    port = int(free_port())
    more = "\n".join(f"{name} = {value}" for name, value in settings.items())
    config = folder / "pgbouncer.ini"
    config.write_text(_CONFIG.format(server=server, port=port, folder=folder, more=more))
    (folder / "users.txt").write_text(f'"{OWNER}" "{PASSWORD}"\n"stranger" "{PASSWORD}"\n')
    program = find_program(PROGRAM)
    assert program
    async with run_server(
        *hand_over(folder),
        *(program, config),
        log=folder / "pgbouncer.log",
        is_ready=lambda: socket.create_connection(("127.0.0.1", port), 1).close(),
        stop_signal=signal.SIGTERM,
    ):
        yield Pooler(port)
