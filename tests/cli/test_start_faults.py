"""Faults at the start: one line that names the setting, an exit code, and no secret."""

import re
import socket
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.cli.listening import check_data_dir
from app.config import load_settings
from app.errors import SettingsError
from tests.support.command_line import run_app
from tests.support.start_faults import COMPLETE, start_and_read_error


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("API_KEYS", {"API_KEYS": ""}),
        ("AVITO_CLIENT_ID", {"AVITO_CLIENT_ID": "", "AVITO_CLIENT_SECRET": ""}),
        ("REPORT_TIME", {"REPORT_TIME": "canary"}),
        ("DATABASE_URL", {"DATABASE_URL": "canary"}),
        ("COMPANY_FACTS_FILE", {"COMPANY_FACTS_FILE": "missing.txt"}),
        ("DEEPSEEK_API_KEY", {"DEEPSEEK_API_KEY": "canary-с-кириллицей"}),
        ("SMTP_PASSWORD", {"SMTP_PASSWORD": "canary\ncanary"}),
    ],
)
async def test_missing_or_invalid_setting(
    tmp_path: Path, name: str, settings: dict[str, str]
) -> None:
    await start_and_read_error(tmp_path, 2, name, **settings)


async def test_settings_file_that_is_none(tmp_path: Path) -> None:
    """Docker makes a folder of a mounted file that does not exist. No command ignores it."""
    (tmp_path / ".env").mkdir()
    fault = ".env: это папка, а нужен файл; уберите её и сделайте файл из .env.example."
    for command in ("serve", "sync", "migrate", "backup x", "doctor"):
        ended = await run_app(tmp_path, *command.split(), **COMPLETE)
        if command == "doctor":
            assert (ended.code, ended.err) == (1, "")
            assert f"✗ {fault}" in ended.lines
        else:
            assert (ended.code, ended.out, ended.err) == (2, "", f"avito-quality: {fault}\n")
    (tmp_path / ".env").rmdir()
    (tmp_path / ".env").symlink_to(tmp_path / "missing")
    ended = await run_app(tmp_path, "sync", **COMPLETE)
    assert (ended.code, "ссылка на файл, которого нет" in ended.err) == (2, True)


ACCOUNTS = '[{"client_id": "id", "client_secret": "%s"}]'
INVALID = {
    **dict.fromkeys(
        ("AVITO_CLIENT_ID", "AVITO_CLIENT_SECRET"),
        ("", " canary", "canary canary", "canary\n", "канарейка"),
    ),
    "AVITO_ACCOUNTS": (ACCOUNTS % "", ACCOUNTS % "canary canary", ACCOUNTS % "канарейка"),
    "DEEPSEEK_API_KEY": ("canary canary", "canary\r\n", "канарейка"),
    "SMTP_HOST": (
        "a b",
        "host:587",
        "smtp://host",
        "a..b",
        "host\n",
        "[::1]",
        "host,other",
        "boss@host",
        "a" * 64,
    ),
    "MAIL_FROM": (
        "canary",
        "@host",
        "canary@",
        "a@b@c",
        "a(b)@c",
        "a b@c",
        "canary@host\n",
        "Отчёты <reports@host>",
        "a@\udcff",
        "a@b\x0b",
    ),
    "REPORT_RECIPIENTS": ("a@b,canary", "a@b;c@d", 'a"b@c'),
    "SMTP_USERNAME": ("canary\ncanary", "canary\0", "\udcff"),
    "SMTP_PASSWORD": ("canary\n", "\x7fcanary", "\udcff"),
}
VALID = {
    "AVITO_CLIENT_SECRET": ("a-Z_0.9~+/=",),
    "DEEPSEEK_API_KEY": ("sk-0123", "no/key:needed"),
    "SMTP_HOST": (
        "smtp.yandex.ru",
        "почта.рф",
        "xn--80a1acny.xn--p1ai",
        "mail_pit",
        "127.0.0.1",
        "::1",
        "fe80::1%eth0",
        "smtp.example.ru.",
    ),
    "MAIL_FROM": ("отчёты@почта.рф", "o'neil+mail@example.ru", "root@localhost"),
    "REPORT_RECIPIENTS": ("boss@example.ru, second@example.ru,", "boss@[127.0.0.1]"),
    "SMTP_USERNAME": ("отчёты@почта.рф", "DOMAIN\\reports"),
    "SMTP_PASSWORD": ("пароль", "abcd efgh ijkl mnop", " ", "p\u00a0w"),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_setting_is_rejected_at_the_start(name: str) -> None:
    usual = {
        setting.lower(): value
        for setting, value in COMPLETE.items()
        if setting not in ("AVITO_CLIENT_ID", "AVITO_CLIENT_SECRET")
    }
    account = (
        {}
        if name == "AVITO_ACCOUNTS"
        else {"avito_client_id": "client", "avito_client_secret": "secret"}
    )
    load_settings(_env_file=None, **usual, **account)
    for value in INVALID[name]:
        with pytest.raises(
            SettingsError, match=rf"^{name}: значение не подходит; нужно: [^\n]+$"
        ) as refusal:
            load_settings(_env_file=None, **{**usual, **account, name.lower(): value})
        assert "canary" not in refusal.value.message
        assert "канарейка" not in refusal.value.message


@pytest.mark.parametrize("name", VALID)
def test_valid_setting_is_accepted(name: str) -> None:
    for value in VALID[name]:
        load_settings(
            _env_file=None,
            **{
                setting.lower(): other_value
                for setting, other_value in {**COMPLETE, name: value}.items()
            },
        )


async def test_database_that_refuses_the_connection(tmp_path: Path, cluster_url: str) -> None:
    """For an unreachable database see ``tests/database/test_startup.py``."""
    address = make_url(cluster_url).set(password="canary").render_as_string(hide_password=False)
    await start_and_read_error(tmp_path, 3, "DATABASE_URL", DATABASE_URL=address)


@pytest.mark.parametrize("kept_elsewhere", [False, True])
def test_unwritable_folder_is_an_error_only_if_it_is_used(
    tmp_path: Path, kept_elsewhere: bool
) -> None:
    (tmp_path / "file").touch()
    elsewhere = (
        {"database_url": "postgresql://127.0.0.1/db", "smtp_host": "127.0.0.1"}
        if kept_elsewhere
        else {}
    )
    settings = load_settings(_env_file=None, data_dir=tmp_path / "file" / "var", **elsewhere)
    with nullcontext() if kept_elsewhere else pytest.raises(SettingsError, match="DATA_DIR"):
        check_data_dir(settings)


async def test_taken_port_is_reported_with_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, ExitStack() as stack:
        port = other.getsockname()[1]
        with suppress(OSError):  # the port is in use already
            stack.enter_context(socket.create_server(("127.0.0.1", port + 1)))
        error = await start_and_read_error(
            tmp_path, 2, "PORT", PORT=str(port), DATA_DIR=str(tmp_path / "var")
        )
        named = re.search(r"другой порт: PORT=(\d+) python -m app serve", error)
        assert named
        socket.create_server(("127.0.0.1", int(named[1]))).close()
    assert not (tmp_path / "var").exists()  # nothing was started before


async def test_a_settings_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("MAIL_FROM=отчёты@example.ru\n".encode("cp1251"))
    await start_and_read_error(tmp_path, 2, ".env")
