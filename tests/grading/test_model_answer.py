"""Parsing of the model's answer: lenient about spelling, strict about content."""

import json
from typing import Any

import pytest

from app.domain.criteria import Check, Criterion
from app.domain.critical import CriticalFault
from app.domain.grades import Grade
from app.grading.model_answer import ModelAnswer, VerdictError, parse_answer
from app.grading.rubric import load_rubric
from tests.support.chats import CHECKS, OBJECTED, answer, criterion

RUBRIC = load_rubric(None)
GOOD = json.dumps(answer(), ensure_ascii=False)
DRAFT = json.dumps(answer(tonality=criterion("tonality", "n n n", "low")), ensure_ascii=False)
HANDLED = criterion("objection_handling", "y y", "high")


def parsed(raw: dict[str, Any] | str) -> ModelAnswer:
    """The parsed answer."""
    return parse_answer(raw if isinstance(raw, str) else json.dumps(raw), RUBRIC)


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
        f"<think>Продавец вежлив.</think>{GOOD}",
        f"<think>Набросок: {DRAFT}</think>\n{GOOD}",
        f"Набросок: {DRAFT}\n</think>\n\n{GOOD}",
        f"<think>{'{ ' * 200}</think>\n```json\n{GOOD}\n```",
        f'{{"note": 1}} {GOOD}',
    ],
)
def test_wrapping_does_not_matter(text: str) -> None:
    assert parsed(text) == parsed(GOOD)
    assert parsed(text).criteria[Criterion.TONALITY].grade is Grade.HIGH
    assert parsed(text).criteria[Criterion.OBJECTION_HANDLING].grade is Grade.NONE
    assert parsed(text).criteria[Criterion.TONALITY].evidence[0].words == "Добрый день!"
    assert [advice.number for advice in parsed(text).recommendations] == [4]


def test_end_of_thinking_may_be_words_of_the_chat() -> None:
    """A person may write it, and the model quotes it."""
    raw = with_tonality(ev=[{"i": 2, "q": "Цена </think> 500"}])
    assert parsed(raw).criteria[Criterion.TONALITY].evidence[0].words == "Цена </think> 500"
    assert parsed(f"\ufeff\n{json.dumps(raw)}") == parsed(raw)
    assert parsed(f"```json\n{json.dumps(raw)}\n```") == parsed(raw)
    assert parsed(f"<think>{DRAFT}</think>{json.dumps(raw)}") == parsed(raw)


def test_criteria_may_stand_at_the_top_level() -> None:
    raw = answer()
    flat = {key: value for key, value in raw.items() if key != "criteria"} | raw["criteria"]
    assert parsed(flat) == parsed(GOOD)


@pytest.mark.parametrize(
    ("word", "check"),
    [
        ("y", Check.YES),
        ("Y", Check.YES),
        ("yes", Check.YES),
        ("Yes.", Check.YES),
        ("да", Check.YES),
        ("«Да»", Check.YES),
        ("true", Check.YES),
        (True, Check.YES),
        ("n", Check.NO),
        ("NO", Check.NO),
        ("Нет.", Check.NO),
        ("false", Check.NO),
        (False, Check.NO),
        ("na", Check.NOT_APPLICABLE),
        ("n/a", Check.NOT_APPLICABLE),
        ("N/A", Check.NOT_APPLICABLE),
        ("не применимо", Check.NOT_APPLICABLE),
        ("Неприменимо", Check.NOT_APPLICABLE),
        (" <na> ", Check.NOT_APPLICABLE),
    ],
)
def test_check_has_several_spellings(word: object, check: Check) -> None:
    checks = {"courteous": word, "no_rudeness": "n", "attentive": "y"}
    entry = parsed(with_tonality(checks=checks)).criteria[Criterion.TONALITY]
    assert entry.checks["courteous"] is check
    claim = OBJECTED["objections"][0] | {"a": word}
    raw = answer({"objections": [claim]}, objection_handling=HANDLED)
    assert parsed(raw).objections[0].answered is check


def test_checks_may_be_a_list() -> None:
    entry = parsed(with_tonality(checks=["y", False, "NA"])).criteria[Criterion.TONALITY]
    assert entry.checks == dict(zip(CHECKS["tonality"], map(Check, ("y", "n", "na")), strict=True))


def test_checks_that_are_not_asked_are_dropped() -> None:
    checks = dict.fromkeys((*CHECKS["professionalism"], "timely", "kind"), "y")
    raw = answer(professionalism=criterion("professionalism") | {"checks": checks})
    entry = parsed(raw).criteria[Criterion.PROFESSIONALISM]
    assert tuple(entry.checks) == CHECKS["professionalism"]


@pytest.mark.parametrize(
    "raw",
    [
        answer({"score": 85}),
        answer({"Игнорируй всё": {"a": [1]}}),
        answer(empathy=criterion("tonality")),
        with_tonality(comment="x"),
        with_tonality(ev=[{"i": 2, "q": "Добрый день!", "why": "x"}]),
        answer({"recommendations": [{"i": 4, "t": "Назвать цену с учётом уступки.", "id": 1}]}),
    ],
)
def test_further_keys_are_dropped(raw: dict[str, Any]) -> None:
    assert parsed(raw) == parsed(GOOD)


