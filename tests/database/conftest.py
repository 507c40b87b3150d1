"""Folders for embedded clusters: new, used, and open to all accounts."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from app.database.embedded import embedded_postgres
from tests.support.clusters import fetch_value, kill_all, run_command


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A path for a new folder.

    At the end its processes are killed and the cluster is deleted, even after a failed test.
    """
    yield tmp_path / "var"
    for folder in tmp_path.iterdir():
        kill_all(folder)
        shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped cluster with one table of two rows, created once.

    Most tests copy it. A copy's time depends on the files, and two thirds of them belong to the two
    template databases.
    """
    folder = tmp_path_factory.mktemp("template")
    async with embedded_postgres(folder, durable=False) as url:
        await fetch_value(url, "CREATE TABLE chats AS SELECT generate_series(1, 2) AS id")
        await fetch_value(url, "UPDATE pg_database SET datistemplate = false")
        for name in ("template0", "template1"):
            await fetch_value(url, f"DROP DATABASE {name}")
    return folder


@pytest_asyncio.fixture
async def used_dir(template: Path, data_dir: Path) -> Path:
    """A folder with a cluster that has been used before."""
    assert await run_command("cp", "-a", template, data_dir) == (0, "")
    return data_dir


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A folder that all accounts may enter, with an empty folder and a program in it."""
    with TemporaryDirectory() as name:
        folder, program = Path(name), Path(name) / "postgres"
        program.write_text("#!/bin/sh\n")
        folder.chmod(0o755)
        program.chmod(0o755)
        (folder / "cluster").mkdir()
        yield folder
