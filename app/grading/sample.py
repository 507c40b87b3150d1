"""Select chats for grading by people so that rare grades and accounts are represented."""

import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

Stratum = tuple[int, Hashable]
"""The place of a trait among a candidate's traits, and the trait."""


def balanced_sample(
    candidates: Mapping[int, Sequence[Hashable]], size: int, seed: int
) -> list[int]:
    """Return at most ``size`` of the numbers in random order.

    The same candidates and seed give the same sample. Each number has traits: a grade of each
    criterion, then the account. Every draw is from the stratum that is furthest below an equal
    share of the traits in its place; ties are broken by the earlier place, then by the rarer trait.
    So every trait is drawn if ``size`` is at least the number of strata, and a trait of one report
    in a hundred is drawn up to its share.

    Figures of such a sample hold for the sample only: among all chats the traits have other
    frequencies.
    """
    rng = random.Random(seed)  # noqa: S311 - a draw that can be repeated, not a secret
    shuffled = sorted(candidates)
    rng.shuffle(shuffled)
    waiting: dict[Stratum, list[int]] = {}
    for number in shuffled:
        for stratum in enumerate(candidates[number]):
            waiting.setdefault(stratum, []).append(number)
    supply = {stratum: len(members) for stratum, members in waiting.items()}
    width = Counter(place for place, _ in waiting)
    taken: Counter[Stratum] = Counter()
    drawn: set[int] = set()
    while waiting and len(drawn) < size:
        stratum = min(waiting, key=lambda one: (taken[one] * width[one[0]], one[0], supply[one]))
        number = waiting[stratum].pop()
        if not waiting[stratum]:
            del waiting[stratum]
        if number not in drawn:
            drawn.add(number)
            taken.update(enumerate(candidates[number]))
    numbers = sorted(drawn)
    rng.shuffle(numbers)
    return numbers
