"""`.env.example` has every setting with its default and a word on each: whoever copies it has
changed nothing yet.
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


def test_it_names_exactly_the_settings() -> None:
    """And what docker-compose.yml takes from it for Postgres."""
    wanted_by_compose = set(
        re.findall(r"\$\{(\w+)", (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    )
    assert (
        set(dotenv_values(EXAMPLE))
        == {name.upper() for name in Settings.model_fields} | wanted_by_compose
    )


def test_each_name_has_a_sentence_above_it_and_comes_once() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    names = [place for place, line in enumerate(lines) if line and not line.startswith("#")]
    assert len(names) == len(dotenv_values(EXAMPLE))
    for place in names:
        assert re.match(r"# .*[а-я]", lines[place - 1]), lines[place]


def test_copied_as_it_is_it_changes_nothing() -> None:
    assert load_settings(_env_file=EXAMPLE) == load_settings(_env_file=None)


def test_its_defaults_are_written_out() -> None:
    """A setting is left empty only where the code has no value for it either."""
    written = dotenv_values(EXAMPLE)
    for name, field in Settings.model_fields.items():
        assert bool(written[name.upper()]) == (field.default is not None and field.default != ()), (
            name
        )


def test_filled_in_it_is_enough_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FILLED_IN.items():
        monkeypatch.setenv(name, value)
    load_settings(_env_file=EXAMPLE).require("api", "avito", "deepseek", "mail")
