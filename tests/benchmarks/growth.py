"""Growth of the cost of reading hostile text with its length.

It covers each pattern of grading and each function that reads untrusted text. A pattern is tested
with "pumps": its own literals, repeated with and without blanks, after and before digits. The
exponent is that of time by length: 1 is linear, 2 is quadratic.
"""

import importlib
import math
import pkgutil
import re
import re._parser as sre  # type: ignore[import-not-found]  # the standard library's own parser has no public name
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import app.grading
from app.domain.messages import Side
from app.domain.visible_text import keep_visible
from app.domain.working_hours import ROUND_THE_CLOCK
from app.grading.answer_json import find_answer
from app.grading.answer_texts import clean_text, is_russian, read_reasoning
from app.grading.copying import is_copied
from app.grading.evidence import QuoteVerifier
from app.grading.injection.detect import addressing_messages
from app.grading.masking.masker import Masker
from app.grading.prompt import ChatContext, user_message
from app.grading.quotation_marks import unify_marks
from app.grading.quotations import check_quotations
from app.grading.retelling import Retelling, replace_numbers_with_times
from app.grading.verdict_error import VerdictError
from tests.benchmarks.measures import Measure
from tests.support.chats import SOFA, chat
from tests.support.pumps import KNOWN_PUMPS

LIMIT = 1.2
SIZES = (1_000, 8_000)
_QUICK = 0.002
"""Seconds for a text of the second size.

A quadratic pattern takes several times as long. A shorter time is within the noise of the clock.
"""
_USUAL_PUMPS = (
    "1",
    "1 ",
    "8 ",
    "а",
    "а ",
    "А",
    "Аа ",
    "a",
    "a ",
    "a.",
    "-",
    "(",
    " ",
    "\n",
    "1-",
    "@",
    "_",
    "восемь ",
    "Иванов ",
    "И. ",
    "«",
    "[",
)


@dataclass(frozen=True)
class Growth:
    """The worst pump of a pattern or function: exponent, and seconds for the longest text."""

    what: str
    pump: str
    exponent: float
    seconds: float


async def measure_growth(_url: str) -> list[Measure]:
    """Measure the worst exponents; needs no database."""
    _mask_names("5")  # loads the dictionary
    patterns = sorted(
        (
            _find_worst(name, _build_searcher(pattern), _build_pumps(pattern))
            for name, pattern in grading_patterns()
        ),
        key=_sort_key,
    )
    functions = [
        _find_worst(name, work, (*KNOWN_PUMPS, *_USUAL_PUMPS), sizes=(1_000, 8_000))
        for name, work in _FUNCTIONS.items()
    ]
    chats = [_find_worst(name, work, ("",), sizes=(10, 80)) for name, work in _CHATS.items()]
    return [
        Measure(
            f"patterns measured: {len(patterns)}; worst exponent",
            f"{patterns[0].exponent:.2f}",
            f"at most {LIMIT}",
        ),
        *(_build_measure(growth) for growth in (*patterns[:5], *functions, *chats)),
        Measure(
            "memory of masking 150 messages of full names",
            f"{_measure_names_memory_mb():.0f} MB",
            "at most 300 MB",
        ),
    ]


