"""The command line as it is read: help in Russian, and one line for what cannot be understood."""

from pathlib import Path

import pytest

from tests.cli.processes import run_app, run_from_nothing


async def test_alone_it_lists_the_commands_and_the_exit_codes(tmp_path: Path) -> None:
    ended = await run_from_nothing(tmp_path)
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
    assert not [word for word in ("Usage", "Options", "Commands", "Show this") if word in ended.out]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "нет команды frobnicate"),
        (["sync", "--fast"], "нет параметра --fast"),
        (["sync", "everything"], "лишнее: everything"),
        (["report", "--date", "22.11.2026"], "--date: нужна дата ГГГГ-ММ-ДД"),
    ],
)
async def test_a_wrong_command_line_is_said_in_one_line(
    tmp_path: Path, words: list[str], said: str
) -> None:
    ended = await run_app(tmp_path, *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"avito-quality: {said}")
    assert ended.err.count("\n") == 1
