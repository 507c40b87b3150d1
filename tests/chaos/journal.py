"""The event log of a run: what was done to the worlds and what came of it, one line each, on disk
as it happens.
"""

import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TextIO


class Journal:
    """Lines of ``seconds world true-time kind words``; and how often each kind occurred."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)
        self._started = time.monotonic()

    def write(self, world: str, at: datetime, kind: str, words: object = "") -> None:
        """Add a line."""
        self.counts[kind] += 1
        self._file.write(
            f"{time.monotonic() - self._started:8.2f} {world:<14} {at:%Y-%m-%d %H:%M:%S} {kind}"
            f" {words}\n"
        )

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()
