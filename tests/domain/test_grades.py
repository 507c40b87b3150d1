"""Grades, as reports spell them."""

from app.domain.grades import Grade


def test_reports_spell_grades_as_the_document_does() -> None:
    assert [grade.value for grade in Grade] == ["Высокая", "Средняя", "Низкая", "Нет возражений"]
