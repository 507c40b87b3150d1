"""Parsing of the model's answer: lenient about spelling, strict about content."""

import json
from typing import Any

import pytest

from app.domain.criteria import Check, Criterion
from app.domain.critical import CriticalFault
from app.domain.flags import Flag
from app.domain.grades import Grade
from app.grading.model_answer import ModelAnswer, parse_answer
from app.grading.rubric import load_rubric
from app.grading.verdict_error import VerdictError
from tests.support.chats import CHECKS, OBJECTED, answer, criterion
from tests.support.verdicts import Graded

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
        f"<thinking>Набросок: {DRAFT}</thinking>\n{GOOD}",
        f"{GOOD}\n\nИтог:\n{json.dumps(answer(), indent=1)}",
        f'{{"result": {GOOD}}}',
        f'{{"note": {{"a": 1}}, "result": {GOOD}}}',
        f"[{GOOD}]",
        GOOD.replace("диване, продавец", "диване,\nпродавец"),
        GOOD.replace("диване, продавец", "диване,\tпродавец"),
        GOOD[:-1] + ",}",
        GOOD[:-1] + ",\n }",
        GOOD.replace("]", ", ]").replace("[, ]", "[]"),
        GOOD.replace('"objections": [],', '"objections": [], // нет, "{"\n', 1),
        GOOD.replace('"objections": [],', '/* "a" * { */ "objections": [],', 1),
        repr(answer()),
        f"Вот {{'ответ}} {GOOD}",
        "{'a': 1} " * 3 + repr(answer() | {"note": "it's", "is_final": True, "more": None}),
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
        ("не применяется", Check.NOT_APPLICABLE),
        ("у", Check.YES),
        ("У.", Check.YES),
        ("Y - вежливо", Check.YES),
        ("y — вежливо", Check.YES),
        ("y (да)", Check.YES),
        ("y: нет грубости", Check.YES),
        ("yes, he greeted", Check.YES),
        ("n. Не поздоровался", Check.NO),
        ("na - вопросов не было", Check.NOT_APPLICABLE),
        ("**y**", Check.YES),
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


@pytest.mark.parametrize(
    "checks",
    [
        {name: {"answer": "y", "why": "вежлив"} for name in CHECKS["tonality"]},
        {name: {"a": "y"} for name in CHECKS["tonality"]},
        [{"id": name, "answer": "y"} for name in CHECKS["tonality"]],
        [{"check": name, "value": "да"} for name in reversed(CHECKS["tonality"])],
        [{"id": name, "answer": "y"} for name in (*CHECKS["tonality"], "courteous")],
        [{"answer": "y"}, "y", True],
    ],
)
def test_checks_may_be_objects(checks: Any) -> None:
    assert parsed(with_tonality(checks=checks)) == parsed(GOOD)


def test_check_with_two_answers_is_refused() -> None:
    checks = [{"id": name, "answer": "y"} for name in CHECKS["tonality"]]
    checks.append({"id": "courteous", "answer": "n"})
    assert "нужен один ответ y, n или na" in refused(with_tonality(checks=checks))


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


@pytest.mark.parametrize(
    "number", ["2", "[2]", "№2", "# 2", "№ 2.", "i=2", "сообщение 2", "2.0", 2.0, [2], ["2", 4]]
)
def test_numbers_have_several_spellings(number: object) -> None:
    raw = with_tonality(ev=[{"i": number, "q": "Добрый день!"}])
    raw["recommendations"][0]["i"] = "4"
    assert parsed(raw) == parsed(GOOD)


