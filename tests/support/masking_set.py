"""The labelled texts of masking and how well they are met: the same figures for the tests and for
the benchmark.

In a hidden text each personal datum stands in braces. A datum is found where a token covers every
letter and digit of it; a text is masked falsely where a token covers a letter or digit of anything
else.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from app.grading.masking.masker import Masker, Masking

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("masking_cases.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Labelled:
    """One text, its personal data as (start, end), and the people known from its chat."""

    category: str
    text: str
    personal: tuple[tuple[int, int], ...]
    names: tuple[str, ...]

    def covered(self, level: Masking = Masking.ON) -> list[bool]:
        """Of each character: whether it stands under a token."""
        pieces = Masker(self.names, [self.text], level=level).pieces(self.text)
        return [piece.is_token for piece in pieces for _ in piece.original]

    def missed(self) -> list[str]:
        """The data of which a letter or digit can be read."""
        covered = self.covered()
        return [
            self.text[slice(*span)]
            for span in self.personal
            if not all(covered[place] for place in self._readable(*span))
        ]

    def is_overmasked(self) -> bool:
        """True where something else is masked."""
        covered = self.covered()
        own = {place for span in self.personal for place in range(*span)}
        return any(
            covered[place] and place not in own for place in self._readable(0, len(self.text))
        )

    def _readable(self, start: int, end: int) -> Iterator[int]:
        return (place for place in range(start, end) if self.text[place].isalnum())


def _labelled(case: dict[str, Any]) -> Labelled:
    parts = re.split("[{}]", case["text"])
    places = [0, *accumulate(map(len, parts))]
    spans = tuple(list(pairwise(places))[1::2])
    return Labelled(case["category"], "".join(parts), spans, tuple(case.get("names", ())))


HIDDEN = [_labelled(case) for case in CASES["hidden"]]
KEPT = [_labelled(case) for case in CASES["kept"]]


@dataclass(frozen=True)
class MaskingFigures:
    """Data and texts by category, and which of them went wrong."""

    data: Counter[str]
    missed: list[tuple[str, str]]
    texts: Counter[str]
    overmasked: list[tuple[str, str]]

    @property
    def recall(self) -> float:
        """The share of personal data that is masked."""
        return 1 - len(self.missed) / self.data.total()

    @property
    def false_masks(self) -> float:
        """The share of look-alikes in which anything is masked."""
        return len(self.overmasked) / self.texts.total()


def masking_figures() -> MaskingFigures:
    """Every labelled text masked once."""
    return MaskingFigures(
        data=Counter(case.category for case in HIDDEN for _ in case.personal),
        missed=[(case.category, datum) for case in HIDDEN for datum in case.missed()],
        texts=Counter(case.category for case in KEPT),
        overmasked=[(case.category, case.text) for case in KEPT if case.is_overmasked()],
    )