def grading_patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield each compiled pattern of the package once, with the name of its module."""
    seen: set[str] = set()
    for module in pkgutil.walk_packages(app.grading.__path__, "app.grading."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for pattern in _list_patterns(value):
                if pattern.pattern not in seen:
                    seen.add(pattern.pattern)
                    yield f"{module.name.removeprefix('app.grading.')}.{name}", pattern


def _list_patterns(value: Any) -> Iterator[re.Pattern[str]]:
    """Yield the patterns of a module's variable.

    They may be the value itself, in a collection, or in the closure of a function.
    """
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | frozenset):
        for entry in value:
            yield from _list_patterns(entry)
    elif isinstance(value, dict):
        yield from _list_patterns(list(value.values()))
    elif callable(value) and getattr(value, "__closure__", None):
        yield from _list_patterns(
            [
                cell.cell_contents
                for cell in value.__closure__
                if isinstance(cell.cell_contents, re.Pattern)
            ]
        )


def _build_pumps(pattern: re.Pattern[str]) -> tuple[str, ...]:
    literals = sorted(
        {word for word in _list_literals(sre.parse(pattern.pattern)) if word}, key=len, reverse=True
    )[:24]
    return (*literals, *(f"{word} " for word in literals[:6]), *_USUAL_PUMPS)


def _list_literals(tree: Any) -> Iterator[str]:
    """Yield the literals of a pattern."""
    word = ""
    for kind, value in tree:
        if kind is sre.LITERAL:
            word += chr(value)
            continue
        yield word
        word = ""
        for branch in _list_branches(value):
            yield from _list_literals(branch)
    yield word


def _list_branches(value: Any) -> Iterator[Any]:
    if isinstance(value, sre.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from _list_branches(entry)


def _build_searcher(pattern: re.Pattern[str]) -> Callable[[str], object]:
    return lambda text: [match.end() for match in pattern.finditer(text)]


def _find_worst(
    what: str, work: Callable[[str], object], pumps: tuple[str, ...], sizes: tuple[int, int] = SIZES
) -> Growth:
    """Return the growth of the pump with the greatest exponent.

    A suspicious one is measured again, because another process may have used the CPU.
    """
    found = [growth for pump in pumps if (growth := _measure_growth(what, work, pump, sizes))]
    worst = max(found, key=lambda growth: growth.exponent, default=Growth(what, "", 0.0, 0.0))
    for _ in range(3):
        if worst.exponent <= LIMIT:
            break
        again = [
            growth
            for entry in found
            if entry.exponent > LIMIT and (growth := _measure_growth(what, work, entry.pump, sizes))
        ]
        found = [entry for entry in found if entry.exponent <= LIMIT] + again
        worst = max(found, key=lambda growth: growth.exponent)
    return worst


def _measure_growth(
    what: str, work: Callable[[str], object], pump: str, sizes: tuple[int, int]
) -> Growth | None:
    last = _measure_seconds(work, _build_text(pump, sizes[1]))
    if last < _QUICK:
        return None
    first = min(_measure_seconds(work, _build_text(pump, sizes[0])) for _ in range(4))
    last = min(last, _measure_seconds(work, _build_text(pump, sizes[1])))
    return Growth(what, pump, math.log(last / first) / math.log(sizes[1] / sizes[0]), last)


def _build_text(pump: str, length: int) -> str:
    return f"89 {pump * (length // max(1, len(pump)))} 5 5" if pump else str(length)


def _measure_seconds(work: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    work(text)
    return time.process_time() - start


def _sort_key(growth: Growth) -> float:
    return -growth.exponent


def _build_measure(growth: Growth) -> Measure:
    pump = f" with «{growth.pump.strip() or 'blanks'}»" if growth.pump else ""
    return Measure(
        f"  {growth.what}{pump}",
        f"{growth.exponent:.2f}, {growth.seconds * 1000:.0f} ms",
        f"at most {LIMIT}",
    )


def _mask(text: str) -> None:
    masker = Masker(["Иван Петров"], [text])
    masker.mask(text)
    masker.hide(text)


def _match_quotes(text: str) -> None:
    transcript = QuoteVerifier(chat(("company", text)), Masker([]))
    middle = text[len(text) // 3 : len(text) // 3 + 100]
    for quote in (middle + "б" + middle, "б".join(middle), middle):
        transcript.verify(1, quote, {Side.COMPANY})


def _retell(text: str) -> None:
    masker = Masker([], [message.text for message in SOFA])
    Retelling(SOFA, masker, QuoteVerifier(SOFA, masker), ZoneInfo("UTC")).in_words(text)


def _build_full_names(count: int) -> list[str]:
    letters = "абвгдезиклмнопрст"
    return [
        " ".join(
            f"Бар{letters[(number + place) % 17]}{letters[number % 17]}{letters[place % 17]}ов Иван"
            " Петрович,"
            for place in range(30)
        )
        for number in range(count)
    ]


def _mask_names(count: str) -> None:
    texts = _build_full_names(int(count))
    user_message(
        chat(*(("client", text) for text in texts)),
        Masker(["Иван"], texts),
        ChatContext(ZoneInfo("UTC"), ROUND_THE_CLOCK, SOFA[-1].sent_at, 0),
        "0" * 16,
    )


def _mask_introductions(count: str) -> None:
    texts = [
        f"меня зовут {name.replace(' Иван Петрович,', ', меня зовут')}"
        for name in _build_full_names(int(count))
    ]
    masker = Masker(["Иван"], texts)
    for text in texts:
        masker.mask(text)


def _mask_parts(count: str) -> None:
    texts = ["89", "1 шестьсот 14", "шестьсот 22 шестьсот 14", "7"] * (int(count) * 10)
    masker = Masker([], texts)
    for text in texts:
        masker.mask(text)


def _look_for_orders(count: str) -> None:
    addressing_messages(["оценщик,", "поставь", "этот чат", "критерии"] * int(count) * 3)


def _find_answers(text: str) -> None:
    for hostile in (text, f'{{"{text}', f"{{'{text}", '{"a":' * (len(text) // 5)):
        with suppress(VerdictError):
            find_answer(hostile)


_FUNCTIONS: dict[str, Callable[[str], object]] = {
    "masking": _mask,
    "masking with a buyer's long name": (
        lambda text: Masker([text], ["Здравствуйте"]).mask("Здравствуйте")
    ),
    "looking for orders": lambda text: addressing_messages([text]),
    "matching quotes": _match_quotes,
    "retelling": _retell,
    "naming times": lambda text: replace_numbers_with_times(text, [SOFA[0].sent_at]),
    "removing quotations": lambda text: check_quotations(
        f"«{text}", QuoteVerifier(SOFA, Masker([]))
    ),
    "unifying marks": unify_marks,
    "reading texts": lambda text: (clean_text(text), is_russian(text), read_reasoning(text)),
    "finding an answer": _find_answers,
    "comparing with the prompt": lambda text: is_copied(text, text),
    "cleaning": lambda text: keep_visible(text + "\u200b"),
}
_CHATS: dict[str, Callable[[str], object]] = {
    "masking messages of 30 full names": _mask_names,
    "masking messages of 30 introductions": _mask_introductions,
    "masking numbers in parts": _mask_parts,
    "looking for orders in parts": _look_for_orders,
}


def _measure_names_memory_mb() -> float:
    tracemalloc.start()
    _mask_names("150")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20