@pytest.mark.parametrize(
    "ev",
    [
        ["Добрый день!"],
        "Добрый день!",
        [{"q": "Добрый день!"}],
        [{"i": None, "q": "Добрый день!"}],
        {"i": "", "q": "Добрый день!"},
    ],
)
def test_evidence_may_name_no_message(ev: Any) -> None:
    (claim,) = parsed(with_tonality(ev=ev)).criteria[Criterion.TONALITY].evidence
    assert (claim.number, claim.words) == (0, "Добрый день!")


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
        "Покупатель спросил про Apple iPhone 13 Pro Max 256, ему ответили.",
        "Продан MacBook Pro Retina A1502, покупатель забрал его сам.",
        "Спросил, есть ли в наличии WD-40, USB-C, iPad Air и Samsung Galaxy S23 Ultra.",
        "Да, macOS Sonoma и AirPods продали ему вчера.",
        "Покупатель купил Sony α7, продавец сразу отправил.",
        "Комната 20 м², площадь подъезда и объём верны.",
        "<Покупатель спросил о новом диване>",
    ],
)
def test_latin_names_may_stand_in_a_russian_text(summary: str) -> None:
    assert parsed(answer({"summary": summary})).summary == summary


@pytest.mark.parametrize("left_out", [None, [], "", "нет", "Нет рекомендаций.", {}])
def test_no_recommendation_has_several_spellings(left_out: Any) -> None:
    assert parsed(answer({"recommendations": left_out})).recommendations == ()


def test_recommendations_may_be_left_out() -> None:
    raw = answer()
    del raw["recommendations"]
    assert parsed(raw).recommendations == ()


@pytest.mark.parametrize(
    "entry", ["Назвать цену.", {"t": "Назвать цену."}, {"i": None, "text": "Назвать цену."}]
)
def test_recommendation_may_name_no_message(entry: Any) -> None:
    (advice,) = parsed(answer({"recommendations": [entry]})).recommendations
    assert (advice.number, advice.text) == (0, "Назвать цену.")


def test_equal_recommendations_are_one() -> None:
    again = [{"i": 2, "t": "Назвать цену."}] * 3
    advice = [*again, {"i": 4, "t": "Нет"}, {"i": 4, "t": "Уступить"}]
    found = parsed(answer({"recommendations": advice})).recommendations
    assert [entry.text for entry in found] == ["Назвать цену.", "Уступить"]


def test_markup_is_removed_from_texts() -> None:
    raw = with_tonality(why="- **Продавец** `вежлив`.")
    raw["summary"] = "# Итог\n**Покупатель** спросил о цене.\n- продавец __ответил__\n1. ушёл в 5"
    raw["recommendations"] = ["1. Назвать цену.", "* Предложить 2 скидки.", "— ### Ответить #1"]
    found = parsed(raw)
    assert found.summary == "Итог Покупатель спросил о цене. продавец ответил ушёл в 5"
    assert [advice.text for advice in found.recommendations] == [
        "Назвать цену.",
        "Предложить 2 скидки.",
        "Ответить #1",
    ]
    assert found.criteria[Criterion.TONALITY].reasoning == "Продавец `вежлив`."


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


@pytest.mark.parametrize("word", ["na", "N/A", "нет", "Нет", "отсутствуют", "-", "", "null", None])
def test_grade_without_objections_has_several_spellings(word: Any) -> None:
    raw = answer(objection_handling=criterion("objection_handling", "na na", word, ()))
    assert parsed(raw).criteria[Criterion.OBJECTION_HANDLING].grade is Grade.NONE
    del raw["criteria"]["objection_handling"]["grade"]
    assert parsed(raw).criteria[Criterion.OBJECTION_HANDLING].grade is Grade.NONE
    raw["criteria"]["tonality"]["grade"] = word
    assert "criteria.tonality.grade: оценка должна быть" in refused(raw)


def test_grade_of_objections_is_needed() -> None:
    handled = criterion("objection_handling", "y y", "na")
    assert "high, medium, low, none" in refused(answer(OBJECTED, objection_handling=handled))


