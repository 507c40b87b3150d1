"""What a benchmark gives back, and how memory is read."""

import gc
import resource
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
