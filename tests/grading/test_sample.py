"""The sample of chats for people.

It contains every grade and account that occurs and gives rare ones their share. It depends only on
the seed.
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


def make_stream(chats: int) -> dict[int, tuple[str, str, int]]:
    """Return the traits of chats: one in fifty is bad, one account is large and one is tiny."""
    rng = random.Random(3)  # noqa: S311 - examples
    return {
        number: (
            "Н" if rng.random() < 0.02 else "В",
            rng.choice("ВВВС"),
            1 if rng.random() < 0.97 else 2,
        )
        for number in range(1, chats + 1)
    }


def test_rare_traits_have_their_share() -> None:
    chats = make_stream(2000)
    drawn = balanced_sample(chats, 100, seed=1)
    counts = Counter(stratum for number in drawn for stratum in enumerate(chats[number]))
    bad = sum(traits[0] == "Н" for traits in chats.values())
    assert bad < 60
    assert counts[0, "Н"] >= min(bad, 30)
    assert counts[1, "С"] >= 40
    assert counts[2, 2] >= 25
    plain = Counter(chats[number][0] for number in random.Random(1).sample(sorted(chats), 100))  # noqa: S311 - examples
    assert plain["Н"] < 10, "an unbalanced sample has too few of them"


@given(candidates, st.integers(1, 100), st.integers(0, 99))
def test_sample_has_each_chat_once_and_the_requested_size(
    chats: dict[int, tuple[str, str, str, int]], size: int, seed: int
) -> None:
    drawn = balanced_sample(chats, size, seed)
    assert len(drawn) == len(set(drawn)) == min(size, len(chats))
    assert set(drawn) <= set(chats)
    assert drawn == balanced_sample(dict(reversed(chats.items())), size, seed), (
        "the order of the chats does not matter"
    )


@given(candidates, st.integers(0, 99))
def test_sample_of_sufficient_size_has_every_trait(
    chats: dict[int, tuple[str, str, str, int]], seed: int
) -> None:
    strata = {stratum for traits in chats.values() for stratum in enumerate(traits)}
    drawn = balanced_sample(chats, len(strata), seed)
    assert {stratum for number in drawn for stratum in enumerate(chats[number])} == strata


def test_seed_changes_the_sample_and_its_order_is_random() -> None:
    chats = make_stream(2000)
    first, second = balanced_sample(chats, 100, seed=1), balanced_sample(chats, 100, seed=2)
    assert len(set(first) & set(second)) < 90
    assert first != sorted(first)
    halves = [sum(chats[number][0] == "Н" for number in half) for half in (first[:50], first[50:])]
    assert min(halves) > 5, "bad chats are neither first nor last"
