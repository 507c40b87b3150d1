"""The systemd unit: systemd accepts it, it is sandboxed, and it sets settings that exist."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import Settings
from tests.support.checkout import CHECKOUT

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
