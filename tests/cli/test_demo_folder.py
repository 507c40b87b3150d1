"""The demo's folder: emptied at each start, unless it is not the demo's."""

from pathlib import Path

import pytest

from app.cli.demo_folder import open_empty_folder
from app.errors import SettingsError
from tests.support.clusters import list_servers, start_other_process


async def test_files_of_an_earlier_demo_are_deleted(tmp_path: Path) -> None:
    async with open_empty_folder(tmp_path / "var" / "demo") as folder:
        (folder / "mail").mkdir()
        (folder / "mail" / "0001.eml").touch()
        (folder / "note").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").touch()
    async with open_empty_folder(tmp_path / "var" / "demo") as folder:
        assert not (folder / "mail").exists()
        assert not (folder / "note").is_symlink()
    assert (tmp_path / "kept").exists()


async def test_the_postgres_of_a_killed_demo_is_stopped(tmp_path: Path) -> None:
    async with open_empty_folder(tmp_path / "demo"):
        pass
    async with start_other_process(tmp_path / "demo") as demo:
        demo.kill()
        await demo.wait()
        assert list_servers(tmp_path / "demo")
        async with open_empty_folder(tmp_path / "demo") as folder:
            assert list_servers(folder) == []
            assert not (folder / "postgres").exists()


async def test_foreign_folder_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "diploma.txt").touch()
    with pytest.raises(SettingsError, match="не папка демо"):
        async with open_empty_folder(tmp_path):
            pass
    assert (tmp_path / "diploma.txt").exists()


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    async with open_empty_folder(tmp_path / "other") as folder:
        (folder / "mine").touch()
    (tmp_path / "demo").symlink_to(tmp_path / "other")
    with pytest.raises(SettingsError, match="ссылка"):
        async with open_empty_folder(tmp_path / "demo"):
            pass
    assert (tmp_path / "other" / "mine").exists()


async def test_folder_of_a_running_demo_is_not_emptied(tmp_path: Path) -> None:
    async with open_empty_folder(tmp_path / "demo") as folder:
        (folder / "mine").touch()
        with pytest.raises(SettingsError, match="уже работает другое демо"):
            async with open_empty_folder(tmp_path / "demo"):
                pass
        assert (folder / "mine").exists()
