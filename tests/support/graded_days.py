"""Days of a company whose chats have the texts of the sandbox's dialogues."""

import hashlib
from datetime import timedelta
from itertools import cycle, islice

from app.sandbox.avito_state import AvitoChat, build_chat
from app.sandbox.catalogue import Dialogue, load_dialogues
from app.services.run_params import DailyParams
from app.services.runs import submit, wait
from tests.support.stage import Stage

_LETTERS = "абвгдежиклмнопрстуфхцчшэюя"


def add_dialogues(stage: Stage, chats: int) -> list[AvitoChat]:
    """Add chats to the Avito of a stage; their last messages are an hour or more old.

    Each text ends with a word of its own. Otherwise the replies would count as a bot's.
    """
    account, now = stage.avito.accounts[0], stage.clock()
    whole = [one for one in load_dialogues() if {"client", "company"} <= _list_sides(one)]
    return [
        account.put(build_chat(_change_words(dialogue, number), now))
        for number, dialogue in enumerate(islice(cycle(whole), chats))
    ]


async def run_days(stage: Stage, chats: list[AvitoChat], days: int) -> None:
    """Execute the daily run of several days.

    From the second day on, each buyer asks once more and is answered later. A sync follows every 15
    minutes while messages are new.
    """
    for day in range(days):
        if day:
            stage.clock.move(days=1)
            await _write(stage, chats, "client", f"Добрый день! Ещё вопрос: когда можно {day}?")
            await _write(stage, chats, "company", f"Здравствуйте! Завтра с 10 до 19, корпус {day}.")
        slot = stage.clock().date().isoformat()
        run_id = await submit(stage.service.database, DailyParams(), stage.clock, slot=slot)
        stage.service.worker.wake()
        run = await wait(stage.service.database, run_id)
        assert run.state == "done", run.message


async def _write(stage: Stage, chats: list[AvitoChat], side: str, words: str) -> None:
    stage.clock.move(minutes=40)
    for place, chat in enumerate(chats):
        at = stage.clock() - timedelta(minutes=15)
        text = f"{words} {_make_word(side, place, at)}"
        stage.avito.add_message(chat.id, side, text=text, at=at)  # type: ignore[arg-type]
    await stage.sync()
    for _ in range(2):  # a message can still be deleted
        stage.clock.move(minutes=15)
        await stage.sync()
    stage.clock.move(minutes=10)


def _list_sides(dialogue: Dialogue) -> set[str]:
    return {message.side for message in dialogue.messages}


def _change_words(dialogue: Dialogue, number: int) -> Dialogue:
    messages = [
        message.model_copy(update={"text": f"{message.text} {_make_word(number, place)}"})
        if message.type == "text"
        else message
        for place, message in enumerate(dialogue.messages)
    ]
    changed = {"key": f"{dialogue.key}-{number}", "messages": messages, "ended_minutes_ago": 60}
    return dialogue.model_copy(update=changed)


def _make_word(*parts: object) -> str:
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:8])
