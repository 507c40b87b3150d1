"""Change every constant of app/domain by one unit and report the test that fails.

Run as ``python -m tests.checks.mutate_domain [FILE …]``, for example with
``app/domain/score.py``; without files every file is changed. The exit status is 1 if a changed
constant passes all tests. A number changes by 1, a duration by 1 second, each in both directions.
The changes are made in a temporary copy of the tree. The tests of the changed module run first; the
tests of the SQL need a database and run only if those pass.
"""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support.checkout import CHECKOUT

DOMAIN = Path("app/domain")
TESTS = ("tests/domain", "tests/repositories")
_COPIED = ("app", "migrations", "tests", "alembic.ini", "pyproject.toml")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class Mutant(NamedTuple):
    """A changed constant: its file, its name, and the source of the file with the change."""

    path: Path
    name: str
    change: str
    source: str


def list_mutants(path: Path) -> Iterator[Mutant]:
    """All changes of the numbers and durations that one file assigns at module level."""
    source = (CHECKOUT / path).read_text(encoding="utf-8")
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        if not _contains_number(statement.value):  # derived from other constants
            continue
        name = statement.targets[0].id
        value = ast.get_source_segment(source, statement.value)
        assert value is not None
        for change, changed in _list_changes(getattr(module, name), value):
            mutated = source.replace(f"{name} = {value}", f"{name} = {changed}", 1)
            assert mutated != source, f"{path}: the assignment of {name} was not found"
            yield Mutant(path, name, change, mutated)


def _list_changes(value: object, source: str) -> Iterator[tuple[str, str]]:
    """Descriptions and expressions of the changed values of a constant."""
    for sign in "+-":
        if isinstance(value, timedelta):
            yield f"{sign} 1 second", f"({source}) {sign} timedelta(seconds=1)"
        elif _is_number(value):
            yield f"{sign} 1", f"({source}) {sign} 1"
        elif isinstance(value, dict) and all(map(_is_number, value.values())):
            for place, key in enumerate(value):
                changed = f"v {sign} (k == list({source})[{place}])"
                yield f"[{key!s}] {sign} 1", f"{{k: {changed} for k, v in ({source}).items()}}"


def _contains_number(expression: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Constant) and _is_number(node.value) for node in ast.walk(expression)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def find_failed_test(tree: Path, tests: Iterable[str]) -> str | None:
    """Run the tests in a copy of the tree; return the first one that fails."""
    for folder in tests:
        done = subprocess.run(  # noqa: S603 - our own interpreter and folders
            [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", folder],
            cwd=tree,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            failed = _FAILED.search(done.stdout)
            if failed is None:
                raise RuntimeError(f"pytest did not run:\n{done.stdout}{done.stderr}")
            return failed[1]
    return None


def copy_tree(target: Path) -> None:
    """Copy the sources without bytecode: a changed file may keep its size and time."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copy(source, target / name)


def main() -> int:
    """Print each change with the test that fails; return the exit status."""
    survivors = 0
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_tree(tree)
        if (failed := find_failed_test(tree, TESTS)) is not None:
            print(f"{failed} fails without a change.", file=sys.stderr)
            return 1
        for path in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(DOMAIN.glob("*.py")):
            own = f"tests/domain/test_{path.stem}.py"
            tests = [own, *TESTS] if (tree / own).exists() else [*reversed(TESTS)]
            for mutant in list_mutants(path):
                (tree / path).write_text(mutant.source, encoding="utf-8")
                failed = find_failed_test(tree, tests)
                survivors += failed is None
                name = f"{path.stem}.{mutant.name}"
                print(f"{name} {mutant.change}: {failed or 'NO TEST FAILS'}", flush=True)
            shutil.copy(CHECKOUT / path, tree / path)
    print(f"Changes that no test noticed: {survivors}.")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
