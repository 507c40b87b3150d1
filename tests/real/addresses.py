"""Addresses of a real server: what connects, and how each misconfiguration is named."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import text

from app.database.check import check_server
from app.database.engine import Database
from app.errors import AppError
from tests.real.days import Row
from tests.real.pgbouncer import start_pgbouncer
from tests.real.postgres import OWNER, PASSWORD, PostgresServer, start_standby
from tests.support.certificates import make_self_signed
from tests.support.command_line import free_port

_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_PASSWORDS = ("p%40:/?#[]", "a@b/c:d", "per%cent", "пароль с пробелом", "кавычки'\"\\", "100%25")


async def run_trial(server: PostgresServer, folder: Path) -> list[Row]:
    """Try addresses of a server, of its standby and of a pooler."""
    rows = [
        ("TLS: every sslmode, with and without sslrootcert", await _try_tls(server)),
        ("socket, IPv6, options, keepalives, connection_limit", await _try_places(server)),
        (f"{len(_PASSWORDS)} passwords, encoded and as they are", await _try_passwords(server)),
        ("several hosts: dead, unknown, standby", await _try_hosts(server, folder)),
        ("misconfigurations named", await _try_misconfigurations(server, folder)),
        ("encodings refused", await _try_encodings(server)),
    ]
    async with start_pgbouncer(server, folder / "small", max_client_conn=2) as pooler:
        held = [f"{pooler.url(OWNER)}&application_name=held_{number}" for number in (1, 2)]
        async with _connected(held[0]), _connected(held[1]):
            await _expect(pooler.url(OWNER), "все соединения пулера заняты")
        await _expect(pooler.url("nowhere"), "такой базы")
        await _expect(pooler.url(OWNER, user="nobody_known"), "неверные имя|такого пользователя")
        await _expect(pooler.url(OWNER, password="wrong"), "неверные имя")
        await _expect(pooler.url(OWNER, sslmode="require"), "не поддерживает TLS")
        await _expect(pooler.url(OWNER, options="endpoint=x"), "пулер не принимает")
        assert await _show(pooler.url(OWNER, options="-csearch_path=a"), "search_path") == "a"
    return [*rows, ("pgbouncer's own messages named", "7 of 7")]


async def _try_tls(server: PostgresServer) -> str:
    for mode in _MODES:
        expected = "off" if mode in ("disable", "allow") else "on"
        bare = server.url(sslmode=mode)
        trusting = server.url(sslmode=mode, sslrootcert=server.certificate)
        assert await _is_encrypted(trusting) == expected, mode
        if not mode.startswith("verify"):
            assert await _is_encrypted(bare) == expected, mode
    await _expect(server.url(sslmode="verify-ca"), "нужен sslrootcert")
    await _expect(server.url(sslmode="verify-full"), "издатель не из доверенных")
    await _expect(
        server.url(host="localhost", sslmode="verify-full", sslrootcert=server.certificate),
        "выдан на другое имя",
    )
    localhost = server.url(host="localhost", sslmode="verify-ca", sslrootcert=server.certificate)
    assert await _is_encrypted(localhost) == "on"
    database = Database(server.url(sslmode="verify-full"), ca_file=server.certificate)
    await _use(database)
    return f"{len(_MODES)} of {len(_MODES)}"


async def _try_places(server: PostgresServer) -> str:
    socket = str(server.folder).replace("/", "%2F")
    for address in (
        f"postgresql://{OWNER}:{PASSWORD}@{socket}:{server.port}/{OWNER}",
        f"postgresql:///{OWNER}?host={server.folder}&port={server.port}&user={OWNER}"
        f"&password={PASSWORD}",
        server.url(host="[::1]"),
        server.url(host="localhost", keepalives_idle=30, tcp_user_timeout=5000, connect_timeout=3),
        server.url().replace("postgresql:", "postgresql+asyncpg:"),
    ):
        await _use(Database(address))
    shown = server.url(options="-c search_path=a,public -c lock_timeout=7s")
    assert await _show(shown, "search_path") == "a,public"
    assert await _show(server.url(application_name="Отчёты"), "application_name")
    assert Database(server.url(pgbouncer="true", connection_limit=1)).pool_size == 1
    return "all"


async def _try_passwords(server: PostgresServer) -> str:
    for number, password in enumerate(_PASSWORDS):
        quoted = password.replace("'", "''")
        await server.execute(f"CREATE ROLE r{number} LOGIN PASSWORD '{quoted}'")
        await _use(Database(server.url(user=f"r{number}", password=password)))
        if unquote(password) == password:  # otherwise it is read as percent-encoded
            plain = f"postgresql://r{number}:{password}@127.0.0.1:{server.port}/{OWNER}"
            await _use(Database(plain))
    return "all"


async def _try_hosts(server: PostgresServer, folder: Path) -> str:
    good, dead = f"127.0.0.1:{server.port}", f"127.0.0.1:{free_port()}"
    for hosts in (f"{dead},{good}", f"nowhere.invalid,{good}", f"{good},{dead}"):
        await _use(Database(_at(hosts)))
    await _expect(_at(f"{dead},nowhere.invalid"), "сервер не отвечает; .*имя сервера не находится")
    if not (server.programs / "pg_basebackup").exists():
        return "all but the standby: no pg_basebackup"
    async with start_standby(server, folder / "standby") as standby:
        spare = f"127.0.0.1:{standby.port}"
        await _expect(standby.url(), "открыта только для чтения")
        await _expect(standby.url(target_session_attrs="read-write"), "открыта только для чтения")
        for query in ("", "?target_session_attrs=read-write", "?target_session_attrs=primary"):
            assert await _show(_at(f"{spare},{good}") + query, "in_hot_standby") == "off"
    return "all"


def _at(hosts: str) -> str:
    return f"postgresql://{OWNER}:{PASSWORD}@{hosts}/{OWNER}"


async def _try_misconfigurations(server: PostgresServer, folder: Path) -> str:
    other = folder / "other.pem"
    other.write_text(make_self_signed("127.0.0.1"))
    wrong = [
        (
            server.url(sslmode="verify-full", sslrootcert=folder / "none"),
            "sslrootcert: файла .* нет",
        ),
        (server.url(sslmode="verify-full", sslrootcert=other), "издатель не из доверенных"),
        (server.url(sslmod="require"), "возможно, нужен sslmode"),
        (server.url(sslmode="requires"), "«sslmode»: нужно одно из значений"),
        (server.url(host="nowhere.invalid"), "имя сервера не находится"),
        (server.url(password="wrong"), "неверные имя или пароль"),
        (server.url("nowhere"), "такой базы нет"),
        (server.url(options="-c search_pth=a"), "параметр из options .* такого параметра нет"),
        (server.url(options="-c lock_timeout=a"), "параметр из options .* значение не подходит"),
        (server.url(options="-c ssl=off"), "параметр из options"),
    ]
    for url, pattern in wrong:
        await _expect(url, pattern)
    await server.execute("CREATE ROLE few LOGIN PASSWORD 'secret' CONNECTION LIMIT 1")
    few = server.url(user="few")
    async with _connected(few):
        await _expect(few, "все соединения сервера заняты")
    await server.set_tls("off")
    await _expect(server.url(sslmode="require"), "не поддерживает TLS")
    await server.set_tls("on")
    return f"{len(wrong) + 2} of {len(wrong) + 2}"


async def _try_encodings(server: PostgresServer) -> str:
    encodings = ("LATIN1", "SQL_ASCII", "WIN1251")
    for encoding in encodings:
        name = await server.create_database(
            f"ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        await _expect(server.url(name), f"кодировка базы {encoding}, а нужна UTF8")
    return ", ".join(encodings)


async def _use(database: Database) -> None:
    try:
        await check_server(database)
    finally:
        await database.close()


async def _expect(url: str, pattern: str) -> None:
    """Check that an address is refused by one line that names the setting and the reason."""
    try:
        await _use(Database(url, connect_seconds=2, slot_seconds=2))
    except AppError as error:
        assert error.message.startswith("DATABASE_URL: "), error.message
        assert re.search(pattern, error.message), (error.message, pattern)
        assert "\n" not in error.message
        assert PASSWORD not in error.message
    else:
        raise AssertionError(f"connected, although expected: {pattern}")


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[None]:
    """Hold a connection."""
    database = Database(url)
    try:
        async with database.session() as session:
            await session.execute(text("SELECT 1"))
            yield
    finally:
        await database.close()


async def _is_encrypted(url: str) -> str:
    return await _fetch(
        url,
        "SELECT CASE WHEN ssl THEN 'on' ELSE 'off' END FROM pg_stat_ssl WHERE pid ="
        " pg_backend_pid()",
    )


async def _show(url: str, name: str) -> str:
    return await _fetch(url, f"SELECT current_setting('{name}')")


async def _fetch(url: str, sql: str) -> str:
    database = Database(url)
    try:
        async with database.session() as session:
            return str(await session.scalar(text(sql)))
    finally:
        await database.close()
