"""Spelling of grades in reports."""

from app.domain.grades import Grade


def test_grades_are_spelled_as_in_the_customers_document() -> None:
    assert [grade.value for grade in Grade] == ["Высокая", "Средняя", "Низкая", "Нет возражений"]
