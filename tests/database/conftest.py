"""Folders for embedded clusters: empty, used before, open to everybody."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from app.database.embedded import embedded_postgres

from .clusters import ask, end_all, run


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A place for a new folder; what a failed test leaves running ends with it, and no cluster
    stays on the disk.
    """
    yield tmp_path / "var"
    for folder in tmp_path.iterdir():
        end_all(folder)
        shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster made once, with one table of two rows, at rest.

    It is copied for most tests, and a copy's time is that of its files: two thirds of them belong
    to the two template databases.
    """
    folder = tmp_path_factory.mktemp("template")
    async with embedded_postgres(folder, durable=False) as url:
        await ask(url, "CREATE TABLE chats AS SELECT generate_series(1, 2) AS id")
        await ask(url, "UPDATE pg_database SET datistemplate = false")
        for name in ("template0", "template1"):
            await ask(url, f"DROP DATABASE {name}")
    return folder


@pytest_asyncio.fixture
async def used_dir(template: Path, data_dir: Path) -> Path:
    """A folder with a cluster that has been used before."""
    assert await run("cp", "-a", template, data_dir) == (0, "")
    return data_dir


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A folder that everybody may enter, with an empty one in it and a program."""
    with TemporaryDirectory() as name:
        folder, program = Path(name), Path(name) / "postgres"
        program.write_text("#!/bin/sh\n")
        folder.chmod(0o755)
        program.chmod(0o755)
        (folder / "cluster").mkdir()
        yield folder
