"""Statements that contradict the listing or the facts, and look-alikes that do not."""

from time import process_time

import pytest

from app.domain.contradiction import ContradictionKind
from app.domain.listing import Listing
from app.grading.contradictions.find import find_contradictions
from tests.support.chats import chat

SOFA = Listing("Диван угловой «Бергамо», 220х150", "34 900 ₽", "Мебель и интерьер", "Москва")
CAR = Listing("Toyota Camry, 2015", "1 350 000 ₽", "Автомобили", None)
SHOES = Listing("Кроссовки Nike Air, 42 размер", "4 990 ₽", "Одежда, обувь", None)
PHONE = Listing("iPhone 13, 128 ГБ", "38 000 ₽", "Телефоны", None)
FLAT = Listing("2-к. квартира, 54 м², 3/9 эт.", "45 000 ₽ в месяц", "Квартиры", None)
TILE = Listing("Плитка тротуарная", "650 ₽ за м²", "Ремонт и строительство", None)
WHEELS = Listing("Шины Nokian 205/55 R16", "12 000 ₽", "Запчасти", None)
SHIRT = Listing("Пальто зимнее, размер L", "7 000 ₽", "Одежда", None)
FACTS = """\
Доставка по городу — 500 рублей, за город 1000 рублей.
Сборка 1 500 ₽. Подъём на этаж 200 р за этаж.
Работаем с 2012 года. Гарантия 12 месяцев.
Высота подъёма крана 9 м. Кресло «Бергамо»: 14 900 ₽, ширина 90 см."""

PRICE, SIZE, YEAR = ContradictionKind

FOUND = [
    (SOFA, "Диван стоит 39 900 рублей", PRICE),
    (SOFA, "Добрый день! Да, в наличии, 39900р", PRICE),
    (SOFA, "Цена 40 тысяч, без торга", PRICE),
    (SOFA, "Здравствуйте, сорок тысяч рублей", PRICE),
    (SOFA, "цена 29 900", PRICE),
    (SOFA, "Размер 240х150", SIZE),
    (SOFA, "Размеры дивана 240 на 160 см", SIZE),
    (SOFA, "2,4 х 1,5 м", SIZE),
    (CAR, "Машина 2014 года", YEAR),
    (CAR, "год выпуска 2013, пробег 120 тыс км", YEAR),
    (CAR, "она 14-го года", YEAR),
    (CAR, "две тысячи четырнадцатого года выпуска", YEAR),
    (CAR, "Не 2015, а 2014 год", YEAR),
    (CAR, "Машине пять лет", YEAR),
    (CAR, "Цена миллион четыреста пятьдесят", PRICE),
    (CAR, "1,45 млн", PRICE),
    (SHOES, "Размер 43", SIZE),
    (SHOES, "Это 41 размер, в наличии", SIZE),
    (SHOES, "Стоят 5500", PRICE),
    (SHOES, "кроссовки 5к", None),
    (PHONE, "Память 256 ГБ", SIZE),
    (PHONE, "41 тысяча, состояние отличное", PRICE),
    (FLAT, "Площадь 48 м2", SIZE),
    (FLAT, "50 000 в месяц", PRICE),
    (TILE, "Цена 700 рублей за м2", PRICE),
    (WHEELS, "Размер 205/60 R16", SIZE),
    (WHEELS, "радиус 17", SIZE),
    (SHIRT, "Размер XL", SIZE),
]
LOOK_ALIKES = [
    (SOFA, "Отдам за 33 000"),
    (SOFA, "Доставка 1500 рублей"),
    (SOFA, "Цена 34 900, доставка 500"),
    (SOFA, "35 тысяч"),
    (SOFA, "Есть ещё кресло, 12 000 рублей"),
    (SOFA, "Скидка 2000 рублей при самовывозе"),
    (SOFA, "Новый в магазине стоит 60 000"),
    (SOFA, "Предоплата 5000 рублей"),
    (SOFA, "Цена от 40 000 в зависимости от ткани"),
    (SOFA, "Спальное место 200х140"),
    (SOFA, "2200х1500 мм"),
    (SOFA, "ширина 220"),
    (SOFA, "Дверной проём нужен 80 см"),
    (SOFA, "Собрали в 2021 году, гарантия до 2027"),
    (SOFA, "Вам 39 900 устроит?"),
    (SOFA, "Не 39 900, а 34 900"),
    (CAR, "ПТС 2019 года"),
    (CAR, "Машине 11 лет"),
    (CAR, "Работаем 8 лет, салон проверенный"),
    (CAR, "Гарантия 2 года"),
    (CAR, "Владею 3 года"),
    (CAR, "Сыну 5 лет, катали на даче"),
    (CAR, "В 2020 году меняли двигатель"),
    (CAR, "Резина 2022 года"),
    (CAR, "Купил в 2018 году"),
    (CAR, "Пробег 150 тысяч"),
    (CAR, "ОСАГО до 2027 года"),
    (CAR, "Осмотр в 19:30, адрес Мира 2014"),
    (SHOES, "Стелька 27 см"),
    (SHOES, "Маломерят, берите 43 размер"),
    (SHOES, "Есть также 43 размер"),
    (SHOES, "5 тысяч"),
    (PHONE, "iPhone 12 на 64 ГБ за 25 000"),
    (PHONE, "Экран 6,1 дюйма"),
    (PHONE, "чехол 500 рублей"),
    (FLAT, "Залог 45 000 и коммуналка 6000"),
    (FLAT, "Кухня 9 м2"),
    (TILE, "Поддон стоит 6500 рублей"),
    (TILE, "За 10 квадратов 6500 рублей"),
    (SHIRT, "Рост 175 см"),
]


