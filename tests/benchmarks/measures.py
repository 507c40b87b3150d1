"""What a benchmark gives back, and how memory is read."""

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measure:
    """One figure and what it is to be held against."""

    what: str
    figure: str
    against: str


def resident_mb() -> float:
    """This process's memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


@dataclass
class Peak:
    """How far this process's memory rose above what it was at the start, once the context has
    ended.
    """

    mb: float = 0.0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """The kernel's own mark of the highest memory, set back at the start: nothing between two looks
    is missed.
    """
    peak, before = Peak(), resident_mb()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    yield peak
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    highest = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    peak.mb = highest / 1024 - before
