"""Summaries and advice from the model's answer to every reader.

All readers see the same text, with times and names instead of numbers and tokens.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.deepseek_faults import Json, edit_grading
from app.services.run_params import RegradeParams, RegradePeriod
from app.services.runs import submit, wait
from tests.support.stage import Stage

NOW = datetime.now(UTC)
MOSCOW = ZoneInfo("Europe/Moscow")
ASKED, ANSWERED = (
    "Здравствуйте! Это Анна, шкаф для Анны ещё есть?",
    "Анне отложу. Звоните 8 916 123-45-67",
)


async def add_late_talk(stage: Stage) -> datetime:
    """Add a chat answered after three working hours; return the answer's local time."""
    today = stage.clock().astimezone(MOSCOW).replace(hour=15, minute=7, second=0, microsecond=0)
    stage.clock.set(today.astimezone(UTC) + timedelta(hours=1))
    chat = stage.add_talk(("client", ASKED), minutes_ago=4 * 60)
    stage.avito.add_message(chat.id, "company", text=ANSWERED, at=today)
    await stage.sync()
    return today


async def detail(stage: Stage, report_id: int) -> dict[str, Any]:
    return dict((await stage.rest.get(f"/api/v1/reports/{report_id}")).json())


async def test_message_numbers_become_times_for_every_reader(stage: Stage) -> None:
    answered = await add_late_talk(stage)

    def number(answer: Json) -> None:
        answer["recommendations"] = [
            {"i": 2, "t": "Сообщение 2 пришло слишком поздно: отвечайте в течение часа."}
        ]

    stage.sandbox.deepseek.switches.fail(edit_grading(number), path="chat/completions")
    await stage.analyze()
    advice = (
        f"Сообщение от {answered:%d.%m} в 15:07 пришло слишком поздно: отвечайте в течение часа."
    )
    (report,) = await stage.reports()
    assert advice in report["recommendations"].splitlines()
    shown = await detail(stage, report["id"])
    (about,) = [one["message_id"] for one in shown["advice"] if one["text"] == advice]
    messages = (await stage.rest.get(f"/api/v1/chats/{report['chat_id']}")).json()["messages"]
    assert [message["text"] for message in messages if message["id"] == about] == [ANSWERED]
    assert not re.search(r"(?i)сообщени\w+ (№ ?)?\d", report["summary"] + report["recommendations"])
    span = {"start_date": "2020-01-01", "end_date": "2099-12-31", "format": "csv"}
    assert advice in (await stage.rest.get("/api/v1/reports", params=span)).text


async def test_model_texts_are_sanitized_for_every_reader(stage: Stage) -> None:
    answered = await add_late_talk(stage)

    def told(answer: Json) -> None:
        answer["summary"] = (
            "[ИМЯ_1] писала: «шкаф для [ИМЯ_1] ещё есть?», в сообщении № 2 ответ: «[ИМЯ_1] отложу."
            " Звоните [ТЕЛЕФОН_1]»."
        )
        answer["recommendations"] = [
            {
                "i": 2,
                "t": "Вместо «Звоните [ТЕЛЕФОН_1]» ответьте в чате, [ТЕЛЕФОН_1] дайте потом [2].",
            }
        ]

    stage.sandbox.deepseek.switches.fail(edit_grading(told), path="chat/completions", times=None)
    await stage.analyze()
    (report,) = await stage.reports()
    time = f"от {answered:%d.%m} в 15:07"
    assert (
        report["summary"]
        == f"Анна писала: «шкаф для Анны ещё есть?», в сообщении {time} ответ: «Анне отложу."
        " Звоните [телефон]»."
    )
    assert (
        report["recommendations"]
        == f"Вместо «Звоните [телефон]» ответьте в чате, телефон дайте потом (сообщение {time})."
    )

    period = RegradePeriod(start=NOW - timedelta(days=30), end=NOW + timedelta(days=30), limit=None)
    run_id = await submit(stage.service.database, RegradeParams(period=period), stage.service.clock)
    stage.service.worker.wake()
    assert (await wait(stage.service.database, run_id)).figures["regraded_reports"] == 1
    (again,) = await stage.rows("SELECT id FROM reports WHERE kind = 'regrade'")
    regrade = await detail(stage, again["id"])
    assert {name: regrade[name] for name in ("summary", "recommendations")} == {
        name: report[name] for name in ("summary", "recommendations")
    }
