"""A model that answers all chats alike is noticed in the run's message and in the mail."""

from typing import Any

import pytest

from app.domain.steadiness import ENOUGH_ANSWERS
from app.sandbox import deepseek_faults as faults
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

WARNING = "одинаково"


def _answer_alike(answer: dict[str, Any]) -> None:
    answer["objections"] = []
    for name, entry in answer["criteria"].items():
        silent = name == "objection_handling"
        entry["checks"] = dict.fromkeys(entry["checks"], "na" if silent else "y")
        entry["grade"] = "none" if silent else "high"
    answer["criteria"]["clarity"]["checks"]["specifics"] = "n"


async def grade(stage: Stage, chats: int) -> str:
    for number in range(chats):
        stage.add_talk(*(GOOD_TALK if number % 2 else BAD_TALK))
    await stage.sync()
    return str((await stage.analyze())["message"])


@pytest.mark.parametrize(("chats", "warned"), [(ENOUGH_ANSWERS - 1, False), (ENOUGH_ANSWERS, True)])
async def test_equal_answers_are_reported(stage: Stage, chats: int, warned: bool) -> None:
    stage.sandbox.deepseek.switches.fail(faults.edit_grading(_answer_alike), times=None)
    assert (WARNING in await grade(stage, chats)) is warned
    await stage.mail()
    assert (WARNING in stage.last_mail()) is warned


async def test_different_answers_are_not_reported(stage: Stage) -> None:
    assert WARNING not in await grade(stage, ENOUGH_ANSWERS)
    await stage.mail()
    assert WARNING not in stage.last_mail()


async def test_warning_agrees_with_the_number_of_reports(stage: Stage) -> None:
    stage.sandbox.deepseek.switches.fail(faults.edit_grading(_answer_alike), times=None)
    await grade(stage, 21)
    await stage.mail()
    assert "одинаково в 21 отчёте из 21: похоже, она" in stage.last_mail().replace("\u00a0", " ")
