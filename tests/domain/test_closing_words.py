"""Messages of the buyer that need no answer, and question marks that ask nothing."""

import pytest

from app.domain.closing_words import gives_up, is_closing, is_question, is_waiting

CLOSING = """
спасибо
Спасибо?
Спасибо большое??
Спасибо большое, Анна
Большое спасибо за помощь!
Ок, спс
пасиб
благодарю
Да, спасибо
Нет, спасибо
не, спасибо
Не надо
не нужно уже
Не надо, спасибо
Спасибо, больше ничего не нужно
Ок))
Ок 👍
👍🏻
+
...
Всё понял
понял, спасибо, до завтра
до завтра
До свидания, всего доброго
Хорошего дня
и вам хорошего вечера
Взаимно
Вам тоже
Принято
Отлично, договорились
хорошо, жду
Супер, жду
Хорошо, если что напишу
Посоветуюсь с женой и отпишусь
Я подумаю и напишу
Буду думать
Мы подумаем
ой, поняла
Ок, вижу
принял
уже купил, спасибо
Уже не актуально
Ну ладно тогда
Ну что же поделать? Спасибо
А, вижу на карте, есть. Спасибо!
А всё, увидел адрес, спасибо
Спасибо, как приеду, напишу
Спасибо, буду ждать посылку
Спасибо, не беспокойтесь
Спасибо за быструю доставку!
Оформил, спасибо! https://www.avito.ru/moskva/x_1?utm_campaign=native&utm_source=soc
Спасибо, взял www.avito.ru/item_5?id=7
""".strip().splitlines()

ASKING = """
спасибо, а доставка есть
Спасибо а доставка есть
Спасибо, когда можно забрать
спасибо, сколько стоит доставка
Спасибо! Подскажите адрес
Спасибо, отправляйте
спасибо, скиньте фото
Спасибо, жду фото
спасибо, жду ответа
Спасибо, жду от вас номер
Спасибо, но мне нужен красный
Спасибо, хочу ещё второй такой же
Спасибо, ещё вопрос
Спасибо, но смущает трещина
Спасибо, а где вы находитесь?
Хорошо, жду?
Договорились?
да, отправляйте
нет, мне нужен красный
хорошо, когда
хорошо, а когда
до которого работаете
Ну что там
за что
Я всё ещё жду ответа
Жду ответ
Я всё жду
Нет, жду ответа
Дорого
Понятно, дорого
Здравствуйте
Я на месте
Приеду завтра в 12
Хорошо, завтра приеду
Белый
?
А доставка есть? Спасибо
Что делать?
https://www.avito.ru/moskva/x_1
Вот такой же? https://www.avito.ru/x_1?utm=1
Скинь адрес, спасибо
Спасибо, какой размер
Спасибо, есть ли чек
Спасибо, позвоните мне
""".strip().splitlines()


@pytest.mark.parametrize("text", CLOSING)
def test_polite_end_needs_no_answer(text: str) -> None:
    assert is_closing(text, is_asked=True)


@pytest.mark.parametrize("text", ASKING)
def test_request_needs_an_answer(text: str) -> None:
    assert not is_closing(text, is_asked=False)


@pytest.mark.parametrize("text", ["да", "Нет", "ага", "Угу", "Да да", "Да, хорошо", "не"])
def test_yes_and_no_need_an_answer_after_a_question(text: str) -> None:
    assert is_closing(text, is_asked=False)
    assert not is_closing(text, is_asked=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("В наличии?", True),
        ("?", True),
        ("Спасибо, а где вы?", True),
        ("А доставка есть? Спасибо", True),
        ("Вот такой? https://www.avito.ru/x", True),
        ("В наличии", False),
        ("Спасибо?", False),
        ("Ну что же поделать? Спасибо", False),
        ("что ж поделаешь?)", False),
        ("https://www.avito.ru/item?id=5", False),
        ("www.avito.ru/item?id=5", False),
        ("HTTP://example.ru/?a=1&b=2?", False),
        ("avito.ru/item_5?utm=1", False),
    ],
)
def test_question_marks_of_links_and_thanks_ask_nothing(text: str, *, expected: bool) -> None:
    assert is_question(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Уже купил, спасибо", True),
        ("А, вижу, есть. Спасибо!", True),
        ("Не надо", True),
        ("Нашёл адрес, спасибо", True),
        ("Спасибо", False),
        ("Ок", False),
        ("хорошо, жду", False),
        ("Не вижу", False),
    ],
)
def test_buyer_who_found_the_answer_waits_no_more(text: str, *, expected: bool) -> None:
    assert gives_up(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Жду", True),
        ("хорошо, ждём", True),
        ("Заранее спасибо", True),
        ("буду ждать", True),
        ("Спасибо", False),
        ("Ок", False),
    ],
)
def test_buyer_who_waits(text: str, *, expected: bool) -> None:
    assert is_waiting(text) is expected
