"""Find names of people by morphology, by context and by the names known from a chat.

Particles, greetings, common nouns and verbs are not names, even if a profile consists of them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from app.grading.masking.first_names import folded, listed_names
from app.grading.masking.full_names import continues_name, measure_full_name
from app.grading.masking.known_names import KnownNames
from app.grading.masking.lone_names import is_title, measure_lone_name
from app.grading.masking.name_surroundings import introduced_words
from app.grading.masking.name_words import WORD, NameToken, is_plain_word, lower_names
from app.grading.masking.nicknames import PATRONYMIC_ENDINGS, colloquial_names, may_be_nickname
from app.grading.masking.plausible_names import MOST_WORDS
from app.grading.masking.quoted_titles import is_in_title

_JOINT = re.compile(r" ?- ?| {1,2}|\. ?")
_BEFORE_FORM = re.compile(
    r"(?:ИП|ип|Ип|гр\.|гражданин|гражданка|[Тт][её]т(?:ь|я|и|е|ю|ей)|[Дд]яд(?:ь|я|и|е|ю|ей)"
    r"|[Бб]аб(?:а|у|е|ы|ой)?|[Дд]ед(?:а|у|ом)?) $"
)
_LONGEST_BEFORE_FORM = 12
_LONGEST_WORD_AND_JOINT = 42


class People:
    """The people of one chat: each form of a known name leads to the name."""

    def __init__(self, names: Iterable[str], texts: Sequence[str]) -> None:
        """Collect names.

        `names`: people known from the chat; `texts`: its messages. The names with which people
        introduce themselves in them are known in every message.
        """
        self._known = KnownNames()
        for name in names:
            self._known.add(name)
        for text in texts:
            for word in introduced_words(text):
                self._known.add(word)
        self._own_forms = self._known.forms()

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, name) of each person named in the text.

        The name is as known, or in the nominative, or as it stands in the text.
        """
        position = 0
        while first := self._next_candidate(text, position):
            length, end, name = self._name_at(text, first)
            if length:
                before = _BEFORE_FORM.search(
                    text, max(0, first.start - _LONGEST_BEFORE_FORM), first.start
                )
                yield before.start() if before else first.start, end, name
            position = end

    def _next_candidate(self, text: str, position: int) -> NameToken | None:
        """Return the next word that may begin a name: capitalised, known or a first name."""
        for match in WORD.finditer(text, position):
            word = match[0]
            if self._may_begin_uncapitalised(word) if word.islower() else self._may_begin(word):
                return NameToken(match.start(), match.end(), word)
        return None

    def _may_begin(self, word: str) -> bool:
        return word[0].isupper() and (not is_plain_word(word) or folded(word) in self._own_forms)

    def _may_begin_uncapitalised(self, word: str) -> bool:
        return (
            word in _usual_names()
            or word in self._own_forms
            or (word.endswith(PATRONYMIC_ENDINGS) and may_be_nickname(word))
            or ("ё" in word and self._is_name_with_yo(word))
            or self._known.has_latin_spelling(word)
        )

    def _is_name_with_yo(self, word: str) -> bool:
        form = folded(word)
        return form in self._own_forms or form in lower_names()

    def _name_at(self, text: str, first: NameToken) -> tuple[int, int, str]:
        """Return the number of words of the name from this word on, its end, and the name."""
        group = _close_words(text, first)
        length, name = self._name_of(text, group)
        last = group[max(length, 1) - 1]
        has_dot = len(last.word) == 1 and text[last.end : last.end + 1] == "."
        return length, last.end + has_dot, name

    def _name_of(self, text: str, group: list[NameToken]) -> tuple[int, str]:
        known = [self._known.name_of(token) for token in group]
        if not known[0] and _begins_message_as_addressee(text, group[0]):
            known[0] = self._known.name_of_addressee(group[0].word)
        if known[0]:
            return _measure_known_name(group, known), known[0]
        length = measure_full_name(group) or measure_lone_name(text, group)
        if length and (
            is_in_title(text, group[0].start, group[length - 1].end) or is_title(text, group)
        ):
            return 0, ""
        return length, _nominative(group[:length], known[:length])


def _measure_known_name(group: Sequence[NameToken], known: Sequence[str | None]) -> int:
    length = 1
    while length < len(group) and (
        known[length] or continues_name(group[length - 1], group[length])
    ):
        length += 1
    return length


@cache
def _usual_names() -> frozenset[str]:
    return lower_names() | colloquial_names()


def _close_words(text: str, first: NameToken) -> list[NameToken]:
    """Return the word and those that follow it so closely that they may be one name."""
    group = [first]
    for match in WORD.finditer(text, first.end, first.end + MOST_WORDS * _LONGEST_WORD_AND_JOINT):
        last = group[-1]
        ends_sentence = text[last.end] == "." and len(last.word) > 1
        if ends_sentence or not _JOINT.fullmatch(text, last.end, match.start()):
            break
        group.append(NameToken(match.start(), match.end(), match[0]))
        if len(group) == MOST_WORDS:
            break
    return group


def _begins_message_as_addressee(text: str, token: NameToken) -> bool:
    return (
        not token.is_capitalised
        and text[token.end : token.end + 1] == ","
        and not text[: token.start].strip()
    )


def _nominative(group: Sequence[NameToken], known: Sequence[str | None]) -> str:
    """Return the known name, or the words with each listed name in the nominative."""
    person = next((name for name in known if name), None)
    return person or " ".join(
        listed_names().get(folded(token.word)) or token.word for token in group
    )
