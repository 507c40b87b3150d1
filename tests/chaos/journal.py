"""Event log of a run: faults and their results, one line each, written at once."""

import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TextIO


class Journal:
    """Writes lines of ``seconds world true-time kind details`` and counts each kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)
        self._started = time.monotonic()

    def write(self, world: str, at: datetime, kind: str, details: object = "") -> None:
        """Add a line."""
        self.counts[kind] += 1
        self._file.write(
            f"{time.monotonic() - self._started:8.2f} {world:<14} {at:%Y-%m-%d %H:%M:%S} {kind}"
            f" {details}\n"
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
