"""The words of a profile's name that can be a person's."""

from app.grading.masking.first_names import ambiguous_names, folded, listed_names
from app.grading.masking.name_surroundings import NO_LATIN_NAME, SHOP
from app.grading.masking.name_words import CYRILLIC, WORD, name_by_skeleton
from app.grading.masking.transliteration import skeleton
from app.grading.masking.words import read_word

MOST_WORDS = 6


def plausible_words(name: str) -> list[str]:
    """The words of a profile's name that can be a person's; none of a shop's, of «Не важно» or of
    «Диван».
    """
    if SHOP.search(name):
        return []
    words = [word for word in WORD.findall(name) if len(word) > 1][:MOST_WORDS]
    return [word for word in words if is_plausible(word, among=len(words))]


def is_plausible(word: str, among: int) -> bool:
    if not CYRILLIC.fullmatch(word):
        return len(word) > 2 and (
            skeleton(word) in name_by_skeleton()
            or (word[0].isupper() and not NO_LATIN_NAME.fullmatch(word))
        )
    reading = read_word(word)
    if folded(word) in listed_names() or reading.is_first_name or folded(word) in ambiguous_names():
        return True
    if reading.is_common or (
        reading.is_known and not (reading.is_surname or reading.is_patronymic)
    ):
        return False
    return (
        reading.is_surname
        or reading.is_patronymic
        or (word[0].isupper() and reading.is_noun and len(word) > 2)
    )
