"""The draw of chats for people: every grade and account that there is, the rare ones up to their
share, the same with the same seed.
"""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.grading.sample import balanced_sample

candidates = st.dictionaries(
    st.integers(1, 10_000),
    st.tuples(*[st.sampled_from("ВСН")] * 3, st.integers(1, 4)),
    min_size=1,
    max_size=80,
)


def stream(chats: int) -> dict[int, tuple[str, str, int]]:
    """A stream in which one chat in fifty is bad, one account is large and one tiny."""
    rng = random.Random(3)  # noqa: S311 - examples
    return {
        number: (
            "Н" if rng.random() < 0.02 else "В",
            rng.choice("ВВВС"),
            1 if rng.random() < 0.97 else 2,
        )
        for number in range(1, chats + 1)
    }


def test_the_rare_is_not_drowned() -> None:
    chats = stream(2000)
    drawn = balanced_sample(chats, 100, seed=1)
    counts = Counter(stratum for number in drawn for stratum in enumerate(chats[number]))
    bad = sum(traits[0] == "Н" for traits in chats.values())
    assert bad < 60
    assert counts[0, "Н"] >= min(bad, 30)
    assert counts[1, "С"] >= 40
    assert counts[2, 2] >= 25
    plain = Counter(chats[number][0] for number in random.Random(1).sample(sorted(chats), 100))  # noqa: S311 - examples
    assert plain["Н"] < 10, "a plain draw would have drowned it"


@given(candidates, st.integers(1, 100), st.integers(0, 99))
def test_each_once_and_as_many_as_there_are(
    chats: dict[int, tuple[str, str, str, int]], size: int, seed: int
) -> None:
    drawn = balanced_sample(chats, size, seed)
    assert len(drawn) == len(set(drawn)) == min(size, len(chats))
    assert set(drawn) <= set(chats)
    assert drawn == balanced_sample(dict(reversed(chats.items())), size, seed), (
        "in whichever order they were read"
    )


@given(candidates, st.integers(0, 99))
def test_every_trait_that_occurs_is_drawn_where_there_is_room(
    chats: dict[int, tuple[str, str, str, int]], seed: int
) -> None:
    strata = {stratum for traits in chats.values() for stratum in enumerate(traits)}
    drawn = balanced_sample(chats, len(strata), seed)
    assert {stratum for number in drawn for stratum in enumerate(chats[number])} == strata


def test_another_seed_draws_others_and_the_order_tells_nothing() -> None:
    chats = stream(2000)
    first, second = balanced_sample(chats, 100, seed=1), balanced_sample(chats, 100, seed=2)
    assert len(set(first) & set(second)) < 90
    assert first != sorted(first)
    halves = [sum(chats[number][0] == "Н" for number in half) for half in (first[:50], first[50:])]
    assert min(halves) > 5, "the bad ones stand neither first nor last"
