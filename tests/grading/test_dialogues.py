"""Tricky dialogues get the grades of a fair expert if the checks are answered correctly.

What the seller did not do wrong costs nothing. One fault lowers one criterion by one level.
"""

import pytest

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.grading.rubric import load_rubric
from tests.support.dialogues import Dialogue, grade_dialogue, load_answers, load_dialogues

RUBRIC = load_rubric(None)
DIALOGUES = load_dialogues()
ANSWERS = load_answers()
LEVELS = (Grade.LOW, Grade.MEDIUM, Grade.HIGH)
DIFFERENT = ((range(1, 13), 0), (range(13, 49), 0), (range(101, 125), 2))
"""Numbers of dialogues, and how many of their grades differ from the expert's.

The first set is given with the specification. The rubric's texts were written with the second set
known. The third set is another expert's; two of its 137 grades differ: a silence counts once only
(119).
"""


def _list_different(dialogue: Dialogue) -> list[tuple[Criterion, Grade]]:
    grades = grade_dialogue(dialogue, ANSWERS[dialogue.number], RUBRIC).grades
    return [
        (criterion, grades[criterion])
        for criterion, fair in dialogue.fair.items()
        if fair and grades[criterion] not in fair
    ]


@pytest.mark.parametrize(("numbers", "expected"), DIFFERENT, ids=("given", "added", "second"))
def test_grades_are_those_of_the_expert(numbers: range, expected: int) -> None:
    found = {
        dialogue.number: different
        for dialogue in DIALOGUES
        if dialogue.number in numbers and (different := _list_different(dialogue))
    }
    assert sum(map(len, found.values())) == expected, found


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: str(dialogue.number))
def test_no_grade_differs_by_two_levels(dialogue: Dialogue) -> None:
    for criterion, grade in _list_different(dialogue):
        assert Grade.NONE not in dialogue.fair[criterion] | {grade}
        places = [LEVELS.index(fair) for fair in dialogue.fair[criterion]]
        assert min(abs(LEVELS.index(grade) - place) for place in places) < 2
