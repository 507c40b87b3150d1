"""Find numbers that were sent in parts, one after another: «8916», «204», «17 33»."""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from app.grading.masking.finders import Found, uniform
from app.grading.masking.spoken_numbers import SPOKEN_WORD, digit_readings, may_be_spoken

_MOST_PARTS = 8
_MOST_READINGS = 16
_MOST_DIGITS = 19
_MOST_WORDS_ASIDE = 4
_LONGEST_PART_TEXT = 80
_MOST_TEXTS_ASIDE = 2
_END = "\0" * (_LONGEST_PART_TEXT + 1)
_ITEM = rf"(?:\d{{1,16}}|(?<!\w){SPOKEN_WORD}(?!\w))"
_ASIDE = r"(?i:потом|затем|дальше|и|а|ага|так|тире|дефис|пробел|ещ[её])(?!\w)"
_RUN = re.compile(
    rf"(?:\+|(?<!\w)(?i:плюс) )? ?\(?{_ITEM}"
    rf"(?:(?:[ ().,_-]{{0,3}}|(?:[ ,]{{1,3}}{_ASIDE}){{1,3}}[ ,]{{1,3}}){_ITEM}){{0,15}}"
    rf"(?![A-Za-z])"
)
_DIGIT = re.compile(r"\d")
# A text that offers a number may hold more words beside the part.
_OFFER = re.compile(
    r"(?i)(?<!\w)(?:мой|моя|номер\w{0,2}|тел\w{0,6}|звон\w{0,8}|позвон\w{0,8}|набер\w{0,6}"
    r"|набира\w{0,4}|запиш\w{1,4}|записыва\w{1,4}|вот|диктую|дальше|потом|карт\w{1,2})(?!\w)"
)
_MOST_OFFERING_WORDS = 12
_TERM = re.compile(
    r"(?i)^\W{0,3}(?:[а-яё]{2,10}\W{1,3}){0,3}((?:0[1-9]|1[0-2]) ?[/.] ?(?:20)?[2-3]\d)"
    r"(?![\d./])(?:\W{1,3}(?:cvv|cvc|код|цвв)?\W{0,3}(\d{3})(?!\d))?"
)
_MOST_BLANKS = 14
_WORD = re.compile(r"[^\W\d_]{1,40}")
_OUT_OF_ALL = re.compile(
    r"(?i)(?:последн|перв|дальше|следующ)\w{1,4} (?:две|три|четыре|пять|2|3|4)(?: цифр\w)?"
    r"(?!\w)|(?:две|три|четыре|2|3|4) цифр\w"
)
_COUNTED = re.compile(
    r"(?i)[₽%$€]|\d:\d|(?<!\w)(?:р|руб\w{0,6}|тыс\w{0,4}|к|т\.?р|шт\w{0,4}|штук\w?"
    r"|час(?:а|ов|ы|ик\w)?|мин\w{0,4}|лет|год\w{0,2}|дн\w{1,3}|размер\w{0,2}|метр\w{0,2}|м|см"
    r"|мм|кг|гб|км|этаж|цен\w|торг|скидк\w|итого|всего|доставк\w|куплю|возьму|беру|заберу|отдам"
    r"|января|феврал\w|март\w|апрел\w|ма[яй]|июн\w|июл\w|август\w|сентябр\w|октябр\w|ноябр\w"
    r"|декабр\w)(?!\w)"
)
_PHONE = re.compile(r"[78][3-9]\d{9}|9\d{9}|375\d{9}|380\d{9}|99[2-68]\d{9}")
_CARD = re.compile(r"[2-6]\d{15}")
_PAPER = re.compile(r"\d{10}")
_PAPER_WORD = re.compile(r"(?i)паспорт|серия|права|водительск|(?<!\w)ву(?!\w)")
_CARD_WORD = re.compile(r"(?i)карт|сбер|тинь|перевод|перевед|кидай|скин")


