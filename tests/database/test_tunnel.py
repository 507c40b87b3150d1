"""Client programs without TLS reach servers that require it."""

import asyncio
import struct
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.database.tunnel import read_authentication
from tests.support.backups import read_rows
from tests.support.certificates import make_self_signed
from tests.support.command_line import free_port, run_app
from tests.support.stage import GOOD_TALK, Stage
from tests.support.tls_postgres import open_tls_postgres


async def fill(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.copy_first_report(5_000)  # megabytes, in both directions


@pytest.mark.parametrize("dead_host", [False, True])
async def test_backup_and_restore_over_tls(
    dead_host: bool, stage: Stage, tmp_path: Path, database_url: str, postgres_url: str
) -> None:
    """Several hosts: the first one is dead, and the password is the same for all."""
    await fill(stage)
    certificate = tmp_path / "server.pem"
    certificate.write_text(make_self_signed("127.0.0.1"))
    tail = f"?sslmode=verify-full&sslrootcert={certificate}"
    file = str(tmp_path / "quality.dump")
    for command, url in (("backup", database_url), ("restore", postgres_url)):
        async with open_tls_postgres(url, certificate) as front:
            address = front.url + tail
            if dead_host:
                host = f"127.0.0.1:{make_url(front.url).port}"
                address = address.replace(host, f"127.0.0.1:{free_port()},{host}")
            ended = await run_app(tmp_path, command, file, DATABASE_URL=address)
            assert (ended.code, ended.err) == (0, "")
            assert front.handshakes >= 2  # of the service itself and of the program
    assert await read_rows(postgres_url) == await read_rows(database_url)


def make_message(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!ci", kind, len(body) + 4) + body


def make_sasl(*names: bytes) -> bytes:
    return make_message(
        b"R", struct.pack("!i", 10) + b"".join(name + b"\0" for name in names) + b"\0"
    )


VERSION = make_message(b"v", struct.pack("!ii", 0, 0))
OK = make_message(b"R", struct.pack("!i", 0))
REFUSED = make_message(b"E", b"SFATAL\0\0")
PLAIN, PLUS = b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (make_sasl(PLUS, PLAIN), make_sasl(PLAIN)),
        (make_sasl(PLAIN), make_sasl(PLAIN)),
        (make_sasl(PLUS), make_sasl(PLUS)),
        (VERSION + make_sasl(PLUS, PLAIN), VERSION + make_sasl(PLAIN)),
        (OK, OK),
        (REFUSED, REFUSED),
    ],
)
async def test_channel_binding_is_not_offered(sent: bytes, read: bytes) -> None:
    """The program has no TLS, so it would refuse the offer. What follows is not read."""
    reader = asyncio.StreamReader()
    reader.feed_data(sent + b"rest")
    assert await read_authentication(reader) == read
    assert await reader.read(4) == b"rest"
