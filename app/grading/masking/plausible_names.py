"""Select the words of a profile's name that can be a person's."""

from app.grading.masking.first_names import ambiguous_names, folded, listed_names
from app.grading.masking.name_surroundings import NO_LATIN_NAME, SHOP
from app.grading.masking.name_words import CYRILLIC, WORD, name_by_skeleton
from app.grading.masking.transliteration import skeleton
from app.grading.masking.words import read_word

MOST_WORDS = 6


def plausible_words(name: str) -> list[str]:
    """Return the words of a profile's name that can be a person's.

    There are none in the name of a shop, in «Не важно» and in «Диван».
    """
    if SHOP.search(name):
        return []
    words = [word for word in WORD.findall(name) if len(word) > 1][:MOST_WORDS]
    return [word for word in words if _is_plausible(word)]


def _is_plausible(word: str) -> bool:
    if not CYRILLIC.fullmatch(word):
        return _is_plausible_in_latin(word)
    if folded(word) in listed_names() or folded(word) in ambiguous_names():
        return True
    reading = read_word(word)
    if reading.is_first_name:
        return True
    if reading.is_common:
        return False
    return reading.is_surname or reading.is_patronymic or _may_be_unknown_name(word)


def _is_plausible_in_latin(word: str) -> bool:
    is_name = skeleton(word) in name_by_skeleton()
    return len(word) > 2 and (is_name or (word[0].isupper() and not NO_LATIN_NAME.fullmatch(word)))


def _may_be_unknown_name(word: str) -> bool:
    reading = read_word(word)
    is_capitalised_noun = word[0].isupper() and reading.is_noun
    return not reading.is_known and is_capitalised_noun and len(word) > 2
