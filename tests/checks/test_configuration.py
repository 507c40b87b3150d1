"""docs/configuration.md describes every setting of the code, and nothing else."""

import re

from app.config import Settings
from tests.checks.configuration import KEPT, configuration_text, read_meanings


def test_table_is_current() -> None:
    """After a change of a setting, run `make snapshot`."""
    assert configuration_text() == KEPT.read_text(encoding="utf-8")


def test_every_setting_has_an_english_meaning() -> None:
    meanings = read_meanings()
    assert [name for name in Settings.model_fields if not meanings.get(name)] == []
    assert [name for name, text in meanings.items() if not text.endswith(".") or "|" in text] == []


def test_document_names_no_unknown_setting() -> None:
    """No old name of a renamed setting is left. docker compose reads POSTGRES_PASSWORD."""
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", KEPT.read_text(encoding="utf-8")))
    known = {name.upper() for name in Settings.model_fields}
    assert named - known <= {"POSTGRES_PASSWORD", "NAME_FILE"}
