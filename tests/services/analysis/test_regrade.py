"""Regrading a period: stored beside the old reports, on the same messages, outside the figures."""

from datetime import timedelta
from typing import Any

import pytest

from app.cli import actions
from app.cli.estimates import estimate_analyze, estimate_regrade
from app.cli.process import ExitCode
from app.cli.regrades import show_regrades
from app.errors import SettingsError
from app.sandbox.deepseek_faults import BLANK, UNAUTHORIZED, edit_grading
from tests.support.regrades import NOW, PERIOD, regrade
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage


async def graded(stage: Stage) -> list[dict[str, Any]]:
    stage.add_talk(*GOOD_TALK, title="Диван")
    stage.add_talk(*BAD_TALK, title="Шкаф")
    await stage.sync()
    await stage.analyze()
    return await stage.reports()


async def test_regrade_is_stored_beside_the_report_and_not_counted(stage: Stage) -> None:
    before = await graded(stage)
    run = await regrade(stage)
    assert (run.state, run.figures) == ("done", {"regraded_reports": 2, "failed_reports": 0})
    rows = await stage.rows("SELECT * FROM reports ORDER BY id")
    assert [row["kind"] for row in rows] == ["grading", "grading", "regrade", "regrade"]
    originals = {row["id"]: row for row in rows[:2]}
    for row in rows[2:]:
        original = originals[row["regrade_of_id"]]
        same = (
            "chat_id",
            "first_message_id",
            "last_message_id",
            "window_messages",
            "tonality_grade",
            "score",
            "model",
            "prompt_version",
        )
        assert {name: row[name] for name in same} == {name: original[name] for name in same}
        assert row["body"]["id"] == row["id"]
        assert row["digest_id"] is None
    assert await stage.reports() == before
    assert (await stage.mail())["send_reports"] == 2
    assert (
        await stage.rows("SELECT 1 FROM reports WHERE kind = 'regrade' AND digest_id IS NOT NULL")
        == []
    )
    detail = (await stage.rest.get(f"/api/v1/reports/{rows[2]['id']}")).json()
    assert detail["kind"] == "regrade"


async def test_regrade_uses_the_same_messages_after_new_ones(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    stage.avito.add_message(chat.id, "client", text="А завтра можно?")
    await stage.sync()
    first = stage.sandbox.deepseek.requests[0].body["messages"][1]["content"].splitlines()[1]
    await regrade(stage)
    second = stage.sandbox.deepseek.requests[-1].body["messages"][1]["content"].splitlines()[1]
    assert second == first


async def test_changes_are_shown(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    await graded(stage)
    same = await regrade(stage)
    await show_regrades(stage.service.database, same.id)
    assert "Модель и рубрика те же" in capsys.readouterr().out

    def ruder(answer: dict[str, Any]) -> None:
        answer["criteria"]["tonality"]["checks"] = dict.fromkeys(
            answer["criteria"]["tonality"]["checks"], "n"
        )

    stage.sandbox.deepseek.switches.fail(edit_grading(ruder), path="chat/completions", times=None)
    other = await regrade(stage)
    await show_regrades(stage.service.database, other.id)
    expected_text = capsys.readouterr().out
    assert "Высокая → Низкая: 1" in expected_text
    assert "(2 пары)" in expected_text
    (line,) = [line for line in expected_text.splitlines() if "Диван" in line]
    assert "тональность Высокая → Низкая" in line


async def test_revoked_key_stops_a_regrade_and_a_failed_report_does_not(stage: Stage) -> None:
    await graded(stage)
    blank = stage.sandbox.deepseek.switches.fail(BLANK, path="chat/completions", times=2)
    run = await regrade(stage, PERIOD.model_copy(update={"limit": 1}))
    assert (run.state, run.figures) == ("done", {"regraded_reports": 0, "failed_reports": 1})
    blank.times = 0
    stage.sandbox.deepseek.switches.fail(UNAUTHORIZED, path="chat/completions", times=None)
    run = await regrade(stage)
    assert run.state == "failed"
    assert run.message
    assert "DeepSeek не принял ключ" in run.message
    assert await stage.rows("SELECT 1 FROM reports WHERE kind = 'regrade'") == []


async def test_estimate_sends_no_request_and_is_close_to_the_cost(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = stage.service.settings
    for number in range(3):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    stage.add_talk(("client", "Алло?"), minutes_ago=35)
    stage.add_talk(*GOOD_TALK, ("client", "А доставка?"), minutes_ago=5)
    await stage.sync()
    await stage.analyze(limit=1)
    asked = len(stage.sandbox.deepseek.requests)
    before = await stage.rows("SELECT * FROM chats ORDER BY id")
    assert await estimate_analyze(settings, limit=None, chat_ids=[], force=False) == 0
    expected_text = capsys.readouterr().out
    assert "К оценке: 2 чата." in expected_text
    assert "будут пропущены: 1 чат (нет ответа компании: 1)" in expected_text
    assert "Подождут, разговор ещё идёт: 1 чат." in expected_text
    assert "Ничего не отправлено." in expected_text
    assert len(stage.sandbox.deepseek.requests) == asked
    assert await stage.rows("SELECT * FROM chats ORDER BY id") == before
    await stage.analyze()
    spent = (await stage.rows("SELECT sum(cost_usd)::float8 AS usd, count(*) AS n FROM reports"))[0]
    today = stage.clock().astimezone(settings.report_timezone).date()
    assert (
        await estimate_regrade(settings, since=today - timedelta(days=1), until=None, limit=None)
        == 0
    )
    about, most = _dollars(capsys.readouterr().out)
    assert 0.5 * spent["usd"] < about < 2 * spent["usd"]
    assert about < most


async def test_estimate_names_unknown_chats(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    known = stage.add_talk(*GOOD_TALK).id
    await stage.sync()
    settings = stage.service.settings
    assert (
        await estimate_analyze(settings, limit=None, chat_ids=[known, "нет-такого"], force=False)
        == ExitCode.FAILED
    )
    expected_text = capsys.readouterr().out
    assert "К оценке: 1 чат." in expected_text
    assert "не найдены чаты: нет-такого." in expected_text
    with pytest.raises(SettingsError, match="--chat: не найдены чаты: нет-такого"):
        await estimate_analyze(settings, limit=None, chat_ids=["нет-такого"], force=False)


def _dollars(expected_text: str) -> list[float]:
    (line,) = [line for line in expected_text.splitlines() if line.startswith("Деньги")]
    return [float(word.replace(",", ".")) for word in line.split() if word[0].isdigit()]


async def test_interrupted_regrade_continues_only_with_the_same_model(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """A caller who sees the wrong model stops the run, changes the setting and calls again."""
    await graded(stage)
    wrong = stage.service.settings
    right = wrong.model_copy(update={"deepseek_model": "deepseek-v4-pro"})
    async with stage.resting():
        for settings in (wrong, right, right):
            await actions.regrade(
                settings, since=NOW.date() - timedelta(days=1), until=None, limit=None
            )
            await stage.change("UPDATE runs SET state = 'interrupted' WHERE slot IS NULL")
    rows = await stage.rows(
        "SELECT model, count(*) AS n FROM reports WHERE kind = 'regrade' GROUP BY model ORDER BY"
        " model"
    )
    assert [tuple(row.values()) for row in rows] == [("deepseek-flash", 2), ("deepseek-v4-pro", 2)]
    assert "Такой же запрос уже выполнялся" in capsys.readouterr().out
