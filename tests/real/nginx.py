"""The service behind Debian's nginx, configured by the example of docs/operations.md."""

import asyncio
import getpass
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.real.reverse_proxy import (
    PREFIX,
    Row,
    read_example,
    replace_all,
    serve_behind,
    try_proxy,
    wait_until_listening,
)
from tests.support.command_line import free_port
from tests.support.tls_front import make_certificate

PROGRAM = "nginx"
_FRAME = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_read_timeout 1s;
    {example}
}}
"""


def find_program() -> str | None:
    """Return the path of nginx, which Debian installs outside of a user's PATH."""
    return shutil.which(PROGRAM) or shutil.which(PROGRAM, path="/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def start_nginx(
    folder: Path, certificate: Path, service: str, *, strips: bool
) -> AsyncIterator[str]:
    """Start nginx before the service at ``host:port``; yield the URL of the prefix."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_make_config(folder, certificate, service, port, strips=strips))
    program = find_program()
    assert program
    process = await asyncio.create_subprocess_exec(
        *(program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config))
    )
    try:
        await wait_until_listening(process, int(port))
        yield f"https://127.0.0.1:{port}{PREFIX}/"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _make_config(folder: Path, certificate: Path, service: str, port: str, *, strips: bool) -> str:
    example = replace_all(
        read_example("nginx"),
        {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/quality.pem": str(certificate),
            "/etc/ssl/quality.key": str(certificate),
            "http://127.0.0.1:8000/": f"http://{service}{'/' if strips else ''}",
        },
    )
    # Workers of a master that root has started would not read the folder.
    user = "user root;" if getpass.getuser() == "root" else ""
    return _FRAME.format(folder=folder, user=user, example=example)


async def run_trial(database_url: str, folder: Path) -> list[Row]:
    """Run the trial once with and once without the prefix removed; return what worked.

    ``database_url``: an empty database.
    """
    certificate = make_certificate(folder)
    rows = []
    async with serve_behind(database_url, folder) as (sandbox, service):
        for strips in (True, False):
            place = folder / f"nginx-{strips}"
            place.mkdir()
            async with start_nginx(place, certificate, service, strips=strips) as url:
                found = await try_proxy(sandbox, url, certificate, cuts_long_calls=True)
            logs = "".join(path.read_text() for path in place.glob("*.log"))
            assert "key-of-the" not in logs
            way = "prefix removed" if strips else "prefix kept"
            rows += [(f"nginx, {way}: {what}", result) for what, result in found]
    return rows
