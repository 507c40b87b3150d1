"""Measure names of several words: surname, first name, patronymic, initials."""

from collections.abc import Sequence
from itertools import takewhile

from app.grading.masking.first_names import ambiguous_names, folded
from app.grading.masking.name_words import (
    CYRILLIC,
    PARTICLE,
    NameToken,
    is_first_name,
    is_initial,
    is_latin_surname,
    is_patronymic,
    is_surname,
)


def measure_full_name(group: Sequence[NameToken]) -> int:
    """Count the first words that prove each other to be one name; 0 if they prove nothing.

    Examples: «Иванов И. И.», «И. И. Иванов», «Иванов Иван Петрович», «Мехти оглы».
    """
    words = list(takewhile(_may_be_part, group))
    if len(words) < 2:
        return 0
    if is_surname(words[0]) and is_initial(words[1]):
        return 3 if len(words) > 2 and is_initial(words[2]) else 2
    if is_initial(words[0]):
        return _measure_from_initials(words)
    return _measure_with_patronymic(words) or _measure_with_surname(words)


def _may_be_part(token: NameToken) -> bool:
    return token.is_capitalised or is_patronymic(token)


def _measure_from_initials(words: Sequence[NameToken]) -> int:
    """Measure «И. Иванов» and «И. И. Иванов»."""
    surname = 2 if len(words) > 2 and is_initial(words[1]) else 1
    return surname + 1 if len(words) > surname and is_surname(words[surname]) else 0


def _measure_with_patronymic(words: Sequence[NameToken]) -> int:
    """Measure a name whose second or third word is a patronymic."""
    if not _may_begin_full_name(words[0]):
        return 0
    for place in range(1, min(3, len(words))):
        if is_patronymic(words[place]) and not is_initial(words[place - 1]):
            return place + 1 + len(list(takewhile(_may_end_full_name, words[place + 1 :])))
    return 0


def _may_begin_full_name(token: NameToken) -> bool:
    """Exclude other words: «Спросить Ольгу Петровну» does not begin with «Спросить»."""
    return (
        is_surname(token)
        or is_first_name(token)
        or not token.reading.is_common
        or folded(token.word) in ambiguous_names()
    )


def _may_end_full_name(token: NameToken) -> bool:
    return is_surname(token) or is_initial(token) or is_patronymic(token)


def _measure_with_surname(words: Sequence[NameToken]) -> int:
    """Measure a surname before a first name, or after a name that stands in no dictionary."""
    first, second = words[0], words[1]
    is_before = is_surname(first) and is_first_name(second) and not first.reading.is_common
    return 2 if is_before or (_is_only_surname(second) and _may_be_foreign_name(first)) else 0


def _is_only_surname(token: NameToken) -> bool:
    reading = token.reading
    return reading.is_surname and not (reading.is_common or reading.is_place)


def _may_be_foreign_name(token: NameToken) -> bool:
    """Accept a capitalised noun of no dictionary: «Иброхим»."""
    return token.is_capitalised and len(token.word) > 3 and _is_unknown_noun(token)


def _is_unknown_noun(token: NameToken) -> bool:
    return not token.reading.is_known and token.reading.is_noun


def continues_name(before: NameToken, token: NameToken) -> bool:
    """Return whether a word belongs to the name that ends with the word before it."""
    if is_initial(token):
        return True
    if not token.is_capitalised:
        return _continues_uncapitalised(before, token)
    if is_patronymic(token) or is_surname(token):
        return True
    if not CYRILLIC.search(token.word):
        return is_latin_surname(token)
    return (
        is_first_name(token) or _is_unknown_noun(token) or folded(token.word) in ambiguous_names()
    )


def _continues_uncapitalised(before: NameToken, token: NameToken) -> bool:
    reading = token.reading
    is_long_surname = reading.is_surname and not reading.is_common and len(token.word) > 4
    return bool(PARTICLE.fullmatch(token.word)) or (
        (reading.is_patronymic or is_long_surname) and not before.is_capitalised
    )
