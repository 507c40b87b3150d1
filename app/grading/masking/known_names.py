"""Names of the people known from a chat, in every case and alphabet."""

from app.grading.masking.first_names import ambiguous_names, folded, listed_names, short_forms
from app.grading.masking.name_words import (
    CYRILLIC,
    LONG_ENOUGH_UNCAPITALISED,
    NameToken,
    name_by_skeleton,
)
from app.grading.masking.plausible_names import plausible_words
from app.grading.masking.transliteration import in_cyrillic, skeleton
from app.grading.masking.words import name_forms, read_word

MAX_NAME_LENGTH = 200
MAX_PEOPLE = 200


class KnownNames:
    """Every form of at most MAX_PEOPLE names, each with the name as known."""

    def __init__(self) -> None:
        # The keys are folded forms. Forms that are also other words count only if capitalised.
        self._capitalised: dict[str, str] = {}
        self._any_case: dict[str, str] = {}
        self._skeletons: dict[str, str] = {}
        self._count = 0

    def add(self, name: str) -> None:
        """Add every form of a name; characters after MAX_NAME_LENGTH are ignored."""
        name = name.strip()[:MAX_NAME_LENGTH]
        words = plausible_words(name)
        if not words or self._count >= MAX_PEOPLE:
            return
        self._count += 1
        for word in words:
            self._skeletons.setdefault(skeleton(word), name)
            for spelling in _spellings(word):
                self._add_forms(spelling, name)

    def _add_forms(self, word: str, name: str) -> None:
        for form in name_forms(word):
            reading = read_word(form)
            is_certain = not reading.is_common and (
                reading.is_first_name or len(form) > LONG_ENOUGH_UNCAPITALISED
            )
            (self._any_case if is_certain else self._capitalised).setdefault(folded(form), name)

    def forms(self) -> frozenset[str]:
        """Return all folded forms in Russian letters."""
        return frozenset({*self._any_case, *self._capitalised})

    def has_latin_spelling(self, word: str) -> bool:
        """Return whether a word in Latin letters spells a known name."""
        return word.isascii() and skeleton(word) in self._skeletons

    def name_of(self, token: NameToken) -> str | None:
        """Return the known name that a word is a form of."""
        if not CYRILLIC.fullmatch(token.word):
            is_certain = token.is_capitalised or len(token.word) > 4
            return self._skeletons.get(skeleton(token.word)) if is_certain else None
        form = folded(token.word)
        return self._any_case.get(form) or (
            self._capitalised.get(form) if token.is_capitalised else None
        )

    def name_of_addressee(self, word: str) -> str | None:
        """Return the known name of a word in lower case that begins a message: «люба, привет»."""
        return self._capitalised.get(folded(word))


def _spellings(word: str) -> list[str]:
    """Return a name in Russian letters, its listed form and the short forms of that."""
    russian = word if CYRILLIC.fullmatch(word) else in_cyrillic(word)
    listed = (
        listed_names().get(folded(russian))
        or ambiguous_names().get(folded(russian))
        or name_by_skeleton().get(skeleton(word))
    )
    return [russian, *([listed, *short_forms(listed)] if listed else ())]
