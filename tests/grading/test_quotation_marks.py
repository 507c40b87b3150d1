"""Quotation marks of every kind become «…»; a quotation without its end gets one."""

import pytest

from app.grading.quotation_marks import unify_marks


@pytest.mark.parametrize(
    "quoted",
    [
        "„иди отсюда“",
        "„иди отсюда”",
        "“иди отсюда”",
        '"иди отсюда"',
        '""иди отсюда""',
        "'иди отсюда'",
        "‘иди отсюда’",
        "‹иди отсюда›",
        "<‹иди отсюда>>",
        "<<иди отсюда>>",
        "`иди отсюда`",
        "```иди отсюда```",
        "«иди отсюда»",
    ],
)
def test_quotation_stands_in_one_kind_of_marks(quoted: str) -> None:
    for before, after in (("Ответил ", " и ушёл."), ("(", ")."), ("", "")):
        text = f"{before}{quoted}{after}"
        assert unify_marks(text) == (f"{before}«иди отсюда»{after}", False)


@pytest.mark.parametrize(
    "text",
    [
        'Экран 15" и 17" не обсуждали.',
        "Кот-д'Ивуар и O'Neil's не обсуждали.",
        "Д’Артаньян ответил, об’ём верный.",
        "Сказал «магазин „Уют“ закрыт» и «магазин 'Уют'», ушёл.",
        "Сказал «магазин «Уют» закрыт» и ушёл.",
        "Цена < 500 и > 300.",
        "<Покупатель ответил>",
        "Модель '90 и '95.",
        "",
    ],
)
def test_text_without_other_marks_stays(text: str) -> None:
    assert unify_marks(text) == (text, False)


def test_apostrophe_within_single_marks_is_none() -> None:
    assert unify_marks("Писал 'из Кот-д'Ивуара' и ушёл.") == (
        "Писал «из Кот-д'Ивуара» и ушёл.",
        False,
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ответил «иди отсюда и ушёл.", "Ответил «иди отсюда и ушёл»."),
        ('Ответил «иди отсюда" и ушёл.', "Ответил «иди отсюда» и ушёл."),
        ("Ответил “иди отсюда и ушёл. Потом", "Ответил «иди отсюда и ушёл». Потом"),
        ('Ответил "иди отсюда и ушёл', "Ответил «иди отсюда и ушёл»"),
        ("Ответил <<иди отсюда!", "Ответил «иди отсюда»!"),
        ("Ответил иди отсюда» и ушёл.", "Ответил иди отсюда и ушёл."),
        ("Ответил «да» и «нет.", "Ответил «да» и «нет»."),
        ("Ответил «нет, потом «да».", "Ответил «нет, потом» «да»."),
        ("Ответил «", "Ответил "),
    ],
)
def test_quotation_without_its_end_ends_with_its_sentence(text: str, left: str) -> None:
    assert unify_marks(text) == (left, True)
