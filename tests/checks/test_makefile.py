"""The Makefile lists its targets and reports missing requirements in one line."""

import re
import shutil
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
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    (tmp_path / "python").write_text(python)
    (tmp_path / "python").chmod(0o755)
    done = run_make("test", "PYTHON=./python", folder=tmp_path)
    assert done.returncode != 0
    expected_text = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(expected_text) == 1
    assert named in expected_text[0]
    assert not (tmp_path / ".venv").exists()
