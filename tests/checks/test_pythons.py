"""The Python versions: pyproject.toml, the Makefile and .ci/run accept the same ones.

.ci/run finds or installs one of them.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.checkout import CHECKOUT, PROJECT, run_make

ACCEPTED = {"3.10": False, "3.11": True, "3.12": True, "3.13": True, "3.14": True, "3.15": False}


def write_script(path: Path, *lines: str) -> None:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)


def write_python(path: Path, version: str) -> None:
    """Write a program that reports another Python version and executes `-c` only."""
    info = (*map(int, version.split(".")), 0, "final", 0)
    write_script(
        path,
        '[ "$1" = -c ] || exit 1',
        f'exec {sys.executable} -c "import sys; sys.version_info = {info}; $2"',
    )


class Machine:
    """A machine with few tools, a `make` that prints its arguments, and an `apt-get` that installs
    Python 3.13.
    """

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.installed = folder / "installed"
        self._folder = folder
        for part in (self.programs, folder / ".ci"):
            part.mkdir()
        shutil.copy(CHECKOUT / ".ci" / "run", folder / ".ci")
        for name in ("bash", "cp", "dirname", "git", "grep", "mktemp", "rm", "tail", "tee"):
            (self.programs / name).symlink_to(shutil.which(name) or name)
        write_script(self.programs / "make", 'echo "make $*"', "echo '1 passed in 1s'")
        self.become(0)
        write_python(folder / "python", "3.13")
        write_script(
            self.programs / "apt-get",
            f'echo "$*" >> {self.installed}',
            f'case "$*" in *python3) cp {folder}/python {self.programs}/python3;; esac',
        )

    def become(self, user: int) -> None:
        write_script(self.programs / "id", f"echo {user}")

    def run(self, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.programs / "bash"), ".ci/run"]
        settings = {"PATH": str(self.programs), **environment}
        return subprocess.run(  # noqa: S603 - our own program
            command, cwd=self._folder, env=settings, capture_output=True, text=True, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_package_accepts_the_versions() -> None:
    supported = SpecifierSet(PROJECT["requires-python"])
    assert {version: supported.contains(f"{version}.1") for version in ACCEPTED} == ACCEPTED


@pytest.mark.parametrize("version", ACCEPTED)
def test_make_accepts_the_versions(tmp_path: Path, version: str) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    write_python(tmp_path / "python", version)
    done = run_make("test", "PYTHON=./python", folder=tmp_path)
    assert ("Python 3.11 to 3.14 is required" not in done.stderr) == ACCEPTED[version]


@pytest.mark.parametrize("version", ACCEPTED)
def test_ci_accepts_the_versions(machine: Machine, version: str) -> None:
    write_python(machine.programs / "python3", version)
    done = machine.run(PYTHON="python3")
    assert (done.returncode == 0) == ACCEPTED[version]
    assert ("make test PYTHON=python3\n" in done.stdout) == ACCEPTED[version]
    assert ("Python 3.11 to 3.14 is required, not PYTHON=python3." in done.stderr) != ACCEPTED[
        version
    ]


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ({"python3": "3.11", "python3.13": "3.13"}, "python3"),
        ({"python3": "3.10", "python3.12": "3.12"}, "python3.12"),
        ({"python3": "3.15", "python3.14": "3.14"}, "python3.14"),
        ({"python3.13": "3.13"}, "python3.13"),
    ],
    ids=["the default", "the default is too old", "the default is too new", "no default"],
)
def test_ci_uses_an_installed_python(machine: Machine, found: dict[str, str], chosen: str) -> None:
    for name, version in found.items():
        write_python(machine.programs / name, version)
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("make")] == [
        f"make {step} PYTHON={chosen}" for step in ("test", "check")
    ]
    assert done.stdout.splitlines()[-1] == "1 passed in 1s"
    assert not machine.installed.exists()


def test_ci_installs_python_if_missing(machine: Machine) -> None:
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert "make test PYTHON=python3\n" in done.stdout
    assert machine.installed.read_text().endswith("--no-install-recommends python3\n")


def test_ci_installs_missing_tools(machine: Machine) -> None:
    write_python(machine.programs / "python3", "3.13")
    (machine.programs / "git").unlink()
    assert machine.run().returncode == 0
    assert machine.installed.read_text().endswith("--no-install-recommends git\n")


def test_ci_installs_nothing_without_root(machine: Machine) -> None:
    machine.become(1000)
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr == "Python 3.11 to 3.14 is required.\n"
    assert not machine.installed.exists()


def test_ci_does_not_replace_the_requested_python(machine: Machine) -> None:
    write_python(machine.programs / "python3", "3.13")
    done = machine.run(PYTHON="python3.12")
    assert done.returncode == 1
    assert done.stderr == "Python 3.11 to 3.14 is required, not PYTHON=python3.12.\n"
    assert not machine.installed.exists()
