"""Contacts and meetings from the chat to the report, the chat view, the summary and the mail."""

from typing import Any

from tests.support.digests import figures, summary
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

PHONE_TALK = (
    ("client", "Добрый день, сколько стоит доставка?"),
    ("company", "Добрый день! 500 рублей. Оставьте телефон, менеджер всё расскажет."),
    ("client", "8 900 000-00-02"),
)


async def fetch(stage: Stage, path: str) -> dict[str, Any]:
    answer = await stage.rest.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def grade(stage: Stage, *talks: Any) -> None:
    for number, talk in enumerate(talks):
        stage.add_talk(*talk, title=f"Лот {number}")
    await stage.sync()
    await stage.analyze()


async def test_report_and_chat_name_the_same_contact(stage: Stage) -> None:
    await grade(stage, GOOD_TALK, BAD_TALK, PHONE_TALK)
    found = {}
    for listed in await stage.reports():
        report, chat = (
            await fetch(stage, f"reports/{listed['id']}"),
            await fetch(stage, f"chats/{listed['chat_id']}"),
        )
        assert report["contact"] == chat["contact"]
        texts = {message["id"]: message["text"] for message in chat["messages"]}
        contact = report["contact"]
        found[listed["chat_title"]] = contact and (contact["kind"], texts[contact["message_id"]])
    assert found == {
        "Лот 0": ("meeting", GOOD_TALK[2][1]),
        "Лот 1": None,
        "Лот 2": ("buyer", PHONE_TALK[2][1]),
    }


async def test_chat_without_a_grade_shows_its_contact(stage: Stage) -> None:
    chat = stage.add_talk(("client", "Перезвоните: 8 900 000-00-02"))
    await stage.sync()
    shown = await fetch(stage, f"chats/{chat.id}")
    assert shown["reports"] == []
    assert shown["contact"] == {"kind": "buyer", "message_id": shown["messages"][0]["id"]}


async def test_mail_and_summary_have_the_same_share(stage: Stage) -> None:
    await grade(stage, GOOD_TALK, BAD_TALK, PHONE_TALK)
    day = (await stage.mail())["date"]
    counted = await summary(stage, mail=day)
    assert counted["contacts"] == {"count": 2, "n": 3, "share": 0.6667}
    assert counted["days"][0]["contacts"] == counted["accounts"][0]["contacts"]
    assert (await figures(stage))["contacts"] == {"count": 2, "n": 3}
    line = "Контакт оставлен или встреча назначена: 67 % (2 из 3 отчётов, мало данных)"
    assert line in stage.last_mail().replace("\u00a0", " ")


async def test_reports_of_earlier_versions_are_not_counted(stage: Stage) -> None:
    await grade(stage, GOOD_TALK, BAD_TALK)
    await stage.change("UPDATE reports SET detail = detail - 'contact' WHERE id = 1")
    assert (await fetch(stage, "reports/1"))["contact"] is None
    day = (await stage.reports())[0]["created_at"][:10]
    counted = await summary(stage, start_date=day, end_date=day)
    assert counted["contacts"]["n"] == 1
    await stage.change("UPDATE reports SET detail = detail - 'contact'")
    counted = await summary(stage, start_date=day, end_date=day)
    assert counted["contacts"] == {"count": 0, "n": 0, "share": None}
    await stage.mail()
    assert "Контакт оставлен" not in stage.last_mail()
