"""Generate the table of settings in docs/configuration.md from ``Settings``.

Run as a module it updates the document.
"""

import ast
import inspect
from datetime import time
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.config import Settings
from tests.support.checkout import CHECKOUT

KEPT = CHECKOUT / "docs" / "configuration.md"
BEGIN, END = "<!-- settings: made by `make snapshot` -->\n", "<!-- end of the settings -->\n"
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most"}


def configuration_text() -> str:
    """Return the document with the current table."""
    before, begin, rest = KEPT.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{KEPT.name} has no place for the table"
    return before + begin + settings_table() + end + after


def settings_table() -> str:
    """One row for each setting, in the order of the model."""
    meanings = read_meanings()
    rows = ["| setting | default | values | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name.upper()}` | {_default(field.default)} | {_values(field)} | {meanings[name]} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(rows) + "\n"


def read_meanings() -> dict[str, str]:
    """Return the docstring of each setting, in one line; skip settings without one."""
    groups = [group for group in Settings.__bases__ if group is not BaseSettings]
    return {name: text for group in groups for name, text in _read_docstrings(group).items()}


def _read_docstrings(model: type) -> dict[str, str]:
    """Return the string below each field of a class in one line; skip fields without one."""
    [body] = [
        node.body
        for node in ast.parse(inspect.getsource(model)).body
        if isinstance(node, ast.ClassDef)
    ]
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _default(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    return f"`{str(value).rstrip('/')}`"


def _values(field: FieldInfo) -> str:
    words = [f"`{word}`" for word in _words(field.annotation)]
    limits = {
        name: getattr(limit, name)
        for limit in field.metadata
        for name in _BOUNDS
        if hasattr(limit, name)
    }
    if limits.keys() >= {"ge", "le"}:
        words.append(f"{limits.pop('ge')} to {limits.pop('le')}")
    return ", ".join([*words, *(f"{_BOUNDS[name]} {value}" for name, value in limits.items())])


def _words(annotation: Any) -> list[str]:
    """Return the values of a ``Literal`` at any depth of the type."""
    if annotation is bool:
        return ["true", "false"]
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for part in get_args(annotation) for word in _words(part)]


if __name__ == "__main__":
    KEPT.write_text(configuration_text(), encoding="utf-8")
