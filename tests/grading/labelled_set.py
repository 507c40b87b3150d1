"""Labelled texts by authors other than the detectors', and how well they are met: the same figures
for the tests and for the benchmark.

`given_set.json` comes from another author; `unseen_set.json` was written before the detectors were
changed and is split into a half for tuning and one that was left untouched until they were done. At
first sight 95.7 % of its data were masked, 4.0 % of its look-alikes too,
96.7 % of its attacks flagged and 2.4 % of its innocent texts; since then it has served for
  corrections as well.

Braces mark personal data. A datum is found where tokens cover every letter and digit of it; a text
is masked falsely where a token covers a letter or digit of anything else.
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
