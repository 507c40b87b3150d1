"""Accusations in the model's texts that its own checks deny."""

import pytest

from app.domain.flags import Flag
from app.grading.accusations import accuses_of_rudeness
from tests.support.chats import answer
from tests.support.verdicts import Graded

ACCUSING = [
    "Продавец нагрубил покупателю и ушёл.",
    "Покупатель спросил о цене. Менеджер хамил и не ответил",
    "Продавец отвечал грубо.",
    "Продавец сначала ответил, потом оскорбил покупателя.",
]
OTHERS = [
    "Продавец не грубил и ответил на все вопросы.",
    "Продавец ответил вежливо, без грубости.",
    "Покупатель нагрубил, продавец ответил спокойно.",
    "Продавец ответил на вопрос, хотя покупатель хамил.",
    "Продавец привёл слова «вы грубо ошиблись».",
    "Продавец продаёт грубошёрстный ковёр, оскорблений нет.",
]


@pytest.mark.parametrize("summary", ACCUSING)
def test_summary_accuses_the_seller(summary: str) -> None:
    assert accuses_of_rudeness(summary, ())


@pytest.mark.parametrize("summary", OTHERS)
def test_summary_accuses_no_seller(summary: str) -> None:
    assert not accuses_of_rudeness(summary, ())


@pytest.mark.parametrize(
    ("advice", "expected"),
    [
        ("Не грубите покупателю, отвечайте по делу.", True),
        ("Извинитесь за грубость в сообщении.", True),
        ("Не отвечайте на грубость покупателя грубостью.", False),
        ("Назовите точное время.", False),
    ],
)
def test_advice_presumes_rudeness(advice: str, expected: bool) -> None:
    assert accuses_of_rudeness("Продавец ответил.", [advice]) is expected


def test_accusation_that_the_check_denies_is_flagged() -> None:
    text = "Покупатель спросил о диване. Продавец нагрубил покупателю и не ответил."
    assert Flag.TEXTS_DISAGREE in Graded().read(answer({"summary": text})).flags
    assert Flag.TEXTS_DISAGREE not in Graded().read(answer()).flags
