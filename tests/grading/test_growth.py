"""Patterns of masking, injection, quotes and contradictions repeat nothing without a limit.

Hostile text therefore costs linear time.
"""

import re
import re._parser as sre  # type: ignore[import-not-found]  # the standard library's own parser has no public name
from typing import Any

import pytest

from app.domain.messages import Side
from app.grading.evidence import QuoteVerifier
from app.grading.injection.detect import addressing_messages
from app.grading.masking.masker import Masker
from tests.benchmarks.growth import grading_patterns
from tests.support.chats import chat
from tests.support.pumps import KNOWN_PUMPS

PATTERNS = [
    (name, pattern)
    for name, pattern in grading_patterns()
    if name.startswith(("masking.", "injection.", "evidence.", "contradictions."))
]


def count_unlimited(tree: Any) -> int:
    """Return the number of parts of a pattern that may repeat without a limit."""
    found = 0
    for kind, value in tree:
        if kind in {sre.MAX_REPEAT, sre.MIN_REPEAT} and value[1] is sre.MAXREPEAT:
            found += 1
        found += sum(map(count_unlimited, list_subpatterns(value)))
    return found


def list_subpatterns(value: Any) -> list[Any]:
    if isinstance(value, sre.SubPattern):
        return [value]
    return (
        [part for entry in value for part in list_subpatterns(entry)]
        if isinstance(value, tuple | list)
        else []
    )


def test_patterns_are_collected() -> None:
    assert len(PATTERNS) > 200


@pytest.mark.parametrize(
    ("name", "pattern"), PATTERNS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_repetitions_are_limited(name: str, pattern: re.Pattern[str]) -> None:
    """A pattern that is one character class is allowed: it reads each character once."""
    tree = sre.parse(pattern.pattern)
    assert len(tree) == 1 or not count_unlimited(tree), name


@pytest.mark.parametrize(
    "pump",
    [
        *KNOWN_PUMPS,
        "а",
        "аб ",
    ],
)
def test_long_hostile_text_is_processed_in_time(pump: str) -> None:
    """A quadratic pattern would need minutes; the suite then stops and names the test."""
    text = "89 " + pump * (30_000 // len(pump))
    masker = Masker([text], [text])
    masker.mask(text)
    addressing_messages([text])
    window = chat(("company", text))
    for words in (pump * 60 + "щ" + pump * 20, "щ".join(pump * 40)):
        QuoteVerifier(window, masker).verify(1, words, {Side.COMPANY})


def test_chat_with_many_people_is_processed_in_time() -> None:
    texts = [
        " ".join(
            f"Бар{first}{second}{third}ов Иван Петрович,"
            for first in "абвгд"
            for second in "абв"
            for third in "кл"
        )
        for _ in range(150)
    ]
    masker = Masker(["Иван"], texts)
    assert all("[ИМЯ_" in masker.mask(text) for text in texts)
