"""Grades of single criteria: by checks, by what code counts, and limited by critical faults."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.criteria import Check, Criterion
from app.domain.flags import Flag
from app.domain.grades import Grade
from app.domain.timeliness import LateAnswer
from app.domain.working_hours import ROUND_THE_CLOCK
from app.grading.evidence import Quote
from app.grading.prompt import ChatContext
from app.grading.rubric import Rubric
from app.grading.verdict import CriterionVerdict, Verdict
from tests.support.chats import MOSCOW, SOFA, START, answer, chat, criterion
from tests.support.verdicts import RUBRIC, Graded, make_context

H, M, L = Grade.HIGH, Grade.MEDIUM, Grade.LOW
ON_SOFA = Graded()
PRICEY, FAR = "Дороговато для б/у", "И далеко от меня, неудобно"
OBJECTING = chat(
    ("client", "Здравствуйте, диван в наличии?"),
    ("company", "Добрый день! В наличии, можно посмотреть сегодня до 20:00"),
    ("client", PRICEY),
    ("client", FAR),
    ("company", "Понимаю. Обивка новая, готов уступить 500 рублей"),
    ("company", "Жду вас в семь, до встречи!"),
)


def grade_one(name: str, part: dict[str, Any]) -> CriterionVerdict:
    """Return the verdict on one criterion of the chat about the sofa."""
    return ON_SOFA.read(answer(**{name: part})).criteria[Criterion(name)]


@pytest.mark.parametrize(
    ("checks", "model", "final", "flags"),
    [
        ("y y y", "high", H, ()),
        ("y y na", "medium", H, (Flag.DISAGREEMENT,)),
        ("y n y", "medium", M, ()),
        ("n n y", "low", L, ()),
        ("n n n", "high", L, (Flag.DISAGREEMENT,)),
        ("na na na", "medium", M, (Flag.ALL_NA,)),
        ("na na na", "high", H, (Flag.ALL_NA,)),
    ],
)
def test_checks_decide(checks: str, model: str, final: Grade, flags: tuple[Flag, ...]) -> None:
    entry = grade_one("closure", criterion("closure", checks, model))
    assert (entry.grade, entry.flags) == (final, flags)
    assert [check.value for check in entry.checks.values()] == checks.split()


@pytest.mark.parametrize(
    ("checks", "grade", "lacks"),
    [("y y y", "high", True), ("n n y", "low", True), ("n y y", "medium", False)],
)
def test_high_and_low_need_a_quote(checks: str, grade: str, *, lacks: bool) -> None:
    invented = criterion("clarity", checks, grade, [(2, "Этого никто не говорил")])
    verdict = ON_SOFA.read(answer(clarity=invented))
    assert verdict.lacks_evidence == ((Criterion.CLARITY,) if lacks else ())
    assert (Flag.NO_EVIDENCE in verdict.flags) is lacks
    assert ("clarity" in (verdict.complaint or "")) is lacks
    assert verdict.criteria[Criterion.CLARITY].quotes == ()


@pytest.mark.parametrize(
    ("name", "checks", "proves"),
    [
        ("clarity", "n n y", True),
        ("closure", "n y y", True),
        ("clarity", "y y y", False),
        ("tonality", "n n y", False),
    ],
)
def test_words_of_the_buyer_prove_only_what_the_seller_left_undone(
    name: str, checks: str, *, proves: bool
) -> None:
    entry = grade_one(name, criterion(name, checks, "low", [(3, PRICEY)]))
    assert entry.quotes == ((Quote(103, PRICEY, repaired=False),) if proves else ())


def test_one_quote_is_listed_once_and_at_most_three_are_kept() -> None:
    claims = [(2, "Добрый день"), (4, "добрый день"), (2, "В наличии"), (4, "Понимаю"), (6, "Жду")]
    entry = grade_one("tonality", criterion("tonality", ev=claims))
    assert [quote.text for quote in entry.quotes] == ["Добрый день", "В наличии", "Понимаю"]


@pytest.mark.parametrize(("false", "found"), [(5, 1), (6, 0)])
def test_six_quotes_of_a_criterion_are_read(false: int, found: int) -> None:
    claims = [(2, f"Выдумка номер {number} от модели") for number in range(false)]
    entry = grade_one("tonality", criterion("tonality", ev=[*claims, (2, "Добрый день!")]))
    assert len(entry.quotes) == found


class TestAnswerTimes:
    @staticmethod
    def read(minutes: int, context: ChatContext | None = None) -> Verdict:
        return Graded(chat(*SOFA_LINES, minutes=minutes), context=context or make_context()).read(
            answer()
        )

    def test_answers_in_time(self) -> None:
        verdict = self.read(60)
        entry = verdict.criteria[Criterion.PROFESSIONALISM]
        assert next(iter(entry.checks.items())) == ("timely", Check.YES)
        assert entry.grade is H
        assert verdict.late_answers == ()

    def test_late_answer_lowers_one_criterion_and_is_its_first_quote(self) -> None:
        verdict = self.read(61)
        entry = verdict.criteria[Criterion.PROFESSIONALISM]
        assert entry.checks["timely"] is Check.NO
        assert entry.quotes == (
            Quote(102, SOFA[1].text, repaired=False),
            Quote(104, "Обивка новая", repaired=False),
        )
        assert verdict.late_answers == (LateAnswer(102, 3660, 3600, is_first=True),)
        assert [name for name, grade in verdict.grades.items() if grade is M] == [
            Criterion.PROFESSIONALISM
        ]
        assert entry.flags == ()

    def test_window_after_other_messages_has_only_later_answers(self) -> None:
        assert self.read(61, make_context(earlier=1)).late_answers == ()

    def test_hours_of_the_company_count(self) -> None:
        """The chat begins on Sunday at noon, Moscow time. Thirteen hours later it is night."""
        assert self.read(13 * 60).late_answers != ()
        night = ChatContext(MOSCOW, ROUND_THE_CLOCK, START, 0)
        assert [entry.seconds for entry in self.read(2 * 60, night).late_answers] == [7200]

    def test_with_two_faults_it_is_low(self) -> None:
        part = criterion("professionalism", "n y", "medium")
        verdict = Graded(chat(*SOFA_LINES, minutes=61)).read(answer(professionalism=part))
        assert verdict.grades[Criterion.PROFESSIONALISM] is L


SOFA_LINES = tuple((message.side.value, message.text) for message in SOFA)


class TestLastQuestion:
    ASKED = Graded(chat(*SOFA_LINES, ("client", "А подъезд какой?"), ("client", "Жду")))

    def test_unanswered_question_lowers_closure_alone(self) -> None:
        verdict = self.ASKED.read(answer())
        entry = verdict.criteria[Criterion.CLOSURE]
        assert entry.checks["no_hanging"] is Check.NO
        assert entry.quotes[0] == Quote(107, "А подъезд какой?", repaired=False)
        assert [name for name, grade in verdict.grades.items() if grade is M] == [Criterion.CLOSURE]
        assert entry.flags == ()

    def test_same_fault_in_other_checks_does_not_count_again(self) -> None:
        part = criterion("closure", "n n n", "low", [(6, "Жду вас в семь")])
        entry = self.ASKED.read(answer(closure=part)).criteria[Criterion.CLOSURE]
        assert list(entry.checks.values()) == [
            Check.NOT_APPLICABLE,
            Check.NOT_APPLICABLE,
            Check.NO,
        ]
        assert entry.grade is M

    def test_the_model_decides_other_chats(self) -> None:
        part = criterion("closure", "y y n", "medium")
        entry = grade_one("closure", part)
        assert entry.checks["no_hanging"] is Check.NO
        assert entry.grade is M
        assert [quote.message_id for quote in entry.quotes] == [106]

    def test_an_unanswered_message_without_a_question_is_left_to_the_model(self) -> None:
        waiting = Graded(chat(*SOFA_LINES, ("client", "Я у подъезда")))
        assert waiting.read(answer()).grades[Criterion.CLOSURE] is H


FRESH = [(7, "А подъезд какой?")]


class TestFreshQuestion:
    """The last question is a minute old. The seller has three hours for the answer."""

    MESSAGES = chat(*SOFA_LINES, ("client", "А подъезд какой?"))
    GRADED_AT = MESSAGES[-1].sent_at + timedelta(minutes=1)

    def read(self, checks: str, ev: list[tuple[int, str]], minutes: int = 0) -> CriterionVerdict:
        graded_at = self.GRADED_AT + timedelta(minutes=minutes)
        context = ChatContext(MOSCOW, ROUND_THE_CLOCK, graded_at, 0)
        part = criterion("closure", checks, "medium", ev)
        verdict = Graded(self.MESSAGES, context=context).read(answer(closure=part))
        return verdict.criteria[Criterion.CLOSURE]

    @pytest.mark.parametrize(
        ("checks", "ev", "expected", "grade"),
        [
            ("y y n", FRESH, Check.NOT_APPLICABLE, H),
            ("y y n", [*FRESH, (6, "Жду вас в семь")], Check.NOT_APPLICABLE, H),
            ("y y n", [], Check.NOT_APPLICABLE, H),
            ("y y n", [(3, PRICEY)], Check.NO, M),
            ("y y n", [*FRESH, (3, PRICEY)], Check.NO, M),
            ("n y n", FRESH, Check.NOT_APPLICABLE, M),
            ("na na n", FRESH, Check.YES, H),
            ("y y y", FRESH, Check.YES, H),
        ],
    )
    def test_no_of_the_model_does_not_count(
        self, checks: str, ev: list[tuple[int, str]], expected: Check, grade: Grade
    ) -> None:
        entry = self.read(checks, ev)
        assert (entry.checks["no_hanging"], entry.grade) == (expected, grade)

    def test_words_that_do_not_count_are_evidence_all_the_same(self) -> None:
        """Otherwise the model would be asked again."""
        entry = self.read("y y n", FRESH)
        assert entry.flags == ()
        assert entry.quotes == (Quote(107, "А подъезд какой?", repaired=False),)

    @pytest.mark.parametrize(("minutes", "grade"), [(179, H), (180, M)])
    def test_question_that_is_not_fresh_any_more_counts(self, minutes: int, grade: Grade) -> None:
        assert self.read("y y n", FRESH, minutes).grade is grade

    def test_other_chats_are_not_changed(self) -> None:
        entry = grade_one("closure", criterion("closure", "y y n", "medium", []))
        assert entry.checks["no_hanging"] is Check.NO


class TestObjections:
    @staticmethod
    def read(
        claims: list[tuple[int, str, str]], checks: str = "y y", grade: str = "high"
    ) -> CriterionVerdict:
        objections = [{"i": number, "q": words, "a": a} for number, words, a in claims]
        part = criterion("objection_handling", checks, grade, [(5, "Обивка новая")])
        raw = answer({"objections": objections}, objection_handling=part)
        return Graded(OBJECTING).read(raw).criteria[Criterion.OBJECTION_HANDLING]

    @pytest.mark.parametrize(
        ("claims", "checks", "grade", "acknowledged"),
        [
            ([(3, PRICEY, "y")], "y y", H, Check.YES),
            ([(3, PRICEY, "na")], "y y", H, Check.YES),
            ([(3, PRICEY, "n")], "na na", M, Check.NO),
            ([(3, PRICEY, "n")], "n n", M, Check.NO),
            ([(3, PRICEY, "y")], "n y", M, Check.YES),
            ([(3, PRICEY, "y"), (4, FAR, "y")], "y y", H, Check.YES),
            ([(3, PRICEY, "y"), (4, FAR, "n")], "y y", M, Check.NO),
            ([(3, PRICEY, "n"), (4, FAR, "n")], "na na", L, Check.NO),
            ([(3, PRICEY, "n"), (4, FAR, "n")], "n n", L, Check.NO),
            ([(3, PRICEY, "y"), (4, FAR, "n")], "y n", L, Check.NO),
        ],
    )
    def test_each_ignored_objection_is_a_fault(
        self, claims: list[tuple[int, str, str]], checks: str, grade: Grade, acknowledged: Check
    ) -> None:
        entry = self.read(claims, checks)
        assert entry.grade is grade
        assert next(iter(entry.checks)) == "acknowledged"
        assert entry.checks["acknowledged"] is acknowledged

    def test_ignored_objection_lowers_no_other_criterion(self) -> None:
        part = criterion("objection_handling", "na na", "medium", ())
        raw = answer({"objections": [{"i": 3, "q": PRICEY, "a": "n"}]}, objection_handling=part)
        grades = Graded(OBJECTING).read(raw).grades
        assert [name for name, grade in grades.items() if grade is not H] == [
            Criterion.OBJECTION_HANDLING
        ]

    def test_without_an_objection_the_grade_is_none(self) -> None:
        entry = grade_one("objection_handling", criterion("objection_handling", "y y", "high"))
        assert entry.grade is Grade.NONE
        assert entry.model_grade is H
        assert entry.checks["acknowledged"] is Check.NOT_APPLICABLE
        assert entry.quotes == ()
        assert entry.flags == (Flag.DISAGREEMENT,)

    def test_company_with_its_own_checks_counts_each_answer_of_the_model(self) -> None:
        """Without a computed check, an ignored objection is what the model's checks show."""
        raw = RUBRIC.model_dump(mode="json")
        del raw["criteria"]["objection_handling"]["checks"][0]["computed"]
        own = Graded(OBJECTING, rubric=Rubric.model_validate(raw))
        part = criterion("objection_handling", "y y")
        part["checks"] = {"acknowledged": "n", **part["checks"]}
        objections = [{"i": 3, "q": PRICEY, "a": "n"}, {"i": 4, "q": FAR, "a": "n"}]
        verdict = own.read(answer({"objections": objections}, objection_handling=part))
        assert verdict.grades[Criterion.OBJECTION_HANDLING] is M


