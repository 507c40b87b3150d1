"""Command-line usage: Russian help, and one line for an invalid command line."""

from pathlib import Path

import pytest

from tests.support.command_line import run_app, run_in_new_interpreter


async def test_without_arguments_it_lists_commands_and_exit_codes(tmp_path: Path) -> None:
    ended = await run_in_new_interpreter(tmp_path)
    assert (ended.code, ended.err) == (0, "")
    for command in (
        "serve",
        "demo",
        "sync",
        "analyze",
        "regrade",
        "report",
        "doctor",
        "migrate",
        "sandbox",
        "webhook",
        "agreement",
    ):
        assert f" {command} " in ended.out
    assert "Код завершения: 0" in ended.out
    assert not [
        english for english in ("Usage", "Options", "Commands", "Show this") if english in ended.out
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "нет команды frobnicate"),
        (["sync", "--fast"], "нет параметра --fast"),
        (["sync", "everything"], "лишнее: everything"),
        (["report", "--date", "22.11.2026"], "--date: нужна дата ГГГГ-ММ-ДД"),
    ],
)
async def test_invalid_command_line_is_reported_in_one_line(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    ended = await run_app(tmp_path, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"avito-quality: {message}")
    assert ended.err.count("\n") == 1
