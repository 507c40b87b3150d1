"""Loading of the settings, and the error line of an invalid one. It never contains a value."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.config.settings import SETTINGS_FILE, Settings
from app.errors import SettingsError


def load_settings(**overrides: Any) -> Settings:
    """Load the settings; ``overrides`` take precedence over the environment (demo and tests).

    Raises:
        SettingsError: one line that names the first invalid setting.
    """
    _check_settings_file(overrides.get("_env_file", SETTINGS_FILE))
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_describe_faults(error)[0]) from None


def _check_settings_file(file: str | None) -> None:
    """Refuse a folder, as Docker creates for a missing file that is mounted, and a broken link.

    pydantic-settings would ignore it.
    """
    if file is None:
        return
    path = Path(file)
    if path.is_dir():
        raise SettingsError(
            f"{file}: это папка, а нужен файл; уберите её и сделайте файл из .env.example."
        )
    if path.is_symlink() and not path.exists():
        raise SettingsError(f"{file}: это ссылка на файл, которого нет; исправьте или уберите её.")


def list_settings_faults(**overrides: Any) -> list[str]:
    """Return one line for each invalid setting; a missing setting is not invalid."""
    try:
        Settings(**overrides)
    except ValidationError as error:
        return _describe_faults(error)
    except SettingsError as error:  # a secret's file
        return [error.message]
    return []


def _describe_faults(error: ValidationError) -> list[str]:
    faults = error.errors(include_input=False, include_url=False)
    lines = [
        _describe_fault(str(fault["loc"][0]).lower())
        if fault["loc"]
        else str(fault["ctx"]["error"])
        for fault in faults
    ]
    return list(dict.fromkeys(lines))  # a list has a fault for each invalid element


def _describe_fault(name: str) -> str:
    return (
        f"{name.upper()}: значение не подходит; нужно: {Settings.model_fields[name].description}."
    )
