"""Filled label sheets: reading files of any program, and errors with row and column."""

from pathlib import Path
from typing import Any

import pytest

from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.services.agreement.files import SheetError, read_ratings
from tests.support.label_sheets import ALL_HIGH, HEADING, filled_row, save_csv, save_xlsx

MIXED = ["Высокая", "средняя", " Низкая ", "Не могу оценить", "Нет возражений", ""]


def refusal(*paths: Path) -> str:
    with pytest.raises(SheetError) as refused:
        read_ratings(paths)
    return refused.value.message


@pytest.mark.parametrize(
    "save",
    [
        lambda path, rows: save_xlsx(path / "a.xlsx", rows),
        lambda path, rows: save_csv(path / "a.csv", rows, encoding="utf-8-sig"),
        lambda path, rows: save_csv(path / "a.csv", rows, encoding="cp1251"),
        lambda path, rows: save_csv(path / "a.csv", rows, encoding="utf-8", delimiter=","),
        lambda path, rows: save_csv(path / "A.CSV", rows, encoding="cp1251", delimiter="\t"),
    ],
)
def test_every_file_format_reads_the_same(tmp_path: Path, save: Any) -> None:
    path = save(
        tmp_path,
        [
            HEADING,
            filled_row(7, MIXED, "Анна"),
            filled_row(8, [""] * 6),
            filled_row(9, ALL_HIGH),
            [""] * 12,
        ],
    )
    first, second = read_ratings([path])
    assert (first.report_id, first.rater, first.open, first.place) == (
        7,
        "Анна",
        1,
        f"{path.name}, строка 2",
    )
    assert first.grades == {
        Criterion.TONALITY: Grade.HIGH,
        Criterion.PROFESSIONALISM: Grade.MEDIUM,
        Criterion.CLARITY: Grade.LOW,
        Criterion.OBJECTION_HANDLING: Grade.NONE,
    }
    assert (second.report_id, second.rater, second.place) == (9, "Анна", f"{path.name}, строка 4")
    assert len(second.grades) == 6


def test_sheet_with_several_raters_and_moved_columns_is_read(tmp_path: Path) -> None:
    rows = [["", ""], ["Заметка", *reversed(HEADING)]]
    rows += [
        ["x", *map(str, reversed(filled_row(7, ALL_HIGH, rater)))] for rater in ("Анна", "Борис")
    ]
    ratings = read_ratings([save_xlsx(tmp_path / "a.xlsx", rows)])
    assert [(rating.rater, rating.report_id, rating.place) for rating in ratings] == [
        ("Анна", 7, "a.xlsx, строка 3"),
        ("Борис", 7, "a.xlsx, строка 4"),
    ]


@pytest.mark.parametrize(
    ("rows", "expected_text"),
    [
        ([], "a.xlsx: файл пуст"),
        (
            [[word for word in HEADING if word not in ("Ясность", "Эксперт")]],
            "a.xlsx: нет столбцов: «Ясность», «Эксперт»",
        ),
        ([[*HEADING, "ясность"]], "a.xlsx: столбец «Ясность» встречается дважды"),
        ([HEADING], "нет ни одной оценки"),
        ([HEADING, filled_row(7, [""] * 6, "Анна")], "нет ни одной оценки"),
        ([HEADING, filled_row(7, ["Не могу оценить"] * 6, "Анна")], "нет ни одной оценки"),
        (
            [HEADING, filled_row(7, ALL_HIGH, "Анна"), filled_row(8, ["Так себе", *ALL_HIGH[1:]])],
            "строка 3, столбец «Тональность»: «Так себе»",
        ),
        (
            [HEADING, filled_row(7, [*ALL_HIGH[:5], "Нет возражений"], "Анна")],
            "строка 2, столбец «Завершение»: «Нет возражений»",
        ),
        (
            [HEADING, filled_row(7, [5, *ALL_HIGH[1:]], "Анна")],
            "строка 2, столбец «Тональность»: «5» не подходит; годятся: Высокая, Средняя",
        ),
        ([HEADING, filled_row("семь", ALL_HIGH, "Анна")], "строка 2, столбец «Отчёт»: «семь»"),
        ([HEADING, filled_row("", ALL_HIGH, "Анна")], "строка 2, столбец «Отчёт»: «» — не номер"),
        ([HEADING, filled_row(7.5, ALL_HIGH, "Анна")], "строка 2, столбец «Отчёт»: «7.5»"),
        ([HEADING, filled_row(7, ALL_HIGH)], "строка 2, столбец «Эксперт»: нет имени"),
        (
            [
                HEADING,
                filled_row(7, ALL_HIGH, "Анна"),
                filled_row(8, ALL_HIGH, "Борис"),
                filled_row(9, ALL_HIGH),
            ],
            "строка 4, столбец «Эксперт»",
        ),
        (
            [
                HEADING,
                filled_row(7, ALL_HIGH, "Семён"),
                filled_row(8, ALL_HIGH),
                filled_row(7, ALL_HIGH, " семен "),
            ],
            (
                "a.xlsx, строка 4: отчёт 7 эксперт «семен» оценивает второй раз (первый — a.xlsx,"
                " строка 2)"
            ),
        ),
    ],
)
def test_invalid_sheet_is_refused_with_the_reason(
    tmp_path: Path, rows: list[list[object]], expected_text: str
) -> None:
    assert expected_text in refusal(save_xlsx(tmp_path / "a.xlsx", rows))


def test_rater_with_one_chat_in_two_files_is_refused(tmp_path: Path) -> None:
    paths = [
        save_xlsx(tmp_path / name, [HEADING, filled_row(7, ALL_HIGH, "Анна")])
        for name in ("a.xlsx", "b.xlsx")
    ]
    assert (
        "b.xlsx, строка 2: отчёт 7 эксперт «Анна» оценивает второй раз (первый — a.xlsx, строка 2)"
        in refusal(*paths)
    )


@pytest.mark.parametrize(
    ("name", "content", "expected_text"),
    [
        ("a.xlsx", b"PK\x03\x04 broken", "a.xlsx: не открывается как .xlsx"),
        ("a.xlsx", b"", "a.xlsx: не открывается как .xlsx"),
        ("a.xlsx", ";".join(HEADING).encode(), "a.xlsx: не открывается как .xlsx"),
        ("a.csv", b"\x00\x01\x02", "a.csv: нет столбцов"),
        ("a.csv", b'"never closed', "a.csv: не разбирается как .csv"),
        ("a.pdf", b"%PDF", "a.pdf: нужен файл .xlsx или .csv"),
        (None, b"", "такого файла нет"),
    ],
)
def test_file_that_is_no_sheet_is_refused(
    tmp_path: Path, name: str | None, content: bytes, expected_text: str
) -> None:
    path = tmp_path / (name or "missing.xlsx")
    if name:
        path.write_bytes(content)
    assert expected_text in refusal(path)


def test_foreign_workbook_is_recognized(tmp_path: Path) -> None:
    assert "нет листа «Оценки»" in refusal(save_xlsx(tmp_path / "a.xlsx", [HEADING], sheet="Лист1"))
