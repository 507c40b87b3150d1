"""`.env.example` has every setting with its default and a description.

An unchanged copy has no effect.
"""

import re

import pytest
from dotenv import dotenv_values

from app.config import Settings, load_settings
from tests.support.checkout import CHECKOUT

EXAMPLE = CHECKOUT / ".env.example"
FILLED_IN = {
    "API_KEYS": "first-key-of-sixteen,second-key-of-sixteen",
    "AVITO_CLIENT_ID": "id",
    "AVITO_CLIENT_SECRET": "secret",
    "DEEPSEEK_API_KEY": "key",
    "SMTP_HOST": "smtp.example.ru",
    "REPORT_RECIPIENTS": "boss@example.ru",
    "MAIL_FROM": "reports@example.ru",
}


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_names_are_those_of_the_settings() -> None:
    """It also has the variables that docker-compose.yml needs for Postgres."""
    wanted_by_compose = set(
        re.findall(r"\$\{(\w+)", (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    )
    assert (
        set(dotenv_values(EXAMPLE))
        == {name.upper() for name in Settings.model_fields} | wanted_by_compose
    )


def test_each_name_occurs_once_below_a_description() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    names = [place for place, line in enumerate(lines) if line and not line.startswith("#")]
    assert len(names) == len(dotenv_values(EXAMPLE))
    for place in names:
        assert re.match(r"# .*[а-я]", lines[place - 1]), lines[place]


def test_unchanged_copy_has_no_effect() -> None:
    assert load_settings(_env_file=EXAMPLE) == load_settings(_env_file=None)


def test_defaults_are_explicit() -> None:
    """A value is empty only if the setting has no default."""
    written = dotenv_values(EXAMPLE)
    for name, field in Settings.model_fields.items():
        assert bool(written[name.upper()]) == (field.default is not None and field.default != ()), (
            name
        )


def test_filled_in_copy_configures_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FILLED_IN.items():
        monkeypatch.setenv(name, value)
    load_settings(_env_file=EXAMPLE).require("api", "avito", "deepseek", "mail")
