"""Simulated weeks of a model with known errors, and the coverage of the corrected share."""

import random
from collections import Counter
from dataclasses import dataclass

from app.grading.corrected_share import LabelCounts, correct_share


@dataclass(frozen=True)
class SimulatedGrader:
    """The true share of bad chats, and the shares of bad and good chats that the model notices."""

    bad_share: float
    sensitivity: float
    specificity: float

    def draw(self, chats: int, rng: random.Random) -> LabelCounts:
        """Return the chats of a week, or its labels, by who grades them as bad."""
        bad, good = self.bad_share, 1 - self.bad_share
        shares = (
            bad * self.sensitivity,
            good * (1 - self.specificity),
            bad * (1 - self.sensitivity),
            good * self.specificity,
        )
        drawn = Counter(rng.choices(range(4), shares, k=chats))
        return LabelCounts(*(drawn[place] for place in range(4)))


GRADERS = {
    "accurate": SimulatedGrader(0.15, 0.95, 0.98),
    "misses half of the bad chats": SimulatedGrader(0.15, 0.5, 1.0),
    "too strict": SimulatedGrader(0.1, 0.9, 0.85),
    "few bad chats": SimulatedGrader(0.03, 0.8, 0.97),
    "many bad chats": SimulatedGrader(0.5, 0.8, 0.85),
}


def measure_weeks(
    grader: SimulatedGrader,
    *,
    weeks: int,
    labels: int,
    reports: int,
    resamples: int,
    seed: int = 1,
) -> float:
    """Return the share of weeks whose interval contains the true share of bad chats."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    covered = 0
    for week in range(weeks):
        graded, labelled = grader.draw(reports, rng), grader.draw(labels, rng)
        found = correct_share(
            graded.both + graded.model_only, reports, labelled, resamples=resamples, seed=week
        )
        covered += found.low <= grader.bad_share <= found.high
    return covered / weeks
