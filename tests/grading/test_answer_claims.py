"""Claims of an answer: evidence, objections and critical faults, in several forms."""

from typing import Any

import pytest

from app.domain.criteria import Criterion
from app.domain.critical import CriticalFault
from app.domain.flags import Flag
from tests.support.answers import GOOD, HANDLED, answer_with_tonality, parse, read_refusal
from tests.support.chats import OBJECTED, answer
from tests.support.verdicts import Graded


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
    (claim,) = parse(answer_with_tonality(ev=ev)).criteria[Criterion.TONALITY].evidence
    assert (claim.number, claim.words) == (0, "Добрый день!")


def test_evidence_without_words_is_dropped() -> None:
    ev = [{"i": 2, "q": ""}, {"i": 2, "q": None}, {"i": 2}, {"i": 2, "q": "Добрый день!"}]
    assert parse(answer_with_tonality(ev=ev)) == parse(GOOD)


@pytest.mark.parametrize(
    "objections",
    [[], None, "", {}, {"i": 3, "q": ""}, [{"i": 3, "q": ""}], [{"i": None, "q": None, "a": "na"}]],
)
def test_no_objection_has_several_spellings(objections: Any) -> None:
    assert parse(answer({"objections": objections})).objections == ()


@pytest.mark.parametrize("words", ["нет", "Нет возражений.", "-", "none"])
def test_objection_like_none_is_none_with_the_grade_none(words: str) -> None:
    claim = {"i": 1, "q": words, "a": "na"}
    assert parse(answer({"objections": [claim]})).objections == ()
    assert "так не бывает" in read_refusal(answer({"objections": [claim, *OBJECTED["objections"]]}))
    handled = parse(answer({"objections": [claim]}, objection_handling=HANDLED))
    assert [entry.words for entry in handled.objections] == [words]


def test_one_objection_may_stand_outside_a_list() -> None:
    claim = OBJECTED["objections"][0]
    raw = answer({"objections": claim}, objection_handling=HANDLED)
    assert parse(raw) == parse(answer(OBJECTED, objection_handling=HANDLED))
    assert [entry.words for entry in parse(raw).objections] == [claim["q"]]


def test_ten_objections_are_the_most() -> None:
    claims = OBJECTED["objections"] * 10
    raw = answer({"objections": claims}, objection_handling=HANDLED)
    assert len(parse(raw).objections) == 10
    raw["objections"] = claims + claims[:1]
    assert "objections: слишком много элементов" in read_refusal(raw)


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
    found = parse(answer({"critical": critical, "has_unread_critical": True}))
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
        found = parse(answer({"critical": critical}))
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
def test_unreadable_claim_of_a_critical_fault_is_flagged(critical: Any) -> None:
    found = parse(answer({"critical": critical}))
    assert found.critical == ()
    assert found.has_unread_critical
    assert Flag.CRITICAL_UNVERIFIED in Graded().read(answer({"critical": critical})).flags


def test_readable_claims_stay_beside_an_unreadable_one() -> None:
    claim = {"fault": "insult", "i": 2, "q": "Добрый день"}
    found = parse(answer({"critical": [claim, "spam"]}))
    assert [entry.fault for entry in found.critical] == [CriticalFault.INSULT]
    assert found.has_unread_critical


def test_critical_faults_may_be_left_out_or_stand_outside_a_list() -> None:
    raw = answer()
    del raw["critical"]
    assert parse(raw).critical == ()
    raw["critical"] = {"fault": "insult", "i": 2, "q": "Добрый день"}
    assert [claim.fault for claim in parse(raw).critical] == [CriticalFault.INSULT]


def test_objections_without_a_grade_are_refused() -> None:
    assert "так не бывает" in read_refusal(answer(OBJECTED))