class TestCriticalFaults:
    WORDS = "Вы просто идиот"
    INSULTED = Graded(chat(*SOFA_LINES, ("company", f"{WORDS}, не пишите сюда")))

    def read(self, **parts: dict[str, Any]) -> Verdict:
        raw = answer(
            {"critical": [{"fault": "insult", "i": 7, "q": self.WORDS}]},
            **{"tonality": criterion("tonality", "y n y", "low")} | parts,
        )
        return self.INSULTED.read(raw)

    def test_limit_the_grades(self) -> None:
        grades = list(self.read().grades.values())
        assert grades == [L, L, H, H, Grade.NONE, L]
        assert Flag.CRITICAL in self.read().flags

    def test_are_shown_first_where_they_limit_the_grade_and_nowhere_else(self) -> None:
        quote = Quote(107, self.WORDS, repaired=False)
        criteria = self.read().criteria
        limited = {Criterion.TONALITY, Criterion.PROFESSIONALISM, Criterion.CLOSURE}
        assert {name for name, entry in criteria.items() if quote in entry.quotes} == limited
        assert all(criteria[name].quotes[0] == quote for name in limited)

    def test_model_that_graded_its_checks_rightly_does_not_disagree(self) -> None:
        closure = criterion("closure", "y y n", "medium")
        entry = self.read(closure=closure).criteria[Criterion.CLOSURE]
        assert (entry.grade, entry.flags) == (L, ())
        wrong = self.read(closure=closure | {"grade": "high"}).criteria[Criterion.CLOSURE]
        assert wrong.flags == (Flag.DISAGREEMENT,)
