"""The systemd unit: systemd accepts it, it is sandboxed, and it sets settings that exist."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import Settings
from tests.support.checkout import CHECKOUT
from tests.support.command_line import run_app

UNIT = CHECKOUT / "docs" / "deploy" / "avito-quality.service"
_ACCEPTED_EXPOSURE = 20
"""Tenths of the exposure level, which systemd calls OK up to 5.0."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as systemd-analyze needs it: the paths of its program exist."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    text = UNIT.read_text(encoding="utf-8")
    text = text.replace("/opt/avito-quality/.venv/bin/python", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/avito-quality", str(tmp_path)))
    return unit


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - systemd's own program
        ["systemd-analyze", *arguments],  # noqa: S607 - from PATH
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_accepts_the_unit(unit: Path) -> None:
    done = analyze("verify", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_unit_is_sandboxed(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={_ACCEPTED_EXPOSURE}", unit)
    assert done.returncode == 0, done.stdout


def test_unit_sets_settings_that_exist() -> None:
    """And each credential that a setting reads is loaded."""
    text = UNIT.read_text(encoding="utf-8")
    names = re.findall(r"^Environment=(\w+)=", text, re.MULTILINE)
    assert names
    assert [
        name for name in names if name.removesuffix("_FILE").lower() not in Settings.model_fields
    ] == []
    read = re.findall(r"/run/credentials/%n/(\w+)$", text, re.MULTILINE)
    assert read == re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE)


async def test_service_reads_the_secrets_of_the_unit(tmp_path: Path) -> None:
    """The credentials as systemd would place them."""
    text = UNIT.read_text(encoding="utf-8")
    settings = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    for name in re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE):
        (tmp_path / name).write_text(f"canary-canary-{name}\n")
    placed = {
        name: value.replace("/run/credentials/%n", str(tmp_path))
        for name, value in settings.items()
    }
    given = {
        "AVITO_CLIENT_ID": "a",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_USERNAME": "a",
        "MAIL_FROM": "a@example.ru",
        "REPORT_RECIPIENTS": "a@example.ru",
    }
    # The first thing that fails is the last of the start: the port is not free.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        ended = await run_app(tmp_path, "serve", **{**placed, **given, "PORT": port})
    assert ended.code == 2
    assert f"PORT: порт {port} занят" in ended.err
    assert "canary" not in ended.err
