"""Settings source for secrets in files: ``API_KEYS_FILE=/run/secrets/api_keys``.

The name of the file comes from the environment or ``.env``, like the setting itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from app.errors import SettingsError

SECRETS = (
    "api_keys",
    "avito_client_secret",
    "avito_accounts",
    "avito_webhook_secret",
    "deepseek_api_key",
    "smtp_password",
    "database_url",
    "database_direct_url",
)
"""The settings that may be in a file. Names without a field are ignored."""

_SUFFIX = "_file"


class SecretFiles(PydanticBaseSettingsSource):
    """Reads each secret whose ``NAME_FILE`` is set in one of the ``named_in`` sources.

    Final newlines and a byte order mark are not part of a secret: editors add them. The sources are
    in the order of their precedence.
    """

    def __init__(self, settings_cls: type[BaseSettings], *named_in: EnvSettingsSource) -> None:
        super().__init__(settings_cls)
        self._named_in = named_in

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the content of the setting's file, or None if no file is named.

        Raises:
            SettingsError: the setting and its file are both set, or the file is unusable.
        """
        return self._read_secret(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets from files. Values of ``load_settings`` have precedence."""
        wanted = [name for name in SECRETS if name not in self.current_state]
        found = {name: self._read_secret(name) for name in wanted}
        return {name: value for name, value in found.items() if value is not None}

    def _read_secret(self, name: str) -> str | None:
        path = self._find_variable(name + _SUFFIX)
        if path is None:
            return None
        variable = f"{name}{_SUFFIX}".upper()
        if self._find_variable(name) is not None:
            raise SettingsError(
                f"{name.upper()}: задано вместе с {variable}; оставьте что-то одно."
            )
        return _read_file(variable, Path(path))

    def _find_variable(self, name: str) -> str | None:
        """Return the value of a variable; an empty one counts as not set."""
        variables: list[Mapping[str, str | None]] = [source.env_vars for source in self._named_in]
        return next((value for one in variables if (value := one.get(name))), None)


def _read_file(variable: str, path: Path) -> str:
    """Return the text of the file. Error messages contain its path, never its content."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{variable}: файл {path} не читается ({error.strerror}).") from None
    except ValueError:  # includes a zero byte in the path
        raise SettingsError(f"{variable}: файл {path} не в кодировке UTF-8.") from None
    secret = text.rstrip("\r\n")
    if not secret:
        raise SettingsError(f"{variable}: файл {path} пуст; впишите в него значение.")
    return secret
