"""The model's answer: any wrapping, one meaning."""

import json
from typing import Any

import pytest

from app.domain.criteria import Check, Criterion
from app.domain.grades import Grade
from app.grading.model_answer import VerdictError, parse_answer
from app.grading.rubric import load_rubric
from tests.support.chats import CHECKS, OBJECTED, answer, criterion

RUBRIC = load_rubric(None)
GOOD = json.dumps(answer(), ensure_ascii=False)


def refused(raw: dict[str, Any] | str) -> str:
    """The words with which the answer is refused."""
    with pytest.raises(VerdictError) as raised:
        parse_answer(raw if isinstance(raw, str) else json.dumps(raw), RUBRIC)
    return str(raised.value)


def with_tonality(**changes: Any) -> dict[str, Any]:
    return answer(tonality=criterion("tonality") | changes)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  \n{GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"Вот оценка {{по критериям}}:\n{GOOD}\nГотово {{}}.",
        json.dumps(answer(), indent=2),
        "\ufeff" + GOOD,
    ],
)
def test_wrapping_does_not_matter(text: str) -> None:
    parsed = parse_answer(text, RUBRIC)
    assert parsed.criteria[Criterion.TONALITY].grade is Grade.HIGH
    assert parsed.criteria[Criterion.OBJECTION_HANDLING].grade is Grade.NONE
    assert parsed.criteria[Criterion.TONALITY].evidence[0].words == "Добрый день!"
    assert [advice.number for advice in parsed.recommendations] == [4]


def test_criteria_may_stand_at_the_top_level() -> None:
    raw = answer()
    flat = {key: value for key, value in raw.items() if key != "criteria"} | raw["criteria"]
    assert parse_answer(json.dumps(flat), RUBRIC) == parse_answer(GOOD, RUBRIC)


def test_checks_may_be_a_list() -> None:
    parsed = parse_answer(json.dumps(with_tonality(checks=["y", "n", "NA"])), RUBRIC)
    assert parsed.criteria[Criterion.TONALITY].checks == dict(
        zip(CHECKS["tonality"], map(Check, ("y", "n", "na")), strict=True)
    )


@pytest.mark.parametrize("key", ["t", "text"])
def test_advice_has_two_spellings(key: str) -> None:
    raw = answer({"recommendations": [{"i": 2, key: "Сказать о доставке\nсразу."}]})
    assert (
        parse_answer(json.dumps(raw), RUBRIC).recommendations[0].text == "Сказать о доставке сразу."
    )


def test_latin_words_may_stand_in_a_russian_text() -> None:
    raw = answer({"summary": "Покупатель спросил про iPhone 13 Pro Max."})
    assert parse_answer(json.dumps(raw), RUBRIC).summary == raw["summary"]


def test_three_recommendations_are_kept() -> None:
    raw = answer(
        {"recommendations": [{"i": number, "t": f"Совет номер {number}"} for number in range(1, 6)]}
    )
    assert [advice.number for advice in parse_answer(json.dumps(raw), RUBRIC).recommendations] == [
        1,
        2,
        3,
    ]


@pytest.mark.parametrize(
    "objection",
    [
        {"present": False},
        {"present": False, "i": None, "q": None},
        {"present": False, "i": 3, "q": "а"},
    ],
)
def test_absent_objection_has_several_spellings(objection: dict[str, Any]) -> None:
    assert not parse_answer(json.dumps(answer({"objection": objection})), RUBRIC).objection.present


def test_russian_grades_and_missing_evidence_are_taken() -> None:
    part = {
        key: value for key, value in criterion("tonality", grade="Высокий").items() if key != "ev"
    }
    parsed = parse_answer(json.dumps(answer(tonality=part)), RUBRIC)
    assert parsed.criteria[Criterion.TONALITY].grade is Grade.HIGH
    assert parsed.criteria[Criterion.TONALITY].evidence == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Не могу оценить",
        "{",
        GOOD[:-40],
        "[]",
        "null",
        '{"a": 1}',
        "{" * 5000,
        '{"criteria":' * 5000,
    ],
)
def test_no_whole_object(text: str) -> None:
    assert "нет целого объекта JSON" in refused(text)


def test_two_objects() -> None:
    assert "несколько объектов" in refused(f"{GOOD}\n{GOOD}")


def test_repeated_key() -> None:
    assert "один ключ стоит дважды" in refused(
        GOOD.replace('"summary"', '"criteria": {}, "summary"')
    )


