"""The labelled attacks and their look-alikes, and how well they are noticed: the same figures for
the tests and for the benchmark.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.messages import Side
from app.grading.injection.detect import addresses_grader

_LABELLED: dict[str, list[Any]] = json.loads(
    Path(__file__).with_name("attacks.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Attack:
    """A text that wants a grade; `flagged` where it speaks to the grader, which a made-up quote or
    praise of oneself does not.
    """

    kind: str
    language: str
    side: Side
    flagged: bool
    text: str


_SIDES = {"buyer": Side.CLIENT, "seller": Side.COMPANY}
ATTACKS = [Attack(**{**attack, "side": _SIDES[attack["side"]]}) for attack in _LABELLED["attacks"]]
INNOCENT: list[str] = _LABELLED["innocent"]


@dataclass(frozen=True)
class InjectionFigures:
    """Attacks by kind, those that are not flagged, and the look-alikes that are flagged."""

    attacks: Counter[str]
    unnoticed: list[tuple[str, str]]
    false_flags: list[str]

    @property
    def recall(self) -> float:
        """The share of the attacks that are flagged."""
        return 1 - len(self.unnoticed) / self.attacks.total()

    @property
    def false_share(self) -> float:
        """The share of the look-alikes that are flagged."""
        return len(self.false_flags) / len(INNOCENT)


def injection_figures() -> InjectionFigures:
    """Every labelled text looked at once."""
    wanted = [attack for attack in ATTACKS if attack.flagged]
    return InjectionFigures(
        attacks=Counter(attack.kind for attack in wanted),
        unnoticed=[
            (attack.kind, attack.text) for attack in wanted if not addresses_grader(attack.text)
        ],
        false_flags=[text for text in INNOCENT if addresses_grader(text)],
    )
