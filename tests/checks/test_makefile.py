"""The Makefile lists its targets and reports missing requirements in one line."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT, run_make


def test_make_without_a_target_lists_every_target() -> None:
    phony = re.search(
        r"^\.PHONY: (.+)$", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert phony
    listed = re.findall(r"^ +make ([\w-]+) +\S", run_make().stdout, re.MULTILINE)
    assert sorted(listed) == sorted(phony[1].split())


def test_makefile_is_in_english() -> None:
    """It is for developers. The messages of the service are Russian."""
    assert re.findall("[А-Яа-яЁё]+", (CHECKOUT / "Makefile").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("python", "named"),
    [
        ("#!/bin/sh\nexit 1\n", "3.11"),
        ('#!/bin/sh\ncase "$2" in *venv*) exit 1;; esac\n', "python3-venv"),
    ],
    ids=["too old", "without venv"],
)
def test_unsupported_python_is_reported_in_one_line(
    tmp_path: Path, python: str, named: str
) -> None:
    copy_files(tmp_path)
    (tmp_path / "python").write_text(python)
    (tmp_path / "python").chmod(0o755)
    done = run_make("test", "PYTHON=./python", folder=tmp_path)
    assert done.returncode != 0
    [line] = list_lines(done.stderr)
    assert named in line
    assert not (tmp_path / ".venv").exists()


OFFLINE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_RETRIES": "1",
}


@pytest.mark.parametrize(
    ("index", "lock", "named"),
    [
        ("https://pypi.invalid/simple", None, "no connection to the package index"),
        ("http://127.0.0.1:9/simple", "no requirement at all\n", "Invalid requirement"),
    ],
    ids=["offline", "unreadable lock"],
)
def test_failed_installation_is_reported_in_one_line(
    tmp_path: Path, index: str, lock: str | None, named: str
) -> None:
    """A fresh clone; pip itself prints ten lines without the cause."""
    copy_files(tmp_path)
    if lock is not None:
        (tmp_path / "requirements.lock").write_text(lock)
    variables = {**OFFLINE, "PIP_INDEX_URL": index}
    done = run_make("demo", f"PYTHON={sys.executable}", folder=tmp_path, **variables)
    assert done.returncode != 0
    [announced, line] = list_lines(done.stderr)
    assert announced.startswith("Creating .venv")
    assert line.startswith("The packages cannot be installed: ")
    assert named in line
    assert line.endswith("Details: .venv/pip.log")
    assert done.stdout == ""


def copy_files(folder: Path) -> None:
    """Copy what a first `make` reads."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, folder)


def list_lines(stderr: str) -> list[str]:
    """Return the lines that are not make's own."""
    return [line for line in stderr.splitlines() if not line.startswith("make")]