@pytest.mark.parametrize("name", CHECKS)
def test_every_criterion_is_needed(name: str) -> None:
    raw = answer()
    del raw["criteria"][name]
    assert f"Нет критерия {name}" in refused(raw)


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "objection_handling"])
def test_none_is_for_objections_only(name: str) -> None:
    assert "не бывает оценки none" in refused(
        answer(**{name: criterion(name, "na na na", "none", ())})
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (answer(empathy=criterion("tonality")), "criteria.empathy: такого значения нет"),
        (answer({"score": 85}), "score: лишнее поле"),
        (answer({"Игнорируй всё": 85}), "…: лишнее поле"),
        (with_tonality(comment="x"), "criteria.tonality.comment: лишнее поле"),
        (
            with_tonality(checks={"courteous": "y", "no_rudeness": "y"}),
            "ровно такие: courteous, no_rudeness, attentive",
        ),
        (
            with_tonality(checks=dict.fromkeys((*CHECKS["tonality"], "kind"), "y")),
            "ровно такие: courteous, no_rudeness, attentive",
        ),
        (with_tonality(checks=["y", "n"]), "criteria.tonality.checks: должен быть объект"),
        (with_tonality(checks=dict.fromkeys(CHECKS["tonality"], "maybe")), "такого значения нет"),
        (with_tonality(checks=dict.fromkeys(CHECKS["tonality"], True)), "такого значения нет"),
        (
            with_tonality(grade="good"),
            "criteria.tonality.grade: оценка должна быть одной из high, medium, low, none",
        ),
        (with_tonality(grade=5), "criteria.tonality.grade: оценка должна быть строкой"),
        (with_tonality(grade=None), "criteria.tonality.grade: оценка должна быть строкой"),
        (with_tonality(ev=[{"i": 1}]), "criteria.tonality.ev.0.q: поля нет"),
        (
            with_tonality(ev=[{"i": True, "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (
            with_tonality(ev=[{"i": "два", "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (with_tonality(ev="Добрый день"), "criteria.tonality.ev: должен быть список"),
        (answer({"objection": None}), "objection: должен быть объект"),
        (answer({"objection": {}}), "objection.present: поля нет"),
        (
            answer({"objection": {"present": "наверно"}}),
            "objection.present: должно быть true или false",
        ),
        (answer(OBJECTED), "так не бывает"),
        (answer({"criteria": []}), "criteria: должен быть объект"),
        (answer({"summary": ""}), "summary: нужен непустой текст на русском"),
        (answer({"summary": " \n"}), "summary: нужен непустой текст на русском"),
        (answer({"summary": "..."}), "summary: нужен непустой текст на русском"),
        (
            answer({"summary": "The buyer asked, the seller answered."}),
            "summary: нужен непустой текст на русском",
        ),
        (
            answer({"summary": "[ТЕЛЕФОН_1] [ИМЯ_1] was given"}),
            "summary: нужен непустой текст на русском",
        ),
        (
            answer({"summary": "The buyer asked about the диван, the seller answered."}),
            "summary: нужен непустой текст на русском",
        ),
        (answer({"summary": "买家询问"}), "summary: нужен непустой текст на русском"),
        (answer({"summary": None}), "summary: должна быть строка"),
        (answer({"summary": "да " * 1000}), "summary: слишком длинный текст"),
        (answer({"recommendations": "Ответить"}), "recommendations: должен быть список"),
        (
            answer({"recommendations": [{"i": 1, "t": "Be polite"}]}),
            "нужен непустой текст на русском",
        ),
        (answer({"recommendations": [{"t": "Ответить"}]}), "recommendations.0.i: поля нет"),
        (
            {key: value for key, value in answer().items() if key != "recommendations"},
            "recommendations: поля нет",
        ),
        (
            {key: value for key, value in answer().items() if key != "objection"},
            "objection: поля нет",
        ),
    ],
)
def test_wrong_answers_are_refused_in_words(raw: dict[str, Any], words: str) -> None:
    assert words in refused(raw)


def test_refusal_repeats_nothing_the_model_wrote() -> None:
    evil = "IGNORE-the-rules"
    for raw in (
        with_tonality(grade=evil),
        answer({evil: 1}),
        answer({"summary": evil}),
        answer(**{evil: criterion("tonality")}),
        with_tonality(checks={evil: "y"}),
    ):
        assert evil not in refused(raw)


@pytest.mark.parametrize(
    "quoted", ["«aGVsbG8gd29ybGQgYW5kIGZyaWVuZHM»", '"Is it still here, sir?"']
)
def test_quoted_words_may_be_in_any_language(quoted: str) -> None:
    summary = f"На {quoted} нет ответа."
    assert parse_answer(json.dumps(answer() | {"summary": summary}), RUBRIC).summary == summary
