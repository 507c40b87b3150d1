"""Find data that were sent in fragments: «почта», «petrov.ivan», «@mail.ru»."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from app.grading.masking.detectors import personal_data
from app.grading.masking.finders import Found

_LONGEST_FRAGMENT = 40
_LONGEST_OPENER = 60
_MOST_FRAGMENTS = 5
_FRAGMENT = re.compile(r"(?:[^\s]{1,40}\s{1,3}){0,3}[^\s]{1,40}")
_OPENER = re.compile(
    r"(?i)(?<!\w)(?:адрес\w{0,2}|ехать|везти|куда|записывай\w{0,2}|тг|телег\w{1,6}"
    r"|телеграм\w{0,3}|инст[аеу]|инстаграм\w{0,2}|вк|ник|мыло|почт[ауые]|e-?mail|[иеэ]-?мейл"
    r"|емайл|электронк[ауи]|логин|дискорд\w{0,1})(?!\w)"
)
_ABOUT_ACCOUNT = re.compile(
    r"(?i)(?<!\w)(?:тг|телег|телеграм|инст|вк(?!\w)|ник(?!\w)|логин|дискорд)"
)
_ROOM = re.compile(
    r"(?i)\W{0,3}(?:(?:кв|квартира|дом|д|корпус|корп|подъезд|этаж|домофон|парадная|офис|участок"
    r"|уч)\.? ?\d{1,5}|\d{1,3} ?(?:подъезд|этаж|кв))"
)
_STREET_ALONE = re.compile(
    r"(?i)\W{0,3}(?:(?:г|город)\.? ?)?(?:[а-яё-]{3,20}, )?(?:ул|улица|пр|проспект|пер|переулок"
    r"|мкр|микрорайон"
    r"|бульвар|шоссе|наб|набережная|проезд|пос[её]лок|пос|снт|село|деревня|жк)[. ] ?"
    r"[а-яё\d-]{2,25}(?: [а-яё-]{3,25})?\W{0,3}"
    r"|\W{0,3}[а-яё-]{3,25}(?: [а-яё-]{3,25})? (?:улица|проспект|переулок|микрорайон|бульвар|шоссе"
    r"|набережная|проезд)\W{0,3}"
)
# The house may begin a longer message: «дом 5, кв 3. Котёнок готов к переезду».
_HOUSE_FIRST = re.compile(
    r"(?i)\W{0,3}(?:(?:дом|д|кв|квартира|корпус|подъезд)\.? ?№? ?\d{1,4}"
    r"|(?:[а-яё]{3,12} )?[а-яё]{3,14}(?:ый|ий|ой|ая) (?:дом|подъезд|квартира|корпус)"
    r"|\d{1,4}[а-г]?(?:[,.]|$))"
)
_NICK = re.compile(
    r"(?<![\w@.-])@?(?=[\w.]{0,31}[A-Za-z])(?=[\w.]{0,31}[_\d.])[A-Za-z_][\w.]{2,31}(?<!\.)"
    r"(?![\w@.-])"
)
_NICK_ALONE = re.compile(r"\W{0,3}@?[A-Za-z_.][\w.]{2,31}\W{0,3}")


def data_in_fragments(texts: Sequence[str]) -> dict[str, list[Found]]:
    """Return what is personal in each short message together with its neighbours."""
    found: dict[str, list[Found]] = {}
    for window in _windows(texts):
        for text, part in _found_in(window):
            if all(
                part[1] <= other[0] or part[0] >= other[1] for other in found.setdefault(text, [])
            ):
                found[text].append(part)
    return found


def _windows(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield runs of short messages that may hold one datum.

    A run begins with a message that announces an address or account or is a street, or surrounds
    one that is only a flat or house.
    """
    after = 0
    for index, text in enumerate(texts):
        if index < after or not _may_open(text):
            continue
        first = _first_of_window(texts, index, after) if _is_room(text) else index
        after = _end_of_window(texts, index)
        if after - first > 1:
            yield list(texts[first:after])


def _may_open(text: str) -> bool:
    return len(text) <= _LONGEST_OPENER and bool(
        _is_room(text) or _STREET_ALONE.fullmatch(text) or _OPENER.search(text)
    )


def _is_room(text: str) -> bool:
    return bool(_ROOM.match(text)) and _is_fragment(text)


def _is_fragment(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_FRAGMENT and bool(_FRAGMENT.fullmatch(text.strip()))


def _first_of_window(texts: Sequence[str], index: int, least: int) -> int:
    first = index
    while first > max(0, index - 2, least) and _is_fragment(texts[first - 1]):
        first -= 1
    return first


def _end_of_window(texts: Sequence[str], index: int) -> int:
    following = texts[index + 1 : index + 1 + _MOST_FRAGMENTS]
    count = len(list(takewhile(_is_fragment, following)))
    if not count and following and _STREET_ALONE.fullmatch(texts[index]):
        count = int(bool(_HOUSE_FIRST.match(following[0])))
    return index + 1 + count


def _found_in(window: Sequence[str]) -> Iterator[tuple[str, Found]]:
    """Yield each message with what is personal in it according to the joined messages."""
    joined, place = " ".join(window), 0
    found = [datum for datum in personal_data(joined) if datum[2] in {"АДРЕС", "ПОЧТА"}]
    for text in window:
        for start, end, kind, key in found:
            first, last = max(start - place, 0), min(end - place, len(text))
            if first < last:
                yield text, (first, last, kind, key)
        place += len(text) + 1
    if _ABOUT_ACCOUNT.search(window[0]):
        yield from _nicks(window[1:])


def _nicks(texts: Sequence[str]) -> Iterator[tuple[str, Found]]:
    """Yield the parts of a name of an account; each stands alone in its message."""
    nicks = [
        (text, match)
        for text in texts
        if (match := _NICK.search(text)) and _NICK_ALONE.fullmatch(text)
    ]
    key = "".join(match[0].lower() for _, match in nicks)
    return ((text, (*match.span(), "НИК", key)) for text, match in nicks)
