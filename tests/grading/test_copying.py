"""Texts that a weak model copied from the prompt."""

from typing import Any

import pytest

from app.domain.criteria import Criterion
from app.grading.copying import is_copied
from app.grading.prompt import system_message
from app.grading.verdict_error import VerdictError
from tests.support.chats import OBJECTED, SOFA, answer, chat, criterion
from tests.support.verdicts import RUBRIC, Graded

PROMPT = system_message(RUBRIC)
EIGHT = "один два три четыре пять шесть семь восемь"
RULE = "Длина ничего не стоит: короткий точный ответ лучше длинного."
SHORT_RULE = "вежливо назван предел"
ON_SOFA = Graded()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EIGHT, True),
        (f"Сначала {EIGHT}, потом ещё", True),
        (EIGHT.upper().replace(" ", ", "), True),
        (EIGHT.replace(" восемь", ""), True),
        (EIGHT.replace("восемь", "девять"), False),
        (f"{EIGHT.replace(' восемь', '')} и так далее", False),
        ("два три четыре", True),
        ("два три", False),
        ("один три четыре", False),
        ("дин два три", False),
        ("...", False),
        ("", False),
    ],
)
def test_run_of_eight_words_or_the_whole_text_is_copied(text: str, *, expected: bool) -> None:
    assert is_copied(text, f"Ноль {EIGHT} девять.") is expected


def test_short_text_may_be_usual_words() -> None:
    assert not is_copied("два три четыре пять", EIGHT, shortest=5)
    assert is_copied("два три четыре пять шесть", EIGHT, shortest=5)


def test_letter_yo_makes_no_difference() -> None:
    assert is_copied("ещё всё моё", "еще все мое")
    assert is_copied("еще все мое", "ещё всё моё")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (answer({"summary": RULE}), "summary повторяет инструкцию"),
        (answer({"summary": f"Продавец ответил. {RULE}"}), "summary повторяет инструкцию"),
        (answer(clarity=criterion("clarity", ev=[(2, RULE)])), "Цитаты взяты из инструкции"),
        (
            answer(
                {"objections": [{"i": 3, "q": "нарушенное обещание сюда не относятся", "a": "y"}]},
                objection_handling=criterion("objection_handling"),
            ),
            "Цитаты взяты из инструкции",
        ),
        (
            answer({"critical": [{"fault": "insult", "i": 2, "q": SHORT_RULE}]}),
            "Цитаты взяты из инструкции",
        ),
    ],
)
def test_answer_with_words_of_the_prompt_is_refused(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(VerdictError, match=words):
        ON_SOFA.read(raw)


def test_copied_recommendation_is_dropped() -> None:
    texts = [RULE, "Покупатель ушёл после полного ответа", "Ясно, что дальше"]
    raw = answer({"recommendations": [{"i": 2, "t": text} for text in texts]})
    verdict = ON_SOFA.read(raw)
    assert [advice.text for advice in verdict.recommendations] == ["Ясно, что дальше"]
    assert verdict.flags == ()


@pytest.mark.parametrize(
    "why",
    [
        RULE,
        "Проверка courteous выполнена.",
        "Всё хорошо: objection_handling без замечаний.",
        "Покупатель ушёл после полного ответа",
    ],
)
def test_copied_reasoning_is_dropped(why: str) -> None:
    verdict = ON_SOFA.read(answer(closure=criterion("closure") | {"why": why}))
    assert verdict.criteria[Criterion.CLOSURE].reasoning is None


def test_words_of_the_prompt_that_the_chat_has_may_be_quoted() -> None:
    lines = [(message.side, message.text) for message in SOFA]
    messages = chat(*lines[:3], ("company", f"Скидок нет: {SHORT_RULE}"), *lines[4:])
    part = criterion("objection_handling", ev=[(4, SHORT_RULE)])
    raw = answer(OBJECTED, objection_handling=part)
    assert Graded(messages).read(raw).objections != ()
    with pytest.raises(VerdictError, match="Цитаты взяты из инструкции"):
        ON_SOFA.read(raw)


@pytest.mark.parametrize(
    "summary",
    [
        "Покупатель спросил, в наличии ли диван, продавец ответил и назначил встречу.",
        "Покупатель хотел купить диван и возразил против цены. Продавец вежливо ответил, уступил"
        " 500 рублей и подтвердил время. Договорились о встрече в семь.",
        "Покупатель спросил о цене и доставке. Продавец назвал цену, на вопрос о доставке не"
        " ответил. Разговор остался без ответа продавца.",
        "Продавец грубо ответил покупателю и отправил его читать объявление.",
        "Продавец торопит с переводом и отказывается от сделки через Авито.",
        "Ответ дан вовремя и по делу.",
    ],
)
def test_natural_summary_is_not_copied(summary: str) -> None:
    assert ON_SOFA.read(answer({"summary": summary})).summary == summary


def test_shape_of_the_prompt_is_no_answer() -> None:
    with pytest.raises(VerdictError, match="не по образцу"):
        ON_SOFA.read(PROMPT[PROMPT.rindex('{"objections"') :])