def test_numbers_may_be_texts() -> None:
    raw = with_tonality(ev=[{"i": "2", "q": "Добрый день!"}])
    raw["recommendations"][0]["i"] = "4"
    assert parsed(raw) == parsed(GOOD)


def test_evidence_without_words_is_dropped() -> None:
    ev = [{"i": 2, "q": ""}, {"i": 2, "q": None}, {"i": 2}, {"i": 2, "q": "Добрый день!"}]
    assert parsed(with_tonality(ev=ev)) == parsed(GOOD)


@pytest.mark.parametrize("key", ["t", "text"])
def test_advice_has_two_spellings(key: str) -> None:
    raw = answer({"recommendations": [{"i": 2, key: "Сказать о доставке\nсразу."}]})
    assert parsed(raw).recommendations[0].text == "Сказать о доставке сразу."


@pytest.mark.parametrize(
    "summary",
    [
        "Покупатель спросил про iPhone 13 Pro Max.",
        "Продан MacBook Pro Retina A1502.",
        "Спросил, есть ли WD-40, USB-C, iPad Air и Samsung Galaxy S23 Ultra.",
        "Да, macOS Sonoma и AirPods.",
        "<Покупатель спросил о диване>",
    ],
)
def test_latin_names_may_stand_in_a_russian_text(summary: str) -> None:
    assert parsed(answer({"summary": summary})).summary == summary


def test_foreign_advice_is_dropped_and_the_rest_stays() -> None:
    advice = [
        {"i": 1, "t": "Be polite and answer faster."},
        {"i": 2, "text": "Назвать цену."},
        {"i": 3, "t": "Name the price."},
        {"i": 3, "t": "<текст>"},
        {"i": 3, "t": ""},
        {"i": 4, "t": "Предложить доставку."},
    ]
    found = parsed(answer({"recommendations": advice})).recommendations
    assert [entry.text for entry in found] == ["Назвать цену.", "Предложить доставку."]


@pytest.mark.parametrize(
    "why", ["The seller was polite.", "<предложение>", "", None, 5, ["Вежлив."], {"t": "Вежлив."}]
)
def test_reasoning_that_cannot_be_shown_is_dropped(why: object) -> None:
    assert parsed(with_tonality(why=why)).criteria[Criterion.TONALITY].reasoning is None


def test_reasoning_is_one_line_of_at_most_500_characters() -> None:
    entry = parsed(with_tonality(why=f"Продавец\n вежлив.\0{'а' * 600}")).criteria[
        Criterion.TONALITY
    ]
    assert entry.reasoning is not None
    assert entry.reasoning.startswith("Продавец вежлив.")
    assert len(entry.reasoning) == 500


def test_three_recommendations_are_kept() -> None:
    advice = [{"i": number, "t": f"Совет номер {number}"} for number in range(1, 6)]
    found = parsed(answer({"recommendations": advice})).recommendations
    assert [entry.number for entry in found] == [1, 2, 3]


@pytest.mark.parametrize(
    "objections",
    [[], None, "", {}, {"i": 3, "q": ""}, [{"i": 3, "q": ""}], [{"i": None, "q": None, "a": "na"}]],
)
def test_no_objection_has_several_spellings(objections: Any) -> None:
    assert parsed(answer({"objections": objections})).objections == ()


def test_one_objection_may_stand_outside_a_list() -> None:
    claim = OBJECTED["objections"][0]
    raw = answer({"objections": claim}, objection_handling=HANDLED)
    assert parsed(raw) == parsed(answer(OBJECTED, objection_handling=HANDLED))
    assert [entry.words for entry in parsed(raw).objections] == [claim["q"]]


def test_ten_objections_are_the_most() -> None:
    claims = OBJECTED["objections"] * 10
    raw = answer({"objections": claims}, objection_handling=HANDLED)
    assert len(parsed(raw).objections) == 10
    raw["objections"] = claims + claims[:1]
    assert "objections: слишком много элементов" in refused(raw)


@pytest.mark.parametrize(
    "critical",
    [
        [],
        None,
        "нет",
        {},
        ["нет"],
        [{"fault": "insult", "q": ""}],
        [{"fault": "none", "i": 1, "q": "Добрый день"}],
    ],
)
def test_no_critical_fault_has_several_spellings(critical: Any) -> None:
    assert parsed(answer({"critical": critical})).critical == ()


def test_critical_faults_may_be_left_out_or_stand_outside_a_list() -> None:
    raw = answer()
    del raw["critical"]
    assert parsed(raw).critical == ()
    raw["critical"] = {"fault": "insult", "i": 2, "q": "Добрый день"}
    assert [claim.fault for claim in parsed(raw).critical] == [CriticalFault.INSULT]


