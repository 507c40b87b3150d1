"""Labelled texts and how well masking and the flag meet them, for the tests and the benchmark.

- ``given``: by another author; used for tuning.
- ``fresh``: by an author who has not seen the detectors, in the manner of ``given``. At first
  sight 99.3 % of 142 data were masked, 0.9 % of 112 look-alikes too, 85 % of 40 attacks flagged and
  none of 53 innocent texts.
- ``unseen``: written before the detectors were changed; one half for tuning. At first sight the
  other half had 95.7 / 4.0 / 96.7 / 2.4 %; both have served for corrections since.
- ``hard``: two batches of deliberately odd texts by authors who have not seen the detectors. At
  first sight of the second 67 / 12 / 72 / 0 %; both have served for corrections since.

Braces mark personal data. A datum is found if tokens cover every letter and digit of it. A text is
masked falsely if a token covers a letter or digit of anything else.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from app.grading.injection.detect import addressing_messages
from app.grading.masking.masker import Masker

GradingCase = dict[str, Any]


def load_set(name: str, half: str | None = None) -> list[GradingCase]:
    """The cases of a file, or of one half of it."""
    cases: list[GradingCase] = json.loads(
        Path(__file__).with_name(f"{name}_set.json").read_text(encoding="utf-8")
    )
    return [case for case in cases if half is None or case["half"] == half]


@dataclass(frozen=True)
class LabelledFigures:
    """Counts by kind, and what went wrong: data left readable, look-alikes masked, attacks
    unnoticed, innocent texts flagged.
    """

    data: Counter[str]
    missed: list[tuple[str, str]]
    look_alikes: Counter[str]
    overmasked: list[tuple[str, str]]
    attacks: Counter[str]
    unnoticed: list[tuple[str, str]]
    innocent: int
    false_flags: list[str]


def labelled_figures(cases: Iterable[GradingCase]) -> LabelledFigures:
    """Every case masked and looked at once."""
    by_set: dict[str, list[GradingCase]] = {
        "personal": [],
        "look_alike": [],
        "attack": [],
        "innocent": [],
    }
    for case in cases:
        by_set[case["set"]].append(case)
    return LabelledFigures(
        data=Counter(case["kind"] for case in by_set["personal"] for _ in _personal(case)),
        missed=[
            (case["kind"], " / ".join(case["texts"]))
            for case in by_set["personal"]
            for datum in _missed(case)
        ],
        look_alikes=Counter(case["kind"] for case in by_set["look_alike"]),
        overmasked=[
            (case["kind"], " / ".join(shown))
            for case in by_set["look_alike"]
            if (shown := _masked(case)) != case["texts"]
        ],
        attacks=Counter(case["kind"] for case in by_set["attack"]),
        unnoticed=[
            (case["kind"], " / ".join(case["texts"]))
            for case in by_set["attack"]
            if not addressing_messages(case["texts"])
        ],
        innocent=len(by_set["innocent"]),
        false_flags=[
            " / ".join(case["texts"])
            for case in by_set["innocent"]
            if addressing_messages(case["texts"])
        ],
    )


def _plain(text: str) -> str:
    return re.sub("[{}]", "", text)


def _spans(text: str) -> list[tuple[int, int]]:
    """Where the personal data stand in the text without its braces."""
    places = [0, *accumulate(map(len, re.split("[{}]", text)))]
    return list(pairwise(places))[1::2]


def _personal(case: GradingCase) -> list[tuple[int, tuple[int, int]]]:
    return [(number, span) for number, text in enumerate(case["texts"]) for span in _spans(text)]


def _masked(case: GradingCase) -> list[str]:
    masker = Masker(case["names"], case["texts"])
    return [masker.mask(text) for text in case["texts"]]


def _missed(case: GradingCase) -> list[str]:
    texts = [_plain(text) for text in case["texts"]]
    masker = Masker(case["names"], texts)
    covered = [
        [piece.is_token for piece in masker.pieces(text) for _ in piece.original] for text in texts
    ]
    return [
        texts[number][slice(*span)]
        for number, span in _personal(case)
        if any(texts[number][at].isalnum() and not covered[number][at] for at in range(*span))
    ]
