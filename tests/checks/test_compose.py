"""docker-compose.yml and the image with a copied ``.env.example``, read as compose reads them."""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from app.cli.listening import base_url
from app.config import Settings, load_settings
from app.config.secret_files import SECRETS
from tests.support.checkout import CHECKOUT

FILLED_IN = {
    "API_KEYS": "first-key-of-sixteen,second-key-of-sixteen",
    "AVITO_CLIENT_ID": "id",
    "AVITO_CLIENT_SECRET": "secret",
    "DEEPSEEK_API_KEY": "key",
    "POSTGRES_PASSWORD": "p@ss/word%",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^{}]*))?\}")


class MissingVariableError(Exception):
    """Compose refuses the file; the message is that of the file."""


def interpolate(value: str, variables: Mapping[str, str]) -> str:
    """Replace ``${NAME:-default}`` and ``${NAME:?message}``; an empty value counts as missing."""

    def replace(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if found := variables.get(name):
            return found
        if kind == "?":
            raise MissingVariableError(rest)
        return rest or ""

    return _VARIABLE.sub(replace, value)


def interpolate_all(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: interpolate_all(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolate_all(value, variables) for value in node]
    return interpolate(node, variables) if isinstance(node, str) else node


def read_example(**filled_in: str) -> dict[str, str]:
    """Return the variables of a copy of ``.env.example`` with these values filled in."""
    text = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    values = dotenv_values(stream=io.StringIO(text))
    return {**{name: value or "" for name, value in values.items()}, **filled_in}


def read_services(variables: Mapping[str, str]) -> dict[str, Any]:
    text = (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8")
    services: dict[str, Any] = interpolate_all(yaml.safe_load(text), variables)["services"]
    return services


def read_settings(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Settings:
    """Return the settings of the service in its container."""
    for name in (*Settings.model_fields, *(f"{secret}_file" for secret in SECRETS)):
        monkeypatch.delenv(name.upper(), raising=False)
    service = read_services(variables)["service"]
    assert service["env_file"] == ".env"
    for name, value in {**read_image(), **variables, **service["environment"]}.items():
        monkeypatch.setenv(name, value)
    return load_settings(_env_file=None)


def read_image() -> dict[str, str]:
    """Return the environment that the image sets."""
    dockerfile = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    [block] = re.findall(r"^ENV (PATH=(?:.*\\\n)*.*)", dockerfile, re.MULTILINE)
    pairs = dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())
    del pairs["PATH"]
    return pairs


def test_copied_example_configures_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(monkeypatch, read_example(**FILLED_IN))
    settings.require("api", "avito", "deepseek", "mail")
    assert settings.log_format == "json"
    assert str(settings.data_dir) == "/data"
    assert settings.database_url is not None
    assert (
        settings.database_url.get_secret_value()
        == "postgresql://avito_quality@postgres:5432/avito_quality"
    )


@pytest.mark.parametrize("port", ["8000", "8123", ""])
def test_start_line_names_the_published_address(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    variables = read_example(**FILLED_IN, PORT=port)
    settings = read_settings(monkeypatch, variables)
    [published] = read_services(variables)["service"]["ports"]
    address, outside, inside = published.rsplit(":", 2)
    assert inside == str(settings.port)
    assert f"http://{address}:{outside}" == base_url(settings)
    assert settings.host == "0.0.0.0"  # noqa: S104 - of the container


def test_password_is_required_with_its_name() -> None:
    with pytest.raises(MissingVariableError, match="POSTGRES_PASSWORD"):
        read_services(read_example())


@pytest.mark.parametrize("replicas", ["", "1", "0"])
def test_external_postgres_needs_variables_only(
    monkeypatch: pytest.MonkeyPatch, replicas: str
) -> None:
    url = "postgresql://service@db.example.ru:6432/service?sslmode=require"
    variables = read_example(**FILLED_IN, DATABASE_URL=url, POSTGRES_REPLICAS=replicas)
    services = read_services(variables)
    assert services["postgres"]["scale"] == (replicas or "1")
    assert services["service"]["environment"]["PGPASSWORD"] == FILLED_IN["POSTGRES_PASSWORD"]
    settings = read_settings(monkeypatch, variables)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == url


def test_own_files_have_the_same_path_outside_and_inside() -> None:
    """A relative path in ``.env`` begins at the working folder of the image."""
    dockerfile = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    [folder] = re.findall(r"^WORKDIR (\S+)", dockerfile, re.MULTILINE)
    mounts = read_services(FILLED_IN)["service"]["volumes"]
    assert f"./config:{folder}/config:ro" in mounts
    # The root file system is read-only, so that the mount point must exist.
    assert f"mkdir {folder}/config" in dockerfile
    ignored = (CHECKOUT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/config/" in ignored, "it contains secrets"


def test_secret_in_a_file_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "api_keys").write_text("key-from-a-file-of-config\n")
    monkeypatch.chdir(tmp_path)
    variables = read_example(**{**FILLED_IN, "API_KEYS": ""}, API_KEYS_FILE="config/api_keys")
    [key] = read_settings(monkeypatch, variables).api_keys
    assert key.get_secret_value() == "key-from-a-file-of-config"


def test_every_container_has_limits() -> None:
    for name, service in read_services(FILLED_IN).items():
        assert re.fullmatch(r"\dg", service["mem_limit"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["logging"]["options"]["max-size"], name


def test_health_is_checked_every_half_minute() -> None:
    dockerfile = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^HEALTHCHECK --interval=(\w+) ", dockerfile, re.MULTILINE) == ["30s"]
