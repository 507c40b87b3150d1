"""What the chat confirms of the model's claims."""

import pytest

from app.domain.critical import CriticalFault
from app.grading.claims import (
    Objection,
    verify_critical,
    verify_objections,
)
from app.grading.evidence import Quote, QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.model_answer import CriticalClaim, ObjectionClaim
from tests.support.chats import SOFA, chat

INSULT, PAYMENT, AVAILABILITY = CriticalFault


def transcript(*lines: tuple[str, str]) -> QuoteVerifier:
    return QuoteVerifier(chat(*lines) if lines else SOFA, Masker([]))


def object_to(number: int, words: str, a: str = "y") -> ObjectionClaim:
    return ObjectionClaim.model_validate({"i": number, "q": words, "a": a})


def accuse(fault: CriticalFault, words: str, number: int = 2) -> CriticalClaim:
    return CriticalClaim.model_validate({"fault": fault, "i": number, "q": words})


class TestObjections:
    @pytest.mark.parametrize(("a", "answered"), [("y", True), ("na", True), ("n", False)])
    def test_words_of_the_buyer_are_an_objection(self, a: str, *, answered: bool) -> None:
        found = verify_objections([object_to(3, "дороговато", a)], transcript())
        quote = Quote(103, "Дороговато", repaired=False)
        assert found == ((Objection(quote, answered),), False, False)

    @pytest.mark.parametrize(
        ("number", "words"), [(3, "Слишком дорого"), (4, "Обивка новая"), (2, "Понимаю"), (3, "!")]
    )
    def test_other_words_are_unverified(self, number: int, words: str) -> None:
        assert verify_objections([object_to(number, words)], transcript()) == ((), True, False)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Здравствуйте, диван в наличии?", "диван в наличии"),
            ("Здравствуйте, диван в наличии?", "Здравствуйте, диван в наличии?"),
            ("Добрый день! Торг есть?", "Торг есть?"),
            ("Добрый день! Торг есть?", "Добрый день! Торг"),
            ("Добрый день", "Добрый день"),
            ("Приветствую!", "Приветствую"),
            ("Торг есть", "Торг есть"),
            ("Подскажите сколько просите", "сколько просите"),
            ("А где посмотреть можно", "посмотреть можно"),
            ("Скидку сделаете", "Скидку сделаете"),
            ("👍", "👍"),
            ("500?", "500?"),
            ("Здравствуйте, ещё актуально", "ещё актуально"),
            ("Добрый день, торг есть", "Добрый день, торг есть"),
            ("Привет подскажите пожалуйста где посмотреть", "где посмотреть"),
            ("Ещё продаёте", "Ещё продаёте"),
            ("Здравствуйте, добрый вечер", "добрый вечер"),
        ],
    )
    def test_greetings_and_plain_questions_are_none(self, text: str, words: str) -> None:
        found = verify_objections([object_to(1, words)], transcript(("client", text)))
        assert found == ((), False, True)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("а почему так дорого?", "а почему так дорого?"),
            ("А почему так дорого", "так дорого"),
            ("Здравствуйте! Дороговато, торг есть?", "Дороговато"),
            ("Добрый день. У соседа по 500", "У соседа по 500"),
            ("Можно дешевле?", "Можно дешевле"),
            ("Это не развод?", "не развод"),
            ("Не нравится мне цвет", "Не нравится мне цвет"),
            ("Торг есть? Столько я не дам", "Столько я не дам"),
            ("Здравствуйте, дороговато", "дороговато"),
            ("Добрый день, у соседа по 500", "у соседа по 500"),
        ],
    )
    def test_doubt_and_disagreement_are_objections(self, text: str, words: str) -> None:
        objections, *faults = verify_objections([object_to(1, words)], transcript(("client", text)))
        assert [objection.quote.message_id for objection in objections] == [101]
        assert faults == [False, False]

    @pytest.mark.parametrize(
        "words",
        [
            ("Дороговато для б/у", "дороговато для б/у."),
            ("Дороговато", "Дороговато для б/у"),
            ("Дороговато для б/у", "для б/у"),
        ],
    )
    @pytest.mark.parametrize(
        ("answers", "answered"), [("n n", False), ("n y", True), ("y n", True), ("y y", True)]
    )
    def test_repeated_objection_counts_once(
        self, words: tuple[str, str], answers: str, *, answered: bool
    ) -> None:
        claims = [object_to(3, part, a) for part, a in zip(words, answers.split(), strict=True)]
        objections, *_ = verify_objections(claims, transcript())
        quote = Quote(103, "Дороговато для б/у", repaired=False)
        assert objections == (Objection(quote, answered),)

    def test_two_objections_of_one_message_count_twice(self) -> None:
        claims = [object_to(1, "дорого", "n"), object_to(1, "далеко", "n")]
        objections, *_ = verify_objections(claims, transcript(("client", "Дорого. И далеко")))
        assert [entry.quote.text for entry in objections] == ["Дорого", "далеко"]

    def test_several_objections_keep_their_order_and_faults(self) -> None:
        lines = [("client", "Дорого"), ("client", "Далеко"), ("client", "Когда?")]
        claims = [
            object_to(2, "Далеко"),
            object_to(3, "Когда?"),
            object_to(1, "Дорого", "n"),
            object_to(1, "Выдумка модели"),
        ]
        objections, is_missing, is_plain = verify_objections(claims, transcript(*lines))
        assert [(entry.quote.text, entry.answered) for entry in objections] == [
            ("Далеко", True),
            ("Дорого", False),
        ]
        assert (is_missing, is_plain) == (True, True)


