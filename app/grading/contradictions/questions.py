"""What the buyer asks about: a price, a number of things, or the price of a quantity."""

import re

from app.grading.contradictions import words
from app.grading.masking.words import parse_word

_ASKS_PRICE = re.compile(
    r"(?<!\w)(?:цен[аеуы]\w{0,2}|поч[её]м|по чем|стои(?:т|мость)\w{0,2}|прайс|дорого"
    r"|денег|деньги|переведу|перевожу|дороже|даром|торг\w{0,2}|бесплатн\w{1,2}|бер[её]те"
    r"|обойд[её]тся"
    r"|ценник\w{0,2}|рубл\w{0,3}|отдадите|отда[её]те|по деньгам|прос(?:ите|ят)|с меня"
    r"|стоим\w{1,4}|выходит|выйдет|за какие|тыс\w{0,4}|тыщ\w{0,2})(?!\w)"
)
_HOW_MUCH = re.compile(
    r"(?<!\w)(?:сколько|скока|сколька|скок\w?|сколь)(?!\w)"
    r"(?: (?:у|вас|него|нее|них|там|тут|здесь|в|на|всего|было|уже|птс|ней|нем|примерно)(?!\w)){0,3}"
    r"(?: ([а-я]{2,30}))?"
)
_MEASURES = frozenset(
    {
        *("весить", "проехать", "пройти", "работать", "служить", "держать", "занимать"),
        *("вмещать", "потреблять", "остаться", "пользоваться", "носить", "тянуть", "ехать"),
        *("ждать", "жить", "лежать", "набегать", "накатать"),
    }
)
"""Verbs after «сколько» in a question about another measure."""
_CONDITION = re.compile(
    r"(?<!\w)если(?! (?:\w{1,10} ){0,2}(?:актуал|налич|продан|продали|продаете|есть|можно|секрет))"
)
_OWN_PRICE = re.compile(r"(?<!\w)(?:цена|ценник|стоит|стоят)(?!\w)")
_QUANTITY = re.compile(
    r"(?<!\w)(?:(?:\d{1,4}|дв[ае]|два|три|четыре|пять|шесть|семь|десять|пару|полтора) ?"
    r"(?:час|сут|дн|ноч|метр|м(?!\w)|шт|кг|кил|куб|литр|недел|месяц|мешк|рулон|упаков|раз|бут)"
    r"|неделя|неделю|полдня|полдень|на (?:день|сутки|месяц|год|выходные|ночь)(?!\w))"
)


def asks_price(text: str) -> bool:
    """Return whether a folded text asks for a price: «сколько хозяев» does not."""
    return bool(_ASKS_PRICE.search(text)) or any(
        not (found[1] and _is_counted(found[1])) for found in _HOW_MUCH.finditer(text)
    )


def _is_counted(word: str) -> bool:
    """Return whether «сколько» with this word asks for a number of things or another measure."""
    parses = parse_word(word)
    if not parses:
        return False
    tag = parses[0].tag
    if tag.POS in ("VERB", "INFN"):
        return parses[0].normal_form in _MEASURES
    return tag.POS == "NOUN" and "gent" in tag and "plur" in tag


def asks_under_condition(question: str, answer: str) -> bool:
    """Return whether a price without «цена» answers «если старый сдам?»."""
    return bool(_CONDITION.search(question)) and not _OWN_PRICE.search(answer)


def asks_quantity(question: str, answer: str, known: str) -> bool:
    """Return whether a price without a unit answers a question about a quantity or a time.

    ``known``: the text whose quantities do not count.
    """
    if words.names_part_of_set(question, known):
        return True
    return not words.list_units(answer) and any(
        found[0] not in known for found in _QUANTITY.finditer(question)
    )
