"""Which claims of objections the chat confirms."""

import pytest

from app.grading.evidence import Quote, QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.model_answer import ObjectionClaim
from app.grading.objections import Objection, verify_objections
from tests.support.chats import SOFA, chat


def transcript(*lines: tuple[str, str]) -> QuoteVerifier:
    return QuoteVerifier(chat(*lines) if lines else SOFA, Masker([]))


def object_to(number: int, words: str, a: str = "y") -> ObjectionClaim:
    return ObjectionClaim.model_validate({"i": number, "q": words, "a": a})


@pytest.mark.parametrize(("a", "answered"), [("y", True), ("na", True), ("n", False)])
def test_words_of_the_buyer_are_an_objection(a: str, *, answered: bool) -> None:
    found = verify_objections([object_to(3, "дороговато", a)], transcript())
    quote = Quote(103, "Дороговато", repaired=False)
    assert found == ((Objection(quote, answered),), False, False)


@pytest.mark.parametrize(
    ("number", "words"), [(3, "Слишком дорого"), (4, "Обивка новая"), (2, "Понимаю"), (3, "!")]
)
def test_other_words_are_unverified(number: int, words: str) -> None:
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
def test_greetings_and_plain_questions_are_none(text: str, words: str) -> None:
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
def test_doubt_and_disagreement_are_objections(text: str, words: str) -> None:
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
    words: tuple[str, str], answers: str, *, answered: bool
) -> None:
    claims = [object_to(3, part, a) for part, a in zip(words, answers.split(), strict=True)]
    objections, *_ = verify_objections(claims, transcript())
    quote = Quote(103, "Дороговато для б/у", repaired=False)
    assert objections == (Objection(quote, answered),)


def test_two_objections_of_one_message_count_twice() -> None:
    claims = [object_to(1, "дорого", "n"), object_to(1, "далеко", "n")]
    objections, *_ = verify_objections(claims, transcript(("client", "Дорого. И далеко")))
    assert [entry.quote.text for entry in objections] == ["Дорого", "далеко"]


def test_several_objections_keep_their_order_and_faults() -> None:
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


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо",
        "Ок",
        "Да",
        "нет",
        "Хочу купить",
        "Скиньте фото",
        "Хорошо, беру",
        "Уже купил у другого",
        "Верните деньги",
        "[голосовое сообщение]",
        "Дорогой друг, здравствуйте",
        "Дорога нормальная?",
        "Добрый день, дорогие!",
    ],
)
def test_thanks_consent_and_wishes_are_none(text: str) -> None:
    """They would lower a grade if the seller did not respond."""
    assert verify_objections([object_to(1, text, "n")], transcript(("client", text))) == (
        (),
        False,
        True,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Он же битый?",
        "Пробег скручен?",
        "Это же подделка?",
        "Почему не через Авито?",
        "С чего бы предоплата?",
        "А чем докажете что не реплика?",
        "Зачем мне без документов?",
        "А если не подойдёт?",
        "а почему пылесос 12 000, если он б/у, а новый стоит 15?",
        "Слишком дорогой",
        "Час мало",
        "Планшет без коробки",
    ],
)
def test_doubt_in_a_question_or_a_short_statement_is_one(text: str) -> None:
    found, *_ = verify_objections([object_to(1, text)], transcript(("client", text)))
    assert [objection.quote.message_id for objection in found] == [101]
