"""Planted defects: ten kinds of faults are put into good dialogues; how many are found?

The local model's rules grade the dialogues. With DEEPSEEK_BASE_URL and DEEPSEEK_API_KEY (and
DEEPSEEK_MODEL) in the environment a real model grades them, and its steadiness can be compared.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from app.adapters import open_grader
from app.clients.deepseek import DeepSeekError
from app.domain.criteria import Criterion
from app.domain.critical import CriticalFault
from app.domain.grades import Grade
from app.domain.messages import ChatMessage, Side
from app.grading.verdict import Verdict
from app.sandbox.server import Sandbox
from app.services.analysis.grader import Grader, UngradedError
from tests.benchmarks.measures import Measure
from tests.support.dialogues import HOURS_TEXT, load_dialogues
from tests.support.stage import stage_settings

IN_FLIGHT = 16
_GOOD = (3, 5, 9, 16, 17, 21, 22, 24, 26, 30, 41, 42)
"""Dialogues without a fault, by number."""

Talk = Sequence[ChatMessage]


@dataclass(frozen=True)
class Defect:
    """A kind of fault. ``plant``: returns the dialogue with it. ``shows``: the verdict names it."""

    name: str
    plant: Callable[[Talk], Talk]
    shows: Callable[[Verdict], bool]


def _lowers(*criteria: Criterion) -> Callable[[Verdict], bool]:
    return lambda verdict: any(
        verdict.grades[criterion] in {Grade.MEDIUM, Grade.LOW} for criterion in criteria
    )


def _finds(fault: CriticalFault) -> Callable[[Verdict], bool]:
    return lambda verdict: fault in {found.fault for found in verdict.critical}


def _append(talk: Talk, *turns: tuple[Side, str]) -> Talk:
    """Add messages three minutes apart."""
    last = talk[-1]
    added = (
        ChatMessage(last.id + place, side, last.sent_at + timedelta(minutes=3 * place), text, True)
        for place, (side, text) in enumerate(turns, start=1)
    )
    return [*talk, *added]


def _edit_first_answer(talk: Talk, edit: Callable[[str], str]) -> Talk:
    place = next(i for i, message in enumerate(talk) if message.side is Side.COMPANY)
    edited = replace(talk[place], text=edit(talk[place].text))
    return [*talk[:place], edited, *talk[place + 1 :]]


def _drop_greeting(text: str) -> str:
    for greeting in ("Здравствуйте!", "Добрый день!", "Доброе утро!", "Добрый вечер!"):
        text = text.replace(greeting, "").strip()
    return text


def _delay_first_answer(talk: Talk) -> Talk:
    """Move everything from the first answer on by a day of working hours."""
    place = next(i for i, message in enumerate(talk) if message.side is Side.COMPANY)
    later = timedelta(days=7)
    return [
        *talk[:place],
        *(replace(message, sent_at=message.sent_at + later) for message in talk[place:]),
    ]


BUYER, SELLER = Side.CLIENT, Side.COMPANY
_BYE = (BUYER, "Понятно, спасибо")

DEFECTS = (
    Defect(
        "wrong price",
        lambda talk: _append(
            talk,
            (BUYER, "Сколько всего с меня, ещё раз?"),
            (SELLER, "4 500 рублей."),
            (BUYER, "Хорошо"),
            (SELLER, "Ой, нет, я ошибся, 5 900 рублей. Точнее, 6 400 рублей."),
            _BYE,
        ),
        _lowers(Criterion.PROFESSIONALISM, Criterion.CLARITY),
    ),
    Defect(
        "false availability",
        lambda talk: _append(
            talk,
            (SELLER, "Всё в наличии, приезжайте."),
            (BUYER, "Я приехал, куда заходить?"),
            (SELLER, "Ой, вчера продали, забыл снять объявление."),
            (BUYER, "Я час ехал…"),
            (SELLER, "Ну вот так вышло."),
        ),
        _finds(CriticalFault.FALSE_AVAILABILITY),
    ),
    Defect(
        "insult",
        lambda talk: _append(
            talk, (BUYER, "А чек будет?"), (SELLER, "Чек будет. Достал уже, идиот."), _BYE
        ),
        _finds(CriticalFault.INSULT),
    ),
    Defect(
        "ignored question",
        lambda talk: _append(
            talk,
            (BUYER, "А гарантия какая и есть ли парковка рядом?"),
            (SELLER, "Работаем без выходных с 9 до 18."),
            _BYE,
        ),
        _lowers(Criterion.CLARITY, Criterion.PROBLEM_SOLVING, Criterion.CLOSURE),
    ),
    Defect(
        "payment outside Avito",
        lambda talk: _append(
            talk,
            (BUYER, "Можно оплатить через Авито?"),
            (SELLER, "Нет, только перевод на карту вперёд и прямо сейчас, через Авито не продаю."),
            _BYE,
        ),
        _finds(CriticalFault.OUTSIDE_PAYMENT),
    ),
    Defect(
        "no greeting",
        lambda talk: _edit_first_answer(talk, _drop_greeting),
        _lowers(Criterion.TONALITY),
    ),
    Defect("late answer", _delay_first_answer, _lowers(Criterion.PROFESSIONALISM)),
    Defect(
        "contact refused",
        lambda talk: _append(
            talk,
            (BUYER, "Дайте, пожалуйста, адрес и телефон, чтобы вас найти"),
            (SELLER, "Не дам, мне это не нужно."),
            _BYE,
        ),
        _lowers(Criterion.PROBLEM_SOLVING),
    ),
    Defect(
        "pressure",
        lambda talk: _append(
            talk,
            (BUYER, "Я подумаю до завтра"),
            (SELLER, "Думайте быстрее, мне некогда вас ждать. Через час отдам другому."),
            _BYE,
        ),
        _lowers(Criterion.TONALITY),
    ),
    Defect(
        "unanswered objection",
        lambda talk: _append(
            talk,
            (BUYER, "Всё-таки дорого, у других видел дешевле"),
            (SELLER, "Работаем без выходных с 9 до 18."),
            _BYE,
        ),
        _lowers(Criterion.OBJECTION_HANDLING),
    ),
)


async def measure_defects(url: str) -> list[Measure]:
    """Grade the good dialogues, then each with each defect; print the recall of each kind."""
    good = [dialogue for dialogue in load_dialogues() if dialogue.number in _GOOD]
    async with _open_grader(url) as (grader, whose):
        clean = await _grade_all(grader, [dialogue.messages for dialogue in good])
        usable = [
            (dialogue.messages, verdict)
            for dialogue, verdict in zip(good, clean, strict=True)
            if verdict
        ]
        rows = [Measure("good dialogues graded", f"{len(usable)} of {len(good)}", whose)]
        for defect in DEFECTS:
            base = [talk for talk, verdict in usable if not defect.shows(verdict)]
            found = await _grade_all(grader, [defect.plant(talk) for talk in base])
            recall = sum(verdict is not None and defect.shows(verdict) for verdict in found)
            share = f"{recall / len(base):.0%}" if base else "–"
            rows.append(Measure(f"found: {defect.name}, n={len(base)}", share, ""))
        false = [
            defect.name for _, verdict in usable for defect in DEFECTS if defect.shows(verdict)
        ]
        total = len(usable) * len(DEFECTS)
        rows.append(Measure(f"found in good dialogues, n={total}", f"{len(false) / total:.1%}", ""))
        return rows


@asynccontextmanager
async def _open_grader(url: str) -> AsyncIterator[tuple[Grader, str]]:
    """The grader of the environment's model, or of the local one, and whose grades they are."""
    async with Sandbox() as sandbox:
        environment: Mapping[str, str] = sandbox.environment()
        real = {name: value for name, value in os.environ.items() if name.startswith("DEEPSEEK_")}
        whose = real.get("DEEPSEEK_MODEL", "a real model") if real else "the local rules"
        settings = stage_settings(url, {**environment, **real}, working_hours=HOURS_TEXT)
        async with open_grader(settings) as grader:
            yield grader, whose


async def _grade_all(grader: Grader, talks: Sequence[Talk]) -> list[Verdict | None]:
    free = asyncio.Semaphore(IN_FLIGHT)

    async def grade(talk: Talk) -> Verdict | None:
        async with free:
            try:
                moment = talk[-1].sent_at + timedelta(days=1)
                grading = await grader.grade(talk, names=(), earlier=0, graded_at=moment)
            except (DeepSeekError, UngradedError):
                return None
            return grading.verdict

    return list(await asyncio.gather(*map(grade, talks)))