class TestCriticalFaults:
    RUDE = ("company", "Вы идиот, читайте объявление")

    @pytest.mark.parametrize("is_rude", [True, None])
    def test_insult_counts_unless_the_check_of_rudeness_denies_it(
        self, is_rude: bool | None
    ) -> None:
        found = verify_critical(
            [accuse(INSULT, "Вы идиот")],
            transcript(("client", "Торг?"), self.RUDE),
            is_rude=is_rude,
        )
        assert [(entry.fault, entry.quote.message_id) for entry in found[0]] == [(INSULT, 102)]
        assert not found[1]

    def test_insult_that_the_check_of_rudeness_denies_does_not_count(self) -> None:
        lines = [("client", "Торг?"), self.RUDE]
        claims = [accuse(INSULT, "Вы идиот")]
        assert verify_critical(claims, transcript(*lines), is_rude=False) == ((), True)

    @pytest.mark.parametrize(("number", "words"), [(1, "Вы идиот"), (2, "Вы хам и грубиян")])
    def test_words_of_the_buyer_and_invented_ones_do_not_count(
        self, number: int, words: str
    ) -> None:
        lines = [("client", "Вы идиот"), ("company", "Извините")]
        claims = [accuse(INSULT, words, number)]
        assert verify_critical(claims, transcript(*lines), is_rude=True) == ((), True)

    @pytest.mark.parametrize(
        ("fault", "text", "counts"),
        [
            (PAYMENT, "Только перевод на карту", True),
            (PAYMENT, "Через Авито не работаю, предоплата сразу", True),
            (PAYMENT, "Сначала скиньте задаток", True),
            (PAYMENT, "Жду вас завтра в семь вечера", False),
            (PAYMENT, "Решайте быстрее", False),
            (AVAILABILITY, "Ой, уже продал", True),
            (AVAILABILITY, "Его вчера забрали", True),
            (AVAILABILITY, "Нету", True),
            (AVAILABILITY, "Ещё ждём вас в гости", False),
            (AVAILABILITY, "Приезжайте сегодня", False),
        ],
    )
    def test_payment_and_availability_need_words_that_show_them(
        self, fault: CriticalFault, text: str, *, counts: bool
    ) -> None:
        lines = [("client", "Когда?"), ("company", text)]
        found, is_missing = verify_critical(
            [accuse(fault, text)], transcript(*lines), is_rude=False
        )
        assert [entry.fault for entry in found] == ([fault] if counts else [])
        assert is_missing is not counts

    def test_each_fault_counts_once(self) -> None:
        lines = [("client", "Когда?"), ("company", "Уже продал. Надо было деньги вперёд слать")]
        claims = [
            accuse(AVAILABILITY, "Уже продал"),
            accuse(PAYMENT, "деньги вперёд"),
            accuse(AVAILABILITY, "Надо было"),
        ]
        found, is_missing = verify_critical(claims, transcript(*lines), is_rude=False)
        assert [(entry.fault, entry.quote.text) for entry in found] == [
            (AVAILABILITY, "Уже продал"),
            (PAYMENT, "деньги вперёд"),
        ]
        assert not is_missing