@pytest.mark.parametrize("words", ["нет", "Нет возражений.", "-", "none"])
def test_objection_like_none_is_none_with_the_grade_none(words: str) -> None:
    claim = {"i": 1, "q": words, "a": "na"}
    assert parsed(answer({"objections": [claim]})).objections == ()
    assert "так не бывает" in refused(answer({"objections": [claim, *OBJECTED["objections"]]}))
    handled = parsed(answer({"objections": [claim]}, objection_handling=HANDLED))
    assert [entry.words for entry in handled.objections] == [words]


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
        ["Критических ошибок нет."],
        [{"fault": "none", "i": 1, "q": "Добрый день"}],
        [{"fault": "", "i": 0, "q": ""}],
        [{"fault": None, "i": None, "q": None}],
        {"insult": False, "outside_payment": None, "false_availability": "нет"},
        {"insult": []},
    ],
)
def test_no_critical_fault_has_several_spellings(critical: Any) -> None:
    found = parsed(answer({"critical": critical, "has_unread_critical": True}))
    assert found.critical == ()
    assert not found.has_unread_critical


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("insult", CriticalFault.INSULT),
        ("Insult ", CriticalFault.INSULT),
        ("оскорбление", CriticalFault.INSULT),
        ("Оскорбление покупателя", CriticalFault.INSULT),
        ("outside payment", CriticalFault.OUTSIDE_PAYMENT),
        ("«давление, чтобы платили мимо Авито»", CriticalFault.OUTSIDE_PAYMENT),
        ("FALSE_AVAILABILITY", CriticalFault.FALSE_AVAILABILITY),
        ("обещан товар, которого нет", CriticalFault.FALSE_AVAILABILITY),
    ],
)
def test_claim_of_a_critical_fault_has_several_spellings(name: str, fault: CriticalFault) -> None:
    words = {"i": "[2]", "q": "Добрый день"}
    for critical in (
        [{"fault": name, **words}],
        {"type": name, **words},
        {name: words},
        {name: [words]},
        [{name: words}],
    ):
        found = parsed(answer({"critical": critical}))
        assert [(claim.fault, claim.number) for claim in found.critical] == [(fault, 2)]
        assert not found.has_unread_critical


@pytest.mark.parametrize(
    "critical",
    [
        "insult",
        ["insult"],
        5,
        [True],
        {"insult": True},
        [{"fault": "insult", "i": 2}],
        [{"fault": "insult", "i": 2, "q": ""}],
        [{"fault": "spam", "i": 2, "q": "Добрый день"}],
        [{"fault": "insult|outside_payment", "i": 2, "q": "Добрый день"}],
        [{"fault": "", "i": 2, "q": "Добрый день"}],
        [{"i": 2, "q": "Добрый день"}],
        [{"fault": ["insult"], "i": 2, "q": "Добрый день"}],
        [{"fault": "insult", "i": 2, "q": ["Добрый день"]}],
    ],
)
def test_unreadable_claim_of_a_critical_fault_is_kept_in_mind(critical: Any) -> None:
    found = parsed(answer({"critical": critical}))
    assert found.critical == ()
    assert found.has_unread_critical
    assert Flag.CRITICAL_UNVERIFIED in Graded().read(answer({"critical": critical})).flags


def test_readable_claims_stay_beside_an_unreadable_one() -> None:
    claim = {"fault": "insult", "i": 2, "q": "Добрый день"}
    found = parsed(answer({"critical": [claim, "spam"]}))
    assert [entry.fault for entry in found.critical] == [CriticalFault.INSULT]
    assert found.has_unread_critical


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


