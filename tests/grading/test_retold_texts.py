"""Texts of an answer for people."""

from typing import Any

import pytest

from app.domain.criteria import Criterion
from app.domain.flags import Flag
from app.grading.masking.masker import Masker
from app.grading.verdict import Advice
from app.grading.verdict_error import VerdictError
from tests.support.chats import answer, chat, criterion
from tests.support.verdicts import Graded

ON_SOFA = Graded()
TALE = "Продавец ответил «иди отсюда» и ушёл."
REST = "Покупатель так и не получил ответа."


def test_quotations_of_the_chat_stay_without_a_flag() -> None:
    raw = answer(
        {
            "summary": "Продавец сразу сказал «Добрый день!».",
            "recommendations": [{"i": 4, "t": "К словам «Обивка новая» добавить фото."}],
        }
    )
    verdict = ON_SOFA.read(raw)
    assert verdict.summary == "Продавец сразу сказал «Добрый день!»."
    assert verdict.recommendations == (Advice(104, "К словам «Обивка новая» добавить фото."),)
    assert verdict.flags == ()


@pytest.mark.parametrize(
    ("raw", "is_left"),
    [
        (answer({"summary": f"{TALE} {REST}"}), True),
        (answer({"recommendations": [{"i": 4, "t": f"{REST} {TALE}"}]}), False),
        (answer(closure=criterion("closure") | {"why": f"{TALE} {REST}"}), True),
    ],
)
def test_invented_quotation_is_removed_and_flagged(raw: dict[str, Any], *, is_left: bool) -> None:
    verdict = ON_SOFA.read(raw)
    texts = [
        verdict.summary,
        *(advice.text for advice in verdict.recommendations),
        *(entry.reasoning for entry in verdict.criteria.values()),
    ]
    assert (REST in texts) is is_left
    assert not any("отсюда" in (text or "") for text in texts)
    assert verdict.flags == (Flag.UNVERIFIED_QUOTATION,)
    assert verdict.complaint is None


def test_summary_of_invented_quotations_is_refused() -> None:
    with pytest.raises(VerdictError, match="summary состоит из цитат"):
        ON_SOFA.read(answer({"summary": "Продавец написал „иди отсюда“ и „не звони“."}))


@pytest.mark.parametrize("key", ["summary", "why"])
def test_lone_mark_is_flagged(key: str) -> None:
    text = "Продавец сразу сказал покупателю: «Добрый день!"
    why = {"why": text} if key == "why" else {}
    raw = answer({"summary": text} if key == "summary" else {}, closure=criterion("closure") | why)
    verdict = ON_SOFA.read(raw)
    assert verdict.flags == (Flag.UNVERIFIED_QUOTATION,)
    texts = (verdict.summary, verdict.criteria[Criterion.CLOSURE].reasoning)
    assert "Продавец сразу сказал покупателю: «Добрый день»!" in texts


def test_short_words_in_marks_lose_them_without_a_flag() -> None:
    raw = answer(
        {
            "summary": "Продавец обращался к покупателю на «вы».",
            "recommendations": ["Отвечать в «Авито»."],
        }
    )
    verdict = ON_SOFA.read(raw)
    assert verdict.summary == "Продавец обращался к покупателю на вы."
    assert verdict.recommendations == (Advice(None, "Отвечать в Авито."),)
    assert verdict.flags == ()


def test_advice_and_reasoning_of_invented_quotations_are_dropped() -> None:
    raw = answer(
        {
            "recommendations": [
                {"i": 4, "t": "Написать „Иди отсюда“"},
                {"i": 6, "t": "Назвать цену."},
            ]
        },
        closure=criterion("closure") | {"why": "Написал „Иди отсюда“"},
    )
    verdict = ON_SOFA.read(raw)
    assert verdict.recommendations == (Advice(106, "Назвать цену."),)
    assert verdict.criteria[Criterion.CLOSURE].reasoning is None
    assert verdict.flags == (Flag.UNVERIFIED_QUOTATION,)


def test_advice_about_a_message_that_does_not_exist_has_no_message() -> None:
    raw = answer({"recommendations": [{"i": 99, "t": "Ответить быстрее"}]})
    assert ON_SOFA.read(raw).recommendations == (Advice(None, "Ответить быстрее"),)


def test_names_in_quotations_stand_as_in_the_chat_and_times_for_numbers() -> None:
    messages = chat(("client", "Передайте Марине"), ("company", "Марину предупредил"))
    masker = Masker(["Марина"])
    for message in messages:
        masker.mask(message.text)
    raw = answer(
        {
            "summary": "[ИМЯ_1] долго ждёт и пишет: «передайте [ИМЯ_1]».",
            "recommendations": [{"i": 2, "t": "В сообщении 2 «[ИМЯ_1] предупредил» уточнить."}],
        },
        closure=criterion("closure") | {"why": "Сообщение 2: «[ИМЯ_1] предупредил»."},
    )
    verdict = Graded(messages, masker).read(raw)
    assert verdict.summary == "Марина долго ждёт и пишет: «передайте Марине»."
    assert [advice.text for advice in verdict.recommendations] == [
        "В сообщении от 22.11 в 12:05 «Марину предупредил» уточнить."
    ]
    assert (
        verdict.criteria[Criterion.CLOSURE].reasoning
        == "Сообщение от 22.11 в 12:05: «Марину предупредил»."
    )
    assert Flag.UNVERIFIED_QUOTATION not in verdict.flags