class _Part(NamedTuple):
    """The only figures of a short message, and the digits that they may spell."""

    text: str
    span: tuple[int, int]
    readings: list[str]


def numbers_in_parts(texts: Sequence[str]) -> dict[str, Found]:
    """Return the part in each text that holds one; the parts of a number share kind and key."""
    found: dict[str, Found] = {}
    for parts, context, next_text in _runs(texts):
        about = context + " ".join(part.text for part in parts[:_MOST_PARTS])
        for kind, key, first, last in _numbers([part.readings for part in parts], about):
            found.update({part.text: (*part.span, kind, key) for part in parts[first:last]})
            if kind == "КАРТА" and last == len(parts) and (term := _TERM.match(next_text)):
                found[next_text] = (term.start(1), term.end(), kind, f"{key} {term[1]}")
    return found


def _runs(texts: Sequence[str]) -> Iterator[tuple[list[_Part], str, str]]:
    """Yield parts that follow each other, the end of the text before them and the text after."""
    run: list[_Part] = []
    context, aside = "", 0
    for text in [*texts, _END]:
        if part := _find_part(text):
            run.append(part)
            aside = 0
            continue
        aside += 1
        if run and aside <= _MOST_TEXTS_ASIDE and _is_small_talk(text):
            continue
        if run:
            yield run, context, text
        run, context = [], text[-_LONGEST_PART_TEXT:]


def _is_small_talk(text: str) -> bool:
    """Accept a short text without figures between the parts of a number: «Щас остальное»."""
    return (
        len(text) <= _LONGEST_PART_TEXT // 2 and not _DIGIT.search(text) and not may_be_spoken(text)
    )


def _find_part(text: str) -> _Part | None:
    if not _may_hold_part(text):
        return None
    plain = _OUT_OF_ALL.sub(lambda match: "-" * len(match[0]), uniform(text))
    runs = list(_RUN.finditer(plain))
    if len(runs) != 1 or _COUNTED.search(plain):
        return None
    start, end = runs[0].span()
    start += len(runs[0][0]) - len(runs[0][0].lstrip())
    aside = _WORD.findall(plain[:start] + " " + plain[end:])
    if len(aside) > (_MOST_OFFERING_WORDS if _OFFER.search(plain) else _MOST_WORDS_ASIDE):
        return None
    readings = digit_readings(plain[start:end].replace("+", " ").lower().replace("плюс", " "))
    return _Part(text, (start, end), readings) if readings else None


def _may_hold_part(text: str) -> bool:
    if not text or len(text) > _LONGEST_PART_TEXT or text.count(" ") > _MOST_BLANKS:
        return False
    has_few_words = len(_WORD.findall(text)) <= _MOST_OFFERING_WORDS
    return bool(has_few_words and _DIGIT.search(text)) or may_be_spoken(text)


def _numbers(parts: Sequence[list[str]], context: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield (kind, digits, first, after the last) of each number of two or more parts in a row."""
    first = 0
    while first < len(parts) - 1:
        for last in range(min(len(parts), first + _MOST_PARTS), first + 1, -1):
            number = _read_number(parts[first:last], context)
            if number:
                yield *number, first, last
                first = last - 1
                break
        first += 1


def _read_number(parts: Sequence[list[str]], context: str) -> tuple[str, str] | None:
    for count, reading in enumerate(product(*parts)):
        digits = "".join(reading)
        if count > _MOST_READINGS or len(digits) > _MOST_DIGITS:
            break
        if _PHONE.fullmatch(digits):
            return "ТЕЛЕФОН", digits[-10:]
        if _CARD.fullmatch(digits) and (_CARD_WORD.search(context) or _is_in_fours(reading)):
            return "КАРТА", digits
        if _PAPER.fullmatch(digits) and _PAPER_WORD.search(context):
            return "ПАСПОРТ", digits
    return None


def _is_in_fours(parts: Sequence[str]) -> bool:
    return len(parts) == 4 or all(len(part) % 4 == 0 for part in parts)
