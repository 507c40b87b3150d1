"""The tests as a map: their folders mirror ``app``, and test modules are independent."""

import ast
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT

TESTS = CHECKOUT / "tests"
WITHOUT_COUNTERPART = {"benchmarks", "chaos", "checks", "crash", "fuzz", "real", "support"}
"""Folders that test the product as a whole, and the shared helpers."""


def list_imported_modules(source: str, package: str) -> set[str]:
    """Return every module and name that a source imports, with its full dotted name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = parents[: len(parents) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def list_test_modules(source: str, package: str) -> list[str]:
    """Return the imported modules that contain tests or fixtures of one folder."""
    return sorted(
        name
        for name in list_imported_modules(source, package)
        if name.startswith("tests.") and is_private(TESTS.parent.joinpath(*name.split(".")))
    )


def is_private(path: Path) -> bool:
    """Whether a path without its suffix is a test module or a ``conftest``."""
    return path.name.startswith(("test_", "conftest")) and path.with_suffix(".py").exists()


def list_unmatched_folders(tests: Path, app: Path) -> list[str]:
    """Return the folders with Python files that ``app`` does not have."""
    folders = {path.parent.relative_to(tests) for path in tests.rglob("*.py")}
    return sorted(
        str(folder)
        for folder in folders
        if folder.parts
        and folder.parts[0] not in WITHOUT_COUNTERPART
        and not (app / folder / "__init__.py").exists()
    )


def test_no_module_imports_a_test_module() -> None:
    faults = {}
    for path in TESTS.rglob("*.py"):
        package = ".".join(path.parent.relative_to(CHECKOUT).parts)
        if names := list_test_modules(path.read_text(encoding="utf-8"), package):
            faults[str(path.relative_to(CHECKOUT))] = names
    assert faults == {}


@pytest.mark.parametrize(
    "source",
    [
        "from tests.checks.test_tests import TESTS",
        "from tests.checks import test_tests",
        "from .test_tests import TESTS",
        "from . import test_tests",
        "from ..checks.test_tests import TESTS",
        "import tests.checks.test_tests",
        "def later():\n    from tests.checks.test_tests import TESTS",
    ],
)
def test_every_form_of_import_is_found(source: str) -> None:
    assert list_test_modules(source, "tests.checks") == ["tests.checks.test_tests"]


def test_every_folder_has_a_counterpart_in_app() -> None:
    assert list_unmatched_folders(TESTS, CHECKOUT / "app") == []


def test_a_folder_without_a_counterpart_is_found(tmp_path: Path) -> None:
    for name in ("tests/services/mail", "tests/services/post", "tests/crash", "app/services/mail"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
    assert list_unmatched_folders(tmp_path / "tests", tmp_path / "app") == ["services/post"]
