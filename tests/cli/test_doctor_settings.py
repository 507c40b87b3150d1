"""Doctor names the setting to change for each fault of an outside system."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import pytest

from app.sandbox.faults import CannedResponse
from app.sandbox.server import Sandbox
from tests.support.command_line import ProcessResult, make_environment, run_app
from tests.support.small_disk import run_on_small_disk

NOWHERE = "nowhere.invalid"
AVITO, MODEL = "AVITO_BASE_URL", "DEEPSEEK_BASE_URL"
# The fault, and what the only line about it names.
FAULTS = {
    "database, no server": ({"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}, "DATABASE_URL"),
    "database, no host": ({"DATABASE_URL": f"postgresql://a:b@{NOWHERE}/c"}, "DATABASE_URL"),
    "Avito, no server": ({AVITO: "http://127.0.0.1:1"}, AVITO),
    "Avito, no host": ({AVITO: f"http://{NOWHERE}"}, AVITO),
    "Avito, another server": ({AVITO: "{DEEPSEEK_BASE_URL}"}, AVITO),
    "Avito, keys": ({"AVITO_CLIENT_SECRET": "wrong"}, "AVITO_CLIENT_SECRET"),
    "model, no server": ({MODEL: "http://127.0.0.1:1"}, MODEL),
    "model, no host": ({MODEL: f"http://{NOWHERE}"}, MODEL),
    "model, another server": ({MODEL: "{AVITO_BASE_URL}"}, MODEL),
    "model, key": ({"DEEPSEEK_API_KEY": "wrong"}, "DEEPSEEK_API_KEY"),
    "model, name": ({"DEEPSEEK_MODEL": "wrong"}, "DEEPSEEK_MODEL"),
    "mail, no server": ({"SMTP_PORT": "1"}, "SMTP_PORT"),
    "mail, no host": ({"SMTP_HOST": NOWHERE}, "SMTP_HOST"),
    "mail, encryption": ({"SMTP_SECURITY": "tls"}, "SMTP_SECURITY"),
    "mail, password": ({"SMTP_USERNAME": "a", "SMTP_PASSWORD": "b"}, "SMTP_SECURITY"),
    "disk, folder": ({"DATA_DIR": "/proc/none", "SMTP_HOST": ""}, "DATA_DIR"),
    "rubric": ({"RUBRIC_FILE": "/nowhere"}, "RUBRIC_FILE"),
}


def list_faults(ended: ProcessResult) -> list[str]:
    assert ended.err == ""
    return [line for line in ended.lines if line.startswith("✗ ")]


def answer_clock(sandbox: Sandbox, date: str) -> None:
    sandbox.avito.switches.fail(
        CannedResponse(404, {}, {"Date": date}), when=lambda request: request.method == "HEAD"
    )


@pytest.mark.parametrize("fault", FAULTS)
async def test_setting_of_the_fault_is_named(fault: str, tmp_path: Path, database_url: str) -> None:
    changed, named = FAULTS[fault]
    async with Sandbox() as sandbox:
        answer_clock(sandbox, formatdate(usegmt=True))
        settings = make_environment(sandbox, DATABASE_URL=database_url)
        if "AVITO_CLIENT_SECRET" in changed:
            settings |= {"AVITO_ACCOUNTS": "", "AVITO_CLIENT_ID": "sandbox-client-1"}
        settings |= {name: value.format_map(settings) for name, value in changed.items()}
        ended = await run_app(tmp_path, "doctor", **settings)
    assert ended.code == 1
    faults = list_faults(ended)
    assert faults, ended.out
    assert [line for line in faults if named not in line] == []


async def test_clock_of_the_machine(tmp_path: Path, database_url: str) -> None:
    async with Sandbox() as sandbox:
        answer_clock(sandbox, "Sun, 22 Nov 2020 12:00:00 GMT")
        settings = make_environment(sandbox, DATABASE_URL=database_url)
        [fault] = list_faults(await run_app(tmp_path, "doctor", **settings))
    assert fault.startswith("✗ Часы: ")
    assert "NTP" in fault


@contextmanager
def listen_silently() -> Iterator[str]:
    """Yield the port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


async def test_silent_servers(tmp_path: Path) -> None:
    """All four at once: each is given up after its time limit."""
    async with Sandbox() as sandbox:
        with listen_silently() as port:
            url = f"http://127.0.0.1:{port}"
            settings = make_environment(
                sandbox,
                AVITO_BASE_URL=url,
                DATABASE_URL=f"postgresql://a:b@127.0.0.1:{port}/c",
                SMTP_PORT=port,
            )
            faults = list_faults(await run_app(tmp_path, "doctor", **settings))
    named = [
        name for name in ("DATABASE_URL", "AVITO_BASE_URL", "SMTP_PORT") if name in str(faults)
    ]
    assert (named, len(faults)) == (["DATABASE_URL", "AVITO_BASE_URL", "SMTP_PORT"], 3), faults


async def test_full_disk(tmp_path: Path, database_url: str) -> None:
    """The mails would be written to a disk of three megabytes."""
    async with Sandbox() as sandbox:
        answer_clock(sandbox, formatdate(usegmt=True))
        settings = make_environment(sandbox, DATABASE_URL=database_url, SMTP_HOST="")
        ended = await run_on_small_disk(tmp_path, "3m", "doctor", **settings)
    [fault] = list_faults(ended)
    assert fault.startswith("✗ DATA_DIR: ")
    assert fault.endswith("освободите место.")