@pytest.mark.parametrize(("listing", "text", "kind"), FOUND)
def test_statement_that_contradicts_the_listing(
    listing: Listing, text: str, kind: ContradictionKind | None
) -> None:
    found = find_contradictions(chat(("client", "Здравствуйте!"), ("company", text)), listing, "")

    assert [one.kind for one in found] == ([] if kind is None else [kind])
    assert all(one.message_id == 102 for one in found)


@pytest.mark.parametrize(("listing", "text"), LOOK_ALIKES)
def test_look_alike_is_no_contradiction(listing: Listing, text: str) -> None:
    assert (
        find_contradictions(chat(("client", "Здравствуйте!"), ("company", text)), listing, "") == ()
    )


def test_only_people_of_the_company_contradict() -> None:
    said = "Диван стоит 39 900 рублей"

    assert find_contradictions(chat(("bot", said), ("system", said)), SOFA, "") == ()
    found = find_contradictions(chat(("bot", said), ("company", said)), SOFA, "")
    assert [one.message_id for one in found] == [102]


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("Сколько стоит доставка по городу?", "800 рублей", PRICE),
        ("", "Доставка по городу 700 рублей", PRICE),
        ("", "Доставка 700р", PRICE),
        ("", "Сборка стоит 2500", PRICE),
        ("", "Мы работаем с 2015 года", YEAR),
        ("", "Доставка 500 рублей", None),
        ("", "Доставка за город 1000 рублей", None),
        ("", "Доставка до Твери 3000 рублей", None),
        ("", "Кресло 14 900", None),
        ("", "Кресло 16 900 рублей", PRICE),
        ("", "Подъём 200 рублей за этаж", None),
        ("", "Подъём 300 рублей за этаж", PRICE),
    ],
)
def test_facts(question: str, answer: str, kind: ContradictionKind | None) -> None:
    window = chat(("client", question or "Здравствуйте"), ("company", answer))
    found = find_contradictions(window, SOFA, FACTS)

    assert [one.kind for one in found] == ([] if kind is None else [kind])


@pytest.mark.parametrize(
    "text",
    [
        "2х3х4 ",
        "1 2 3 4 5 ",
        "20/20/",
        "тысяча ",
        "5ккк ",
        "за диван ",
        "метр сорок ",
        "два на три ",
        "с красной ",
    ],
)
def test_hostile_text_takes_little_time(text: str) -> None:
    window = chat(*([("client", text * 200), ("company", text * 200)] * 50))
    started = process_time()
    find_contradictions(window, SOFA, "Доставка — 500 ₽. " * 400)
    assert process_time() - started < 5
