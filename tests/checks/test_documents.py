"""The documents: names of the code exist, links and paths exist, and README is short."""

import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest

from app.models import Base
from tests.support.checkout import CHECKOUT

DOCUMENTS = sorted(
    [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md"), *CHECKOUT.glob("docs/decisions/*.md")]
)
IDS = [str(path.relative_to(CHECKOUT)) for path in DOCUMENTS]
_CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_WORDS_OF_README = 600


def read_prose(path: Path) -> str:
    """Return the document without its code blocks."""
    return _CODE_BLOCK.sub("", path.read_text(encoding="utf-8"))


def exists_in_code(dotted: str) -> bool:
    """Whether a dotted name is a module, or an attribute or field in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            if not (hasattr(found, name) or name in getattr(found, "__annotations__", {})):
                return False
            found = getattr(found, name, None)
        return True
    return False


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_names_of_the_code_exist(path: Path) -> None:
    """Modules, classes and functions, `app.models.Run.slot`; and columns, `runs.slot`."""
    text = read_prose(path)
    dotted = re.findall(r"`(app(?:\.\w+)+)`", text)
    assert [name for name in dotted if not exists_in_code(name)] == []
    columns = re.findall(r"`(\w+)\.(\w+)`", text)
    tables = Base.metadata.tables
    assert [
        f"{table}.{column}"
        for table, column in columns
        if table in tables and column not in tables[table].columns
    ] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_and_paths_exist(path: Path) -> None:
    text = read_prose(path)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [
        link for link in links if not (path.parent / link.partition("#")[0]).resolve().exists()
    ] == []
    files = re.findall(r"`((?:app|tests|docs|migrations)/[\w./-]+)`", text)
    assert [name for name in files if not (CHECKOUT / name).exists()] == []


def test_readme_is_short() -> None:
    assert len(read_prose(CHECKOUT / "README.md").split()) <= _WORDS_OF_README


def test_every_document_is_linked_from_readme() -> None:
    """Directly, or from a document that README links to."""
    found = {CHECKOUT / "README.md"}
    queue = list(found)
    while queue:
        path = queue.pop()
        for link in re.findall(r"\]\(([^)\s]+\.md)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            target = (path.parent / link).resolve()
            if target not in found and target.exists():
                found.add(target)
                queue.append(target)
    assert [name for name, path in zip(IDS, DOCUMENTS, strict=True) if path not in found] == []


def test_every_endpoint_is_in_the_api_document() -> None:
    document = json.loads((CHECKOUT / "tests" / "api" / "openapi.json").read_text(encoding="utf-8"))
    text = (CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8")
    operations = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert operations == set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`?\s]+)`", text))


def test_every_part_of_the_app_is_in_the_architecture() -> None:
    """The packages in the table, the layers in their order."""
    text = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    [diagram] = re.findall(r"^```\n(__main__.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert " ".join(diagram.split()).split(" → ") == contract["layers"]
    packages = [
        path.name for path in (CHECKOUT / "app").iterdir() if (path / "__init__.py").exists()
    ]
    assert [name for name in packages if f"`app/{name}`" not in text] == []


def test_every_command_is_in_the_operations_document() -> None:
    """The commands of `python -m app`, by their names in `app.__main__`."""
    from typer.main import get_command  # noqa: PLC0415 - slow to import, for this test only

    from app.__main__ import app  # noqa: PLC0415

    text = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
    commands = getattr(get_command(app), "commands", {})
    assert commands
    assert [name for name in commands if f"`{name}" not in text] == []
