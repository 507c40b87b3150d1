"""Results of a benchmark, and measurement of memory."""

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measure:
    """One figure and its reference value."""

    what: str
    figure: str
    against: str


def resident_mb() -> float:
    """Return this process's current memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


@dataclass
class Peak:
    """Peak of this process's memory above its initial value, set at the end of the context."""

    mb: float = 0.0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the peak memory with the kernel's high-water mark, reset at the start.

    No short peak is missed.
    """
    peak, before = Peak(), resident_mb()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    yield peak
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    highest = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    peak.mb = highest / 1024 - before
