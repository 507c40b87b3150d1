"""Disguised personal data, as people write it to pass Avito's own filter, and their look-alikes."""

import re

import pytest

from app.domain.visible_text import keep_visible
from app.grading.masking.masker import Masker

_DIGIT = re.compile(r"\d")
_TOKEN = re.compile(r"\[[А-ЯЁ]+_\d+\]")

PHONES = [
    "8|906|854|15|07",
    "8:969:504:37:43",
    "8+998+461+48+42",
    "8;922;506;65;40",
    "8а974а370а11а31",
    "8x960x457x64x41",
    '"8" "902" "533" "28" "72"',
    "⁸⁹⁴⁴²⁶⁵³¹⁷⁹",
    "₈₉₃₇₈₇₈₄₈₇₂",
    "➇➈➀➅🄋➂➇➃🄋➁➇",
    "➑➒➊➏➋➌➑➍➋➊➐",
    "8g35З257922",
    "8916О25447l",
    "９１６２５４４７１２",
    "91624 65213",
]
OTHERS = [
    ("Карта 2461/0033/0766/6190", "КАРТА"),
    ("Карта 2954|6111|3930|9559", "КАРТА"),
    ("вот 4276:9262:2439:3327", "КАРТА"),
    ("на карту 4679, 1601, 1084, 3640", "КАРТА"),
    ("ivan＠mail．ru", "ПОЧТА"),
    ("i v a n @ m a i l . r u", "ПОЧТА"),
    ("@ ivan_petrov77", "НИК"),
    ("собачка ivan_petrov77", "НИК"),
]
LOOK_ALIKES = [
    "Колодки на 2108/2109/2110/2112",
    "подходит на 2101, 2103, 2105, 2106, 2107",
    "2461, 3000, 4200, 5000 рублей за комплекты",
    "95000-74000 торг",
    "Цена 95000 74000 за два",
    "45 м², 10² + 5³, H₂SO₄",
    "Работаем с 9:00 до 18:00, 10:30:45",
    "3B0959801B от Пассата",
    "доска 50x150x6000, диски 5x114.3 ET45",
    "курс 1:10:100, 1|2|3 этаж",
    "собака породы_хаски",
    "220В 16А 50Гц",
]


def mask(text: str) -> str:
    shown = keep_visible(text)
    return Masker((), [shown]).mask(shown)


@pytest.mark.parametrize("phrase", ["{}", "звоните {} после шести", "мой телефон — {}."])
@pytest.mark.parametrize("phone", PHONES)
def test_disguised_phone_is_masked(phone: str, phrase: str) -> None:
    masked = mask(phrase.format(phone))
    assert "[ТЕЛЕФОН_1]" in masked
    assert not _DIGIT.search(_TOKEN.sub("", masked)), masked


@pytest.mark.parametrize(("text", "kind"), OTHERS)
def test_disguised_data_is_masked(text: str, kind: str) -> None:
    masked = mask(text)
    assert f"[{kind}_1]" in masked
    assert not _DIGIT.search(_TOKEN.sub("", masked)), masked


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alike_stays(text: str) -> None:
    assert mask(text) == text
