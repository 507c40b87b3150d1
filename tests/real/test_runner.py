"""The runner of `make check-real`, which itself is not part of the suite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.__main__ import TRIALS, choose_trials, list_missing
from tests.real.programs import find_postgres_folders, read_major_version


def make_postgres(folder: Path, version: str) -> Path:
    """Create a folder with programs that only print their version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_trials_are_chosen_by_name() -> None:
    assert choose_trials("") == list(TRIALS)
    assert choose_trials(" pgbouncer, addresses,") == ["pgbouncer", "addresses"]
    with pytest.raises(SystemExit, match="no such trial: canary"):
        choose_trials("pgbouncer,canary")


@pytest.mark.parametrize(
    ("find", "missing"), [(lambda _: None, ["pgbouncer"]), (lambda name: f"/bin/{name}", [])]
)
def test_missing_programs_are_named(find: Callable[[str], str | None], missing: list[str]) -> None:
    assert list_missing(TRIALS["pgbouncer"], find) == missing


def test_versions_are_sorted_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest, oldest = (make_postgres(tmp_path / name / "bin", name) for name in ("18.4", "9.6.1"))
    debian = make_postgres(tmp_path / "debian" / "15" / "bin", "15.18 (Debian 15.18-0+deb12u1)")
    monkeypatch.setenv("POSTGRES_BIN", f"{tmp_path}/18*/bin:{oldest}:/none")
    assert find_postgres_folders(tmp_path / "debian") == [oldest, debian, newest]
    assert read_major_version(debian) == 15