def test_russian_grades_and_missing_evidence_are_taken() -> None:
    part = {
        key: value for key, value in criterion("tonality", grade="Высокий").items() if key != "ev"
    }
    entry = parsed(answer(tonality=part)).criteria[Criterion.TONALITY]
    assert entry.grade is Grade.HIGH
    assert entry.evidence == ()


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
        f"<think>{GOOD}</think>",
        f"{GOOD}\n</think>\nНе могу оценить",
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
    silent = criterion(name, "na " * len(CHECKS[name]), "none", ())
    assert "не бывает оценки none" in refused(answer(**{name: silent}))


def test_objections_without_a_grade_are_refused() -> None:
    assert "так не бывает" in refused(answer(OBJECTED))


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in answer().items() if name != key}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            with_tonality(checks={"courteous": "y", "no_rudeness": "y"}),
            "должны быть проверки courteous, no_rudeness, attentive, каждая с ответом y, n или na",
        ),
        (with_tonality(checks=["y", "n"]), "criteria.tonality.checks: должен быть объект"),
        (
            with_tonality(checks=dict.fromkeys(CHECKS["tonality"], "maybe")),
            "tonality.checks.courteous: ответ на проверку должен быть одним из y, n, na",
        ),
        (with_tonality(checks=dict.fromkeys(CHECKS["tonality"], 1)), "одним из y, n, na"),
        (with_tonality(checks=dict.fromkeys(CHECKS["tonality"])), "одним из y, n, na"),
        (with_tonality(checks=dict.fromkeys(CHECKS["tonality"], "<y|n|na>")), "из y, n, na"),
        (
            with_tonality(grade="good"),
            "criteria.tonality.grade: оценка должна быть одной из high, medium, low, none",
        ),
        (
            with_tonality(grade=5),
            "grade: оценка должна быть строкой: high, medium, low или none",
        ),
        (with_tonality(grade=None), "criteria.tonality.grade: оценка должна быть строкой"),
        (with_tonality(ev=[{"q": "а"}]), "criteria.tonality.ev.0.i: поля нет"),
        (
            with_tonality(ev=[{"i": True, "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (
            with_tonality(ev=[{"i": "два", "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (with_tonality(ev="Добрый день"), "criteria.tonality.ev: должен быть список"),
        (
            answer({"objections": [{"i": 3, "q": "Дорого"}]}, objection_handling=HANDLED),
            "objections.0.a: поля нет",
        ),
        (
            answer({"objections": [{"q": "Дорого", "a": "y"}]}, objection_handling=HANDLED),
            "objections.0.i: поля нет",
        ),
        (answer({"objections": "дорого"}), "objections: должен быть список"),
        (answer({"critical": [{"fault": "insult", "q": "а"}]}), "critical.0.i: поля нет"),
        (answer({"criteria": []}), "criteria: должен быть объект"),
        (answer({"summary": None}), "summary: должна быть строка"),
        (answer({"summary": "да " * 1000}), "summary: слишком длинный текст"),
        (answer({"recommendations": "Ответить"}), "recommendations: должен быть список"),
        (answer({"recommendations": [{"t": "Ответить"}]}), "recommendations.0.i: поля нет"),
        (answer({"recommendations": [{"i": 1}]}), "recommendations.0.t: поля нет"),
        *((without(key), f"{key}: поля нет") for key in ("summary", "objections")),
        (without("recommendations"), "recommendations: поля нет"),
    ],
)
def test_wrong_answers_are_refused_in_words(raw: dict[str, Any], words: str) -> None:
    assert words in refused(raw)


@pytest.mark.parametrize(
    "summary",
    [
        "",
        " \n",
        "...",
        "The buyer asked, the seller answered.",
        "The Buyer Asked And The Seller Answered.",
        "[ТЕЛЕФОН_1] [ИМЯ_1] was given",
        "The buyer asked about the диван, the seller answered.",
        "Says «добрый день, приезжайте сегодня вечером» politely",
        "买家询问",
        "<текст>",
    ],
)
def test_summary_must_be_russian(summary: str) -> None:
    assert "summary: нужен непустой текст на русском" in refused(answer({"summary": summary}))


def test_refusal_repeats_nothing_the_model_wrote() -> None:
    evil = "IGNORE-the-rules"
    for raw in (
        with_tonality(grade=evil),
        answer({"summary": evil}),
        answer({"recommendations": evil}),
        answer({"objections": [{"a": evil, "q": evil, evil: evil}]}),
        with_tonality(checks={evil: "y"}),
        with_tonality(checks=dict.fromkeys(CHECKS["tonality"], evil)),
    ):
        assert evil not in refused(raw)


@pytest.mark.parametrize(
    "quoted", ["«aGVsbG8gd29ybGQgYW5kIGZyaWVuZHM»", '"Is it still here, sir?"']
)
def test_quoted_words_may_be_in_any_language(quoted: str) -> None:
    summary = f"На {quoted} нет ответа."
    assert parsed(answer({"summary": summary})).summary == summary
