"""The checkout that the tests run in: its folder, its project file, its Makefile."""

import os
import subprocess
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run_make(
    *words: str, folder: Path = CHECKOUT, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Out of reach of the `make` that may be running us; ``variables`` of the environment."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(  # noqa: S603 - our own program
        ["make", *words],  # noqa: S607 - from PATH
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
