"""The demo's folder: emptied at each start, but never anybody else's."""

from pathlib import Path

import pytest

from app.cli.demo_folder import emptied
from app.errors import SettingsError
from tests.database.clusters import list_servers, start_other_process


async def test_what_an_earlier_demo_left_is_gone(tmp_path: Path) -> None:
    async with emptied(tmp_path / "var" / "demo") as folder:
        (folder / "mail").mkdir()
        (folder / "mail" / "0001.eml").touch()
        (folder / "note").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").touch()
    async with emptied(tmp_path / "var" / "demo") as folder:
        assert not (folder / "mail").exists()
        assert not (folder / "note").is_symlink()
    assert (tmp_path / "kept").exists()


async def test_the_postgres_of_a_killed_demo_is_stopped(tmp_path: Path) -> None:
    async with emptied(tmp_path / "demo"):
        pass
    async with start_other_process(tmp_path / "demo") as demo:
        demo.kill()
        await demo.wait()
        assert list_servers(tmp_path / "demo")
        async with emptied(tmp_path / "demo") as folder:
            assert list_servers(folder) == []
            assert not (folder / "postgres").exists()


async def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diploma.txt").touch()
    with pytest.raises(SettingsError, match="не папка демо"):
        async with emptied(tmp_path):
            pass
    assert (tmp_path / "diploma.txt").exists()


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    async with emptied(tmp_path / "other") as folder:
        (folder / "mine").touch()
    (tmp_path / "demo").symlink_to(tmp_path / "other")
    with pytest.raises(SettingsError, match="ссылка"):
        async with emptied(tmp_path / "demo"):
            pass
    assert (tmp_path / "other" / "mine").exists()


async def test_a_demo_at_work_is_not_disturbed(tmp_path: Path) -> None:
    async with emptied(tmp_path / "demo") as folder:
        (folder / "mine").touch()
        with pytest.raises(SettingsError, match="уже работает другое демо"):
            async with emptied(tmp_path / "demo"):
                pass
        assert (folder / "mine").exists()
