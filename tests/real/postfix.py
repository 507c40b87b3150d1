"""The daily mail through Debian's Postfix: STARTTLS, refusals, retries, delivered mails."""

import asyncio
import email
import email.policy
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.sandbox.server import Sandbox
from tests.support.command_line import free_port, run_app
from tests.support.service_process import KEY, run_service, service_environment
from tests.support.tls_front import make_certificate

PROGRAM = "postfix"
_PATH = "/usr/sbin:/usr/local/sbin"
_BUSY, _UNKNOWN, _BOSS = "busy@example.ru", "unknown@example.ru", "boss@example.ru"

Row = tuple[str, str]

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.ru
mydestination =
mynetworks = 127.0.0.0/8
# A process serves one connection, so that each reads the current table.
max_use = 1
virtual_mailbox_domains = example.ru
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_chain_files = {certificate}
smtpd_tls_security_level = encrypt
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_non_fqdn_helo_hostname
smtpd_recipient_restrictions =
    check_recipient_access texthash:{folder}/access, permit_mynetworks, reject
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def find_program() -> str | None:
    """Return the path of Postfix, which only root can start; None for another user."""
    return shutil.which(PROGRAM, path=_PATH) if os.geteuid() == 0 else None


class Postfix:
    """A running Postfix that keeps the mails for example.ru in folders."""

    def __init__(self, folder: Path, port: str) -> None:
        self.port = port
        self._folder = folder

    def refuse(self, **answers: str) -> None:
        """Answer RCPT for these local parts of example.ru with a code and a text."""
        lines = [f"{name}@example.ru {answer}\n" for name, answer in answers.items()]
        (self._folder / "access").write_text("".join(lines))

    async def wait_for_mails(self, recipient: str, count: int) -> list[email.message.EmailMessage]:
        """Return the delivered mails of a recipient when there are so many."""
        folder = self._folder / "mail" / recipient / "new"
        async with asyncio.timeout(30):
            # Postfix writes the files.
            while len(files := sorted(folder.glob("*"))) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert len(files) == count
        parse = email.message_from_bytes
        return [parse(file.read_bytes(), policy=email.policy.default) for file in files]


@asynccontextmanager
async def start_postfix(folder: Path, certificate: Path) -> AsyncIterator[Postfix]:
    """Start Postfix on a free port, with its files in the folder."""
    server = Postfix(folder, free_port())
    server.refuse()
    _write_files(folder, certificate, server.port)
    try:
        assert await _run_postfix(folder, "start") == 0, "Postfix does not start"
        await _wait_for_greeting(int(server.port))
        yield server
    finally:
        await _run_postfix(folder, "stop")


async def _run_postfix(folder: Path, command: str) -> int:
    program = find_program()
    assert program
    process = await asyncio.create_subprocess_exec(
        *(program, "-c", str(folder / "etc"), command),
        env={"PATH": f"{_PATH}:/usr/bin:/bin"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


def _write_files(folder: Path, certificate: Path, port: str) -> None:
    mailman, postfix = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
    for name, owner in (("etc", None), ("queue", None), ("data", postfix), ("mail", mailman)):
        (folder / name).mkdir()
        if owner:
            os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    _open_to_accounts(folder)
    boxes = [f"{address} {address.split('@')[0]}/\n" for address in (_BOSS, _BUSY)]
    (folder / "mailboxes").write_text("".join(boxes))
    values = {"folder": folder, "certificate": certificate, "port": port}
    account = {"uid": mailman.pw_uid, "gid": mailman.pw_gid}
    (folder / "etc" / "main.cf").write_text(_MAIN.format(**values, **account))
    (folder / "etc" / "master.cf").write_text(_MASTER.format(**values))


def _open_to_accounts(folder: Path) -> None:
    """Let the accounts of Postfix pass through the folder, a new temporary one, to its parts."""
    temporary = Path(tempfile.gettempdir())
    for parent in (folder, *folder.parents):
        if parent != temporary and parent.is_relative_to(temporary):
            parent.chmod(0o711)


async def _wait_for_greeting(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            greeting = await reader.readline()
            writer.close()
            assert greeting.startswith(b"220 mail.example.ru")
            return


async def run_trial(database_url: str, folder: Path) -> list[Row]:
    """Send a daily mail to three recipients, two of whom are refused at first.

    ``database_url``: an empty database.

    Raises:
        AssertionError: something did not work.
    """
    certificate = make_certificate(folder)
    async with (
        Sandbox() as sandbox,
        start_postfix(folder, certificate) as server,
    ):
        settings = {
            "SMTP_PORT": server.port,
            "SMTP_SECURITY": "starttls",
            "SMTP_EHLO_NAME": "reports.example.ru",
            "CA_FILE": str(certificate),
            "REPORT_RECIPIENTS": f"{_BOSS},{_BUSY},{_UNKNOWN}",
        }
        environment = {**service_environment(database_url, sandbox, folder), **settings}
        async with (
            run_service(database_url, sandbox, folder, **settings) as service,
            httpx.AsyncClient(
                base_url=f"{service.url}/api/v1", headers={"X-API-Key": KEY}, timeout=120
            ) as rest,
        ):
            rows = await _send_mails(rest, server)
        rows += await _diagnose(folder, environment)
    return [(f"Postfix: {what}", result) for what, result in rows]


async def _send_mails(rest: httpx.AsyncClient, server: Postfix) -> list[Row]:
    for path in ("/avito/sync", "/llm/analyze"):
        assert (await rest.post(path)).status_code == 200
    server.refuse(busy="450 4.2.0 Greylisted, try again later")
    first = await rest.post("/timer/reports")
    assert first.status_code == 500
    message = first.json()["message"]
    assert _BUSY in message and _UNKNOWN in message and _BOSS not in message, message
    [mail] = await server.wait_for_mails("boss", 1)
    assert "with ESMTPS" in mail["Received"] and "reports.example.ru" in mail["Received"]
    files = [part.get_filename() for part in mail.iter_attachments()]
    server.refuse()
    second = await rest.post("/timer/reports")
    assert _BUSY not in second.json()["message"] and _UNKNOWN in second.json()["message"]
    [late] = await server.wait_for_mails("busy", 1)
    assert late["Subject"] == mail["Subject"]
    await server.wait_for_mails("boss", 1)
    return [
        ("mail over STARTTLS with CA_FILE", f"delivered with {', '.join(map(str, files))}"),
        ("450 for one recipient", "reported; the next call delivered the same mail to it alone"),
        ("550 5.1.1 for another", "reported with its address"),
    ]


async def _diagnose(folder: Path, environment: dict[str, str]) -> list[Row]:
    """Run ``doctor`` with and without CA_FILE."""
    good = await run_app(folder, "doctor", **environment)
    assert "✓ Почта: сервер пускает" in good.out, good.out
    unknown = await run_app(folder, "doctor", **{**environment, "CA_FILE": ""})
    [fault] = [line for line in unknown.lines if line.startswith("✗") and "почт" in line]
    assert "CA_FILE" in fault, fault
    return [("doctor", "passes; without CA_FILE it names the setting")]
