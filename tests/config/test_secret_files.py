"""Secrets from files: ``NAME_FILE`` for each secret, from the environment or ``.env``."""

from pathlib import Path

import pytest

from app.config import Settings, load_settings
from app.config.secret_files import SECRETS
from app.errors import SettingsError
from tests.support.command_line import run_app
from tests.support.start_faults import COMPLETE, start_and_read_error

ACCOUNTS = '[{"client_id": "id", "client_secret": "canary-secret"}]'
VALUES = {
    "API_KEYS": "canary-key-of-sixteen,second-key-of-sixteen",
    "AVITO_CLIENT_SECRET": "canary-avito-secret",
    "AVITO_ACCOUNTS": ACCOUNTS,
    "AVITO_WEBHOOK_SECRET": "canary-webhook-secret",
    "DEEPSEEK_API_KEY": "canary-deepseek-key",
    "SMTP_PASSWORD": "canary password of mail",
    "DATABASE_URL": "postgresql://service:canary@db.example.ru/service",
    "DATABASE_DIRECT_URL": "postgresql://service:canary@db.example.ru:5432/service",
}
NEIGHBOURS = {
    "AVITO_CLIENT_SECRET": {"AVITO_CLIENT_ID": "client"},
    "AVITO_WEBHOOK_SECRET": {"PUBLIC_URL": "https://quality.example.ru"},
    "SMTP_PASSWORD": {"SMTP_USERNAME": "reports@example.ru"},
}
NAMES = [name for name in VALUES if name.lower() in Settings.model_fields]


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, *(f"{secret}_file" for secret in SECRETS)):
        monkeypatch.delenv(name.upper(), raising=False)


def test_every_secret_has_a_case() -> None:
    assert {name.lower() for name in VALUES} == set(SECRETS)


@pytest.mark.parametrize(
    ("begin", "ending"), [("", ""), ("", "\n"), ("", "\r\n\n"), ("\ufeff", "\r\n")]
)
@pytest.mark.parametrize("name", NAMES)
def test_value_from_file_equals_value_from_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, begin: str, ending: str
) -> None:
    """Windows' editor writes a byte order mark, and editors end a file with newlines."""
    for neighbour, value in NEIGHBOURS.get(name, {}).items():
        monkeypatch.setenv(neighbour, value)
    file = tmp_path / "secret"
    file.write_bytes((begin + VALUES[name] + ending).encode())
    monkeypatch.setenv(f"{name}_FILE", str(file))
    from_file = load_settings(_env_file=None)
    monkeypatch.delenv(f"{name}_FILE")
    monkeypatch.setenv(name, VALUES[name])
    assert from_file == load_settings(_env_file=None)
    assert getattr(from_file, name.lower()) != Settings.model_fields[name.lower()].default


def test_newline_within_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("canary-deepseek-key\nanother\n")
    monkeypatch.setenv("DEEPSEEK_API_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(SettingsError, match=r"^DEEPSEEK_API_KEY: значение не подходит"):
        load_settings(_env_file=None)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("in_file", ["NAME", "NAME_FILE", "both", "none"])
def test_both_set_is_an_error_that_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, in_file: str
) -> None:
    """Each of the two may be in the environment or in ``.env``."""
    secret = tmp_path / "secret"
    secret.write_text(VALUES[name])
    pair = {"NAME": (name, VALUES[name]), "NAME_FILE": (f"{name}_FILE", str(secret))}
    lines = []
    for kind, (variable, value) in pair.items():
        if in_file in (kind, "both"):
            lines.append(f"{variable}='{value}'\n")
        else:
            monkeypatch.setenv(variable, value)
    (tmp_path / ".env").write_text("".join(lines))
    with pytest.raises(SettingsError, match=rf"^{name}: .*\b{name}_FILE\b") as error:
        load_settings(_env_file=tmp_path / ".env")
    assert "canary" not in error.value.message


def test_empty_variables_count_as_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copied ``.env.example`` has every setting with an empty value."""
    (tmp_path / "key").write_text(VALUES["API_KEYS"])
    (tmp_path / ".env").write_text(f"API_KEYS=\nAPI_KEYS_FILE={tmp_path / 'key'}\n")
    monkeypatch.setenv("API_KEYS", "")
    monkeypatch.setenv("SMTP_PASSWORD_FILE", "")
    settings = load_settings(_env_file=tmp_path / ".env")
    assert [key.get_secret_value() for key in settings.api_keys] == VALUES["API_KEYS"].split(",")


def test_arguments_have_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo passes every setting; the machine's files do not concern it."""
    monkeypatch.setenv("API_KEYS_FILE", "/nowhere")
    assert load_settings(_env_file=None, api_keys=()).api_keys == ()


@pytest.mark.parametrize("fault", ["missing", "folder", "empty", "newline", "encoding"])
async def test_unusable_file_refuses_the_start(tmp_path: Path, fault: str) -> None:
    file = tmp_path / "secret"
    match fault:
        case "folder":
            file.mkdir()
        case "empty":
            file.touch()
        case "newline":
            file.write_text("\n")
        case "encoding":
            file.write_bytes("канарейка".encode("cp1251"))
    error = await start_and_read_error(
        tmp_path, 2, "DEEPSEEK_API_KEY_FILE", DEEPSEEK_API_KEY="", DEEPSEEK_API_KEY_FILE=str(file)
    )
    assert str(file) in error


async def test_doctor_reports_the_file(tmp_path: Path) -> None:
    settings = {**COMPLETE, "API_KEYS_FILE": "/nowhere/keys"}
    ended = await run_app(tmp_path, "doctor", **settings)
    assert ended.code == 1
    [fault] = [line for line in ended.lines if line.startswith("✗")]
    assert fault == "✗ API_KEYS: задано вместе с API_KEYS_FILE; оставьте что-то одно."
    assert ended.err == ""
