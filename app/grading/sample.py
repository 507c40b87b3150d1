"""Which chats people are to grade by hand: drawn so that no grade and no account is drowned by the
frequent ones.
"""

import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

Stratum = tuple[int, Hashable]
"""The place of a trait among a candidate's traits, and the trait."""


def balanced_sample(
    candidates: Mapping[int, Sequence[Hashable]], size: int, seed: int
) -> list[int]:
    """At most ``size`` of the numbers, in an order that tells nothing; the same candidates and seed
    give the same.

    Each number comes with its traits: a grade of each criterion, then the account. Every draw is
    from the stratum that lags most behind an equal share for each trait in its place; of those that
    lag alike, the earlier place, then the rarer trait. So every trait that occurs is drawn as soon
    as ``size`` is at least the number of strata, and one that a report in a hundred has is taken up
    to its share.

    What is measured on such a sample is true of the sample: among all chats the traits have other
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
