"""Names that no second word proves: found by morphology and by the text around them."""

import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import NamedTuple

from app.grading.masking.first_names import ambiguous_names, folded
from app.grading.masking.full_names import continues_name
from app.grading.masking.name_surroundings import (
    ABBREVIATED,
    GREETED,
    HERO,
    HONORIFIC,
    INTRODUCTION,
    LOOK_BACK,
    SELF,
    is_named_by_context,
    is_spoken_to,
    may_be_name,
)
from app.grading.masking.name_things import is_animal, is_product, is_second_in_title, names_thing
from app.grading.masking.name_words import (
    CAUCASIAN,
    FAMILY,
    NameToken,
    is_diminutive,
    is_first_name,
    is_latin_name,
    is_latin_surname,
    is_plain_word,
    is_surname,
    is_vocative,
)
from app.grading.masking.nicknames import is_foreign_vocative, is_nickname

_IN_SHOP = re.compile(r"(?i)(?<!\w)(?:в|из) $")


class _Place(NamedTuple):
    """A word and the text around it."""

    text: str
    before: str
    token: NameToken


def measure_lone_name(text: str, group: Sequence[NameToken]) -> int:
    """Count the words of a name that begins with the first word; 0 if it is no name."""
    first = group[0]
    before = _text_before(text, first)
    is_introduced = bool(INTRODUCTION.search(before))
    is_name = _is_name(_Place(text, before, first))
    if not is_name and not (is_introduced and may_be_name(first, before)):
        return 2 if _is_latin_pair(group) else 0
    length = 1
    while length < len(group) and (
        continues_name(group[length - 1], group[length])
        or (is_introduced and may_be_name(group[length], ""))
    ):
        length += 1
    return length


def _is_latin_pair(group: Sequence[NameToken]) -> bool:
    return len(group) > 1 and is_latin_name(group[0]) and is_latin_surname(group[1])


def is_title(text: str, group: Sequence[NameToken]) -> bool:
    """Return whether the words are a title: «Илья Муромец книга», «мультик Алёша Попович»."""
    first = group[0]
    before = _text_before(text, first)
    if _introduces_person(before):
        return is_animal(before)
    capitals = list(takewhile(lambda token: token.is_capitalised, group))
    return bool(
        is_second_in_title(text, before)
        or is_product(before, first)
        or names_thing(text, first, (capitals or [first])[-1].end)
    )


def _introduces_person(before: str) -> bool:
    return not HERO.search(before) and any(
        pattern.search(before) for pattern in (INTRODUCTION, GREETED, SELF)
    )


def _text_before(text: str, token: NameToken) -> str:
    """Return the text before a name, without a quotation mark if the words before introduce it."""
    before = text[max(0, token.start - LOOK_BACK) : token.start]
    bare = before.rstrip('«"„“')
    return bare if bare != before and INTRODUCTION.search(bare) else before


def _is_name(place: _Place) -> bool:
    text, before, token = place
    if ABBREVIATED.match(text, token.end) or is_product(before, token) or names_thing(text, token):
        return False
    if is_first_name(token) or is_diminutive(token) or is_nickname(text, token.start, token.end):
        return True
    return token.is_capitalised and any(rule(place) for rule in _RULES_OF_CAPITALISED)


def _has_honorific(place: _Place) -> bool:
    token = place.token
    return bool(HONORIFIC.match(place.text, token.end)) and not is_plain_word(token.word)


def _is_patronymic_of_person(place: _Place) -> bool:
    """Accept a patronymic; «в Петровиче» is a shop."""
    reading = place.token.reading
    return reading.is_patronymic and not reading.is_common and not _IN_SHOP.search(place.before)


def _is_caucasian_surname(place: _Place) -> bool:
    reading = place.token.reading
    return bool(CAUCASIAN.search(place.token.word)) and not (reading.is_common or reading.is_place)


def _is_introduced_surname(place: _Place) -> bool:
    return place.token.reading.is_surname and bool(INTRODUCTION.search(place.before))


def _is_addressed_in_latin(place: _Place) -> bool:
    text, before, token = place
    return is_latin_name(token) and bool(
        SELF.search(before) or GREETED.search(before) or is_spoken_to(text, before, token)
    )


def _is_vocative(place: _Place) -> bool:
    word, end = place.token.word, place.token.end
    return place.text[end : end + 1] in {",", "!"} and (
        is_vocative(word) or is_foreign_vocative(word)
    )


def _is_ambiguous_name(place: _Place) -> bool:
    """Accept a name that is also a word if the text addresses it: «Спасибо, Вера!»."""
    return folded(place.token.word) in ambiguous_names() and is_spoken_to(*place)


def _is_family(place: _Place) -> bool:
    """Accept the plural of a surname: «от Ивановых»."""
    token = place.token
    return bool(SELF.search(place.before)) and is_surname(token) and bool(FAMILY.search(token.word))


_RULES_OF_CAPITALISED: tuple[Callable[[_Place], bool], ...] = (
    _has_honorific,
    _is_patronymic_of_person,
    _is_caucasian_surname,
    _is_introduced_surname,
    lambda place: is_named_by_context(*place),
    _is_addressed_in_latin,
    _is_vocative,
    _is_ambiguous_name,
    _is_family,
)