def test_two_different_objects() -> None:
    assert "несколько объектов" in refused(f"{GOOD}\n{DRAFT}")
    assert "несколько объектов" in refused(f"{GOOD}\n{GOOD}\n{DRAFT}")
    assert "нет целого объекта" in refused(f'{{"draft": {DRAFT}, "final": {GOOD}}}')


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
            with_tonality(checks={key: {"why": "вежлив"} for key in CHECKS["tonality"]}),
            "tonality.checks.courteous: ответ на проверку должен быть одним из y, n, na",
        ),
        *(
            (with_tonality(checks=dict.fromkeys(CHECKS["tonality"], word)), "одним из y, n, na")
            for word in ("y/n", "y | n", "да, нет", "y - нет", "y n", "yes or no", "частично", "-")
        ),
        (
            with_tonality(grade="good"),
            "criteria.tonality.grade: оценка должна быть одной из high, medium, low, none",
        ),
        (
            with_tonality(grade=5),
            "grade: оценка должна быть строкой: high, medium, low или none",
        ),
        (with_tonality(grade=None), "criteria.tonality.grade: оценка должна быть строкой"),
        (
            with_tonality(grade=None) | {"objections": []},
            "criteria.tonality.grade: оценка должна быть строкой: high, medium, low или none",
        ),
        (
            with_tonality(ev=[{"i": True, "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (
            with_tonality(ev=[{"i": "два", "q": "а"}]),
            "criteria.tonality.ev.0.i: должно быть целое число",
        ),
        (with_tonality(ev=5), "criteria.tonality.ev: должен быть список"),
        (with_tonality(ev=[5]), "criteria.tonality.ev.0: должен быть объект"),
        *(
            (
                answer({"objections": objections}, objection_handling=HANDLED),
                "objections.0.a: ответ на проверку должен быть одним из y, n, na",
            )
            for objections in ([{"i": 3, "q": "Дорого"}], ["Дорого"], "Дорого")
        ),
        (answer({"objections": 5}), "objections: должен быть список"),
        (answer({"criteria": []}), "criteria: должен быть объект"),
        (answer({"summary": None}), "summary: должна быть строка"),
        (answer({"summary": "да " * 1000}), "summary: слишком длинный текст"),
        (answer({"recommendations": "Ответить"}), "recommendations: должен быть список"),
        (answer({"recommendations": [{"i": 1}]}), "recommendations.0.t: поля нет"),
        *((without(key), f"{key}: поля нет") for key in ("summary", "objections")),
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
        "买家询问 Покупатель спросил о цене, продавец ответил ему.",
        "Покупатель спросил о цене, продавец ответил ему 卖.",
        "Покупець запитав про ціну, продавець відповів йому.",
        "Купувачът попита за цената, продавачът отговори.",
        "THE BUYER ASKED ABOUT PRICE. Ок да",
        "Buyer Asked Seller About iPhone. Продавец ответил.",
    ],
)
def test_summary_must_be_russian(summary: str) -> None:
    assert "summary: нужен непустой текст на русском" in refused(answer({"summary": summary}))


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        ("Да", "хотя бы 5 русских слов"),
        ("Покупатель спросил, продавец ответил.", "хотя бы 5 русских слов"),
        ("Извините, я не буду отвечать на этот вопрос.", "а не отказ"),
        ("К сожалению, я вижу только часть переписки.", "а не отказ"),
        ("По этим данным не могу оценить работу продавца.", "а не отказ"),
        ("Переписка короткая, поэтому не могу её оценить.", "а не отказ"),
        ("Как языковая модель, оцениваю только тексты людей.", "а не отказ"),
    ],
)
def test_summary_must_retell_the_chat(summary: str, words: str) -> None:
    assert words in refused(answer({"summary": summary}))


@pytest.mark.parametrize(
    "summary",
    [
        "Покупатель спросил и продавец ответил.",
        "Продавец написал: «Извините, я не могу оценить состояние», покупатель ушёл.",
        "Продавец не смог оценить состояние дивана.",
        "Продавец сказал, что, к сожалению, диван продан.",
    ],
)
def test_summary_of_five_words_is_read(summary: str) -> None:
    assert parsed(answer({"summary": summary})).summary == summary


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
    summary = f"На {quoted} нет никакого ответа продавца."
    assert parsed(answer({"summary": summary})).summary == summary
