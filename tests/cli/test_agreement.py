"""Agreement from the command line: export a sheet, fill it in, report the agreement."""

import re
from pathlib import Path

import pytest

from tests.support.command_line import ProcessResult, make_environment, run_app
from tests.support.label_sheets import HEADING, fill_in, read_rows, save_csv, save_xlsx
from tests.support.stage import Stage

COMPARED = re.compile(
    r"(?P<n>\d+)\s+(?P<exact>\d+ %|—)\s+(?P<kappa>−?\d,\d\d|—)\s+(?P<ac2>−?\d,\d\d|—)\s"
)


async def agreement(stage: Stage, folder: Path, *arguments: str) -> ProcessResult:
    url = stage.service.settings.database_url
    assert url
    return await run_app(
        folder,
        "agreement",
        *arguments,
        **make_environment(stage.sandbox, DATABASE_URL=url.get_secret_value()),
    )


def read_sections(ended: ProcessResult) -> dict[str, list[dict[str, str]]]:
    """Return the figures of each comparison by its title, one row per scale."""
    found: dict[str, list[dict[str, str]]] = {}
    before = title = ""
    for line in ended.lines:
        if line.lstrip().startswith("строки:"):
            title = before
            found[title] = []
        elif title and (row := COMPARED.search(line)):
            found[title].append(row.groupdict())
        before = line
    return found


def contradict(grades: list[str]) -> list[str]:
    """Return grades that all differ from the given ones."""
    return ["Низкая" if grade == "Высокая" else "Высокая" for grade in grades]


async def test_exported_sheet_can_be_filled_and_reported(tmp_path: Path, full_stage: Stage) -> None:
    stage = full_stage
    await stage.sync()
    await stage.analyze()
    machine = {
        report["id"]: [report[name] for name in report if name.endswith("_grade")]
        for report in await stage.reports()
    }
    exported = await agreement(stage, tmp_path, "export", "sheet.xlsx", "--size", "30")
    assert (exported.code, exported.err) == (0, "")
    assert f"sheet.xlsx: 30 чатов из {len(machine)}, от 1 аккаунта, --seed 1" in exported.out
    numbers = [int(row[1]) for row in read_rows(tmp_path / "sheet.xlsx", "Оценки")[1:]]
    assert len(set(numbers)) == 30
    other = {
        number: contradict(machine[number]) if place % 2 else machine[number]
        for place, number in enumerate(numbers[:20])
    }
    save_xlsx(
        tmp_path / "a.xlsx",
        fill_in(
            tmp_path / "sheet.xlsx", "Анна [bold]", {number: machine[number] for number in numbers}
        ),
    )
    save_csv(
        tmp_path / "b.csv", fill_in(tmp_path / "sheet.xlsx", "Борис", other), encoding="cp1251"
    )
    for number in numbers[:3]:
        review = {"grades": {"clarity_grade": "Средняя"}}
        assert (
            await stage.rest.put(f"/api/v1/reports/{number}/review", json=review)
        ).status_code == 200
    ended = await agreement(stage, tmp_path, "report", "a.xlsx", "b.csv", "--with-reviews")
    assert (ended.code, ended.err) == (0, "")
    _check_report(ended)


def _check_report(ended: ProcessResult) -> None:
    assert "Анна [bold] — 30 чатов, Борис — 20 чатов" in ended.out
    assert "Проверки в службе (3 отчёта) — не вслепую" in ended.out
    assert "nan" not in ended.out.lower()
    found = read_sections(ended)
    assert list(found) == [
        "Анна [bold] — Борис",
        "Эксперты — модель, все вместе",
        "Анна [bold] — модель",
        "Борис — модель",
        "Проверка в службе — модель",
    ]
    assert [len(rows) for rows in found.values()] == [7] * 5
    for row in found["Анна [bold] — модель"]:
        assert (row["exact"], row["kappa"], row["ac2"]) == ("100 %", "1,00", "1,00")
    assert found["Анна [bold] — модель"][0]["n"] == "30"
    assert found["Анна [bold] — Борис"] == found["Борис — модель"], "Anna's grades are the model's"
    compared = [row for row in found["Борис — модель"] if row["n"] == "20"]
    assert len(compared) >= 5
    assert all(row["exact"] != "100 %" and row["kappa"] != "1,00" for row in compared)
    pooled = found["Эксперты — модель, все вместе"]
    assert [row["n"] for row in pooled][:4] == ["50"] * 4
    assert "(30 ч.)" in ended.out
    review = found["Проверка в службе — модель"]
    assert [row["n"] for row in review] == ["0", "0", "3", "0", "0", "0", "0"]
    assert "мало" in ended.out
    assert "меньше 50 чатов: выводов не делайте" in ended.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "kept.xlsx"], "kept.xlsx: такой файл уже есть, в нём может быть чья-то работа"),
        (["report", "kept.xlsx"], "Ни в одном файле нет ни одной оценки"),
    ],
)
async def test_invalid_command_line_needs_no_database(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    kept = save_xlsx(tmp_path / "kept.xlsx", [HEADING])
    before = kept.read_bytes()
    ended = await run_app(tmp_path, "agreement", *arguments, DATA_DIR="data")
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "data").exists()
    assert kept.read_bytes() == before
