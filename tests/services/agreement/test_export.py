"""The exported label sheet.

It contains the messages that were graded and nothing of the model, and its texts are inert.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.adapters import read_rubric
from app.errors import NotFoundError
from app.services.agreement.export import Export, export_sheet
from app.services.agreement.rubric_texts import list_levels
from tests.support.label_sheets import HEADING, all_text, read_rows
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage


async def exported(
    stage: Stage,
    *,
    size: int = 100,
    seed: int = 1,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Export:
    settings = stage.service.settings
    return await export_sheet(
        stage.service.database,
        read_rubric(settings),
        settings.report_timezone,
        start=start,
        end=end,
        size=size,
        seed=seed,
    )


def reports_of(sheet: Export) -> list[int]:
    return [int(row[1]) for row in read_rows(sheet.content, "Оценки")[1:]]


def talks_of(sheet: Export) -> dict[int, list[tuple[str, str, str]]]:
    """Return the messages on the sheet by report."""
    talks: dict[int, list[tuple[str, str, str]]] = {}
    report = 0
    for first, second, third in read_rows(sheet.content, "Переписка"):
        if str(first).startswith("№"):
            report = int(str(second).removeprefix("отчёт "))
            talks[report] = []
        elif first:
            talks[report].append((str(first), str(second), str(third)))
    return talks


async def graded(stage: Stage) -> None:
    await stage.sync()
    await stage.analyze()


async def test_each_chat_has_the_messages_of_its_report(full_stage: Stage) -> None:
    await graded(full_stage)
    sheet = await exported(full_stage)
    listed = await full_stage.reports()
    assert sorted(reports_of(sheet)) == sorted(report["id"] for report in listed)
    assert (sheet.chats, sheet.available, sheet.accounts, sheet.changed, sheet.other_rubric) == (
        len(listed),
        len(listed),
        1,
        0,
        0,
    )
    talks, sides = talks_of(sheet), {"client": "Клиент", "company": "Компания"}
    heading, *rows = read_rows(sheet.content, "Оценки")
    assert heading == HEADING
    for row in rows:
        found = (await full_stage.rest.get(f"/api/v1/reports/{row[1]:.0f}")).json()
        chat = (await full_stage.rest.get(f"/api/v1/chats/{found['chat_id']}")).json()
        people = [message for message in chat["messages"] if message["side"] != "system"]
        ids = [message["id"] for message in people]
        window = people[
            ids.index(found["window"]["first"]["id"]) : ids.index(found["window"]["last"]["id"]) + 1
        ]
        assert [(side, at) for side, at, _ in talks[found["id"]]] == [
            (sides[message["side"]], f"{datetime.fromisoformat(message['sent_at']):%d.%m.%Y %H:%M}")
            for message in window
        ]
        for (_, _, shown), message in zip(talks[found["id"]], window, strict=True):
            assert re.sub(r"\W", "", shown) == re.sub(r"\W", "", message["text"])
        assert row[2] == found["window"]["count"] == len(window)
        assert not any(row[4:])
    await _small_draw_can_be_repeated(full_stage, listed)


async def _small_draw_can_be_repeated(stage: Stage, listed: list[dict[str, Any]]) -> None:
    """Check that a small sample is reproducible and contains every grade."""
    first, again, other = [
        reports_of(await exported(stage, size=25, seed=seed)) for seed in (4, 4, 5)
    ]
    assert first == again != other
    assert len(first) == 25 < len(listed)

    def strata(reports: list[dict[str, Any]]) -> set[tuple[str, str]]:
        return {
            (name, word)
            for report in reports
            for name, word in report.items()
            if name.endswith("_grade")
        }

    assert strata([report for report in listed if report["id"] in first]) == strata(listed)


async def test_file_does_not_depend_on_the_models_answers(stage: Stage) -> None:
    """All chats are drawn.

    No grade, score, text, quote, model name or flag can be in the file.
    """
    for talk in (GOOD_TALK, BAD_TALK):
        stage.add_talk(*talk)
    await graded(stage)
    first = await exported(stage)
    await stage.change("""
        UPDATE reports SET tonality_grade = 'Средняя', clarity_grade = 'Низкая',
            closure_grade = 'Средняя', score = 1, model = 'canary', fingerprint = 'canary',
            detail = '{}', cost_usd = 1,
            body = (body::jsonb || '{"summary": "canary", "recommendations": "canary"}'
                || '{"tonality_grade": "canary"}')::json
        """)
    second = await exported(stage)
    parts, others = (
        {name: text for name, text in all_text(sheet.content).items() if "core.xml" not in name}
        for sheet in (first, second)
    )
    assert parts == others
    assert 'state="hidden"' not in parts["xl/workbook.xml"]
    assert parts["xl/workbook.xml"].count("<sheet ") == 3


async def test_sheet_has_the_choices_and_the_rubric(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    await graded(stage)
    sheet = await exported(stage)
    grades = all_text(sheet.content)["xl/worksheets/sheet1.xml"]
    lists = re.findall(r'<dataValidation type="list".*?sqref="(\w)2".*?<formula1>"(.*?)"', grades)
    three = "Высокая,Средняя,Низкая,Не могу оценить"
    assert dict(lists) == {
        **dict.fromkeys("EFGHJ", three),
        "I": "Высокая,Средняя,Низкая,Нет возражений,Не могу оценить",
    }
    rubric = read_rubric(stage.service.settings)
    cells = [str(cell) for row in read_rows(sheet.content, "Критерии") for cell in row]
    for criterion, entry in rubric.criteria.items():
        assert criterion.label in cells
        assert entry.sentence in cells
        assert all(text in cells for _, text in list_levels(entry))
    assert not [
        cell for cell in cells if re.search(r"\b(high|medium|low|none|n|na|[a-z]+_[a-z]+)\b", cell)
    ], "codes are for the model"


async def test_links_connect_each_chat_and_its_messages(stage: Stage) -> None:
    for talk in (GOOD_TALK, BAD_TALK):
        stage.add_talk(*talk)
    await graded(stage)
    sheet = await exported(stage)
    pages = all_text(sheet.content)
    link = r'<hyperlink ref="([A-Z]+)(\d+)" location="\'(\w+)\'!A(\d+)"'
    there = re.findall(link, pages["xl/worksheets/sheet1.xml"])
    back = re.findall(link, pages["xl/worksheets/sheet2.xml"])
    assert [(column, row, page) for column, row, page, _ in there] == [
        ("D", "2", "Переписка"),
        ("D", "3", "Переписка"),
    ]
    assert back == [("A", target, "Оценки", row) for _, row, _, target in there]
    talks = read_rows(sheet.content, "Переписка")
    for place, (_, _, _, target) in enumerate(there, start=1):
        assert talks[int(target) - 1][0] == f"№ {place}"


async def test_hostile_text_stays_text(stage: Stage) -> None:
    """This includes text longer than a cell, which the writer would drop silently."""
    evil = (
        '=HYPERLINK("http://evil.example","x")',
        "@SUM(1+1)",
        "+7 900",
        "-1",
        "http://evil.example/a",
        "\u202etxt.exe\u200b",
        "а" * 70_000,
    )
    stage.add_talk(
        ("client", "Есть?"),
        ("company", "Да"),
        *(("client", "?"),) * len(evil),
        title='=cmd|" /C calc"!A0',
        client="=1+1",
    )
    await graded(stage)
    for place, words in enumerate(evil, start=3):
        await stage.change(
            "UPDATE messages SET text = :words WHERE id = (SELECT id FROM messages ORDER BY"
            " sent_at, id OFFSET :place LIMIT 1)",
            words=words,
            place=place - 1,
        )
    sheet = await exported(stage)
    shown = [text for _, _, text in talks_of(sheet)[1]]
    assert shown[2:7] == list(evil[:5])
    assert shown[7] == "txt.exe"
    assert "".join(shown[8:]) == evil[6]
    parts = all_text(sheet.content)
    assert not [name for name, text in parts.items() if "<f>" in text or "<f " in text]
    assert not [
        name
        for name, text in parts.items()
        if "evil.example" in text and name != "xl/sharedStrings.xml"
    ]
    assert not [
        row
        for row in read_rows(sheet.content, "Оценки")
        for cell in row
        if str(cell)[:1] in "=+-@" and cell
    ]


async def test_newest_report_of_each_chat_in_the_period_is_exported(stage: Stage) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK)
    await graded(stage)
    stage.avito.add_message(chat.id, "client", text="Ещё вопрос")
    await graded(stage)
    await stage.copy_first_report(1)
    await stage.change(
        "UPDATE reports SET kind = 'regrade', created_at = created_at + interval '1 day' WHERE id ="
        " 1001"
    )
    numbers = {report["chat_id"]: report["id"] for report in reversed(await stage.reports())}
    assert sorted(reports_of(await exported(stage))) == sorted(numbers.values())
    day = datetime(2026, 3, 1, tzinfo=UTC)
    await stage.change("UPDATE reports SET created_at = :day WHERE id = 1", day=day)
    first_of_chat = await exported(stage, start=day, end=day + timedelta(seconds=1))
    assert reports_of(first_of_chat) == [1]
    assert (
        len(talks_of(first_of_chat)[1])
        == (await stage.rows("SELECT window_messages FROM reports WHERE id = 1"))[0][
            "window_messages"
        ]
    )
    with pytest.raises(NotFoundError):
        await exported(stage, start=day - timedelta(days=2), end=day)


async def test_chat_changed_since_its_grading_is_omitted_and_counted(
    stage: Stage,
) -> None:
    chat = stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK)
    await graded(stage)
    between = datetime.fromtimestamp(chat.messages[1].created, UTC) + timedelta(seconds=5)
    stage.avito.add_message(chat.id, "company", text="Забыли", at=between)
    await stage.sync(full=True)
    sheet = await exported(stage)
    assert (sheet.chats, sheet.changed) == (1, 1)
    assert [len(messages) for messages in talks_of(sheet).values()] == [len(BAD_TALK)]


async def test_chats_graded_with_another_rubric_are_counted(stage: Stage) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK)
    await graded(stage)
    await stage.change("UPDATE reports SET prompt_version = 'older' WHERE id = 1")
    assert (await exported(stage)).other_rubric == 1
