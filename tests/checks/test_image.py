"""The image can migrate a database.

The files that the Dockerfile copies and the packages of its lock file are sufficient.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.checkout import CHECKOUT

# Runs the command line where nothing can be imported from a package that the image's lock does not
# have.
_AS_IN_THE_IMAGE = r"""
import re, runpy, sys
from importlib.metadata import packages_distributions
lock = open(sys.argv.pop(1)).read()
held = {"avito-quality", *re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE)}
for module, packages in packages_distributions().items():
    if not any(re.sub(r"[-_.]+", "-", package).lower() in held for package in packages):
        sys.modules[module] = None
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""


def test_files_and_packages_are_sufficient(tmp_path: Path, postgres_url: str) -> None:
    _copy_as_the_dockerfile_does(tmp_path)
    done = _run_as_in_the_image(tmp_path, "migrate", DATABASE_URL=postgres_url)
    assert done.returncode == 0, done.stderr


def test_backup_without_client_programs_is_refused_in_one_line(
    tmp_path: Path, migrated_url: str
) -> None:
    """The image has no pg_dump; the database's container has one."""
    _copy_as_the_dockerfile_does(tmp_path)
    (tmp_path / "bin").mkdir()
    settings = {"DATABASE_URL": migrated_url, "PATH": str(tmp_path / "bin")}
    done = _run_as_in_the_image(tmp_path, "backup", "quality.dump", **settings)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "Нет программ pg_dump и pg_restore" in done.stderr
    assert list(tmp_path.glob("quality*")) == []


def _run_as_in_the_image(
    folder: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    lock = str(CHECKOUT / "requirements-image.lock")
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _AS_IN_THE_IMAGE, lock, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_base_images_are_pinned_by_digest() -> None:
    """A tag can change; a digest always identifies the same bytes."""
    dockerfile = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    declared = dict(re.findall(r"^ARG (\w+)=(\S+)", dockerfile, re.MULTILINE))
    bases = [
        declared.get(base.strip("${}"), base)
        for base in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    ]
    compose = (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8")
    pulled = [
        image
        for image in re.findall(r"^ +image: (\S+)", compose, re.MULTILINE)
        if image != "avito-quality"
    ]  # built here
    assert len(bases) == 2
    assert len(pulled) == 1
    assert [
        image
        for image in bases + pulled
        if not re.fullmatch(r"[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}", image)
    ] == []


def _copy_as_the_dockerfile_does(target: Path) -> None:
    sources = re.findall(
        r"^COPY (\S+) /srv/", (CHECKOUT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sources
    for source in sources:
        if (CHECKOUT / source).is_dir():
            shutil.copytree(
                CHECKOUT / source, target / source, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(CHECKOUT / source, target / source)
