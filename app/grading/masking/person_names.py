"""Finds people's names in Russian text: by morphology, by what stands around, and those known from
the chat in every case and alphabet.

Only what can be a name is one: particles, greetings, common nouns and verbs stay, also where a
buyer calls himself by them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from app.grading.masking.first_names import ambiguous_names, folded, listed_names, short_forms
from app.grading.masking.name_surroundings import (
    ABBREVIATED,
    GREETED,
    HERO,
    HONORIFIC,
    INTRODUCTION,
    LOOK_BACK,
    SELF,
    introduced_words,
    is_guest,
    is_spoken_to,
    may_be_name,
)
from app.grading.masking.name_things import is_animal, is_product, is_second_in_title, names_a_thing
from app.grading.masking.name_words import (
    CAUCASIAN,
    CYRILLIC,
    FAMILY,
    LONG_ENOUGH_UNCAPITALISED,
    WORD,
    NameToken,
    full_name,
    goes_on,
    is_diminutive,
    is_first_name,
    is_latin_name,
    is_latin_surname,
    is_plain_word,
    is_surname,
    is_vocative,
    lower_names,
    name_by_skeleton,
)
from app.grading.masking.nicknames import (
    PATRONYMIC_ENDINGS,
    colloquial_names,
    is_foreign_vocative,
    is_nickname,
    may_be_nickname,
)
from app.grading.masking.plausible_names import MOST_WORDS, plausible_words
from app.grading.masking.quoted_titles import is_in_title
from app.grading.masking.transliteration import in_cyrillic, skeleton
from app.grading.masking.words import name_forms, read_word

MAX_NAME_LENGTH = 200
MAX_PEOPLE = 200
JOINT = re.compile(r" ?- ?| {1,2}|\. ?")
IN_SHOP = re.compile(r"(?i)(?<!\w)(?:в|из) $")
BEFORE_FORM = re.compile(
    r"(?:ИП|ип|Ип|гр\.|гражданин|гражданка|[Тт][её]т(?:ь|я|и|е|ю|ей)|[Дд]яд(?:ь|я|и|е|ю|ей)"
    r"|[Бб]аб(?:а|у|е|ы|ой)?|[Дд]ед(?:а|у|ом)?) $"
)


class People:
    """The people of one chat: each form of a known name leads to the name. At most MAX_PEOPLE names
    of MAX_NAME_LENGTH characters.
    """

    def __init__(self, names: Iterable[str], texts: Sequence[str]) -> None:
        """`names`: people known from the chat; `texts`: its messages, for names by which people
        introduce themselves in them.
        """
        self._capitalised: dict[
            str, str
        ] = {}  # folded form, as a rule capitalised in the text -> name
        self._any_case: dict[str, str] = {}
        self._skeletons: dict[str, str] = {}  # of Latin spellings
        self._known = 0
        for name in names:
            self._add(name.strip()[:MAX_NAME_LENGTH])
        for text in texts:
            for word in introduced_words(text):
                self._add(word)
        self._own_forms = {*self._any_case, *self._capitalised}

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """(start, end, name) of each person named in the text; the name is as known, or in the
        nominative, or as it stands there.
        """
        position = 0
        while first := self._next_candidate(text, position):
            length, end, name = self._name_at(text, first)
            if length:
                before = BEFORE_FORM.search(text, max(0, first.start - 12), first.start)
                yield before.start() if before else first.start, end, name
            position = end

    def _next_candidate(self, text: str, position: int) -> NameToken | None:
        """The next word that may begin a name: capitalised, known or a first name."""
        own, usual, nicknames = self._own_forms, lower_names(), colloquial_names()
        for match in WORD.finditer(text, position):
            word = match[0]
            if not word.islower():
                if word[0].isupper() and (not is_plain_word(word) or folded(word) in own):
                    return NameToken(match.start(), match.end(), word)
            elif (
                word in own
                or word in usual
                or word in nicknames
                or (word.endswith(PATRONYMIC_ENDINGS) and may_be_nickname(word))
                or ("ё" in word and (folded(word) in own or folded(word) in usual))
                or (word.isascii() and skeleton(word) in self._skeletons)
            ):
                return NameToken(match.start(), match.end(), word)
        return None

    def _name_at(self, text: str, first: NameToken) -> tuple[int, int, str]:
        """How many words from this one on are one person's name, where they end, and the name."""
        group = [first]
        for match in WORD.finditer(text, first.end, first.end + MOST_WORDS * 42):
            if not JOINT.fullmatch(text, group[-1].end, match.start()) or (
                text[group[-1].end] == "." and len(group[-1].word) > 1
            ):
                break
            group.append(NameToken(match.start(), match.end(), match[0]))
            if len(group) == MOST_WORDS:
                break
        length, name = self._name_of(text, group)
        last = group[max(length, 1) - 1]
        has_dot = len(last.word) == 1 and text[last.end : last.end + 1] == "."
        return length, last.end + has_dot, name

    def _name_of(self, text: str, group: list[NameToken]) -> tuple[int, str]:
        first = group[0]
        known = [self._person(token) for token in group]
        if (
            not first.is_capitalised
            and text[first.end : first.end + 1] == ","
            and not text[: first.start].strip()
        ):
            known[0] = known[0] or self._capitalised.get(folded(first.word))
        if known[0]:
            length = 1
            while length < len(group) and (known[length] or goes_on(group[:length], group[length])):
                length += 1
            return length, next((person for person in known[:length] if person), "")
        length = full_name(group) or self._single(text, group)
        if length and (
            is_in_title(text, first.start, group[length - 1].end) or self._is_title(text, group)
        ):
            length = 0
        return length, nominative(group[:length], [*known[:length]])

    def _is_known(self, word: str) -> bool:
        form = folded(word)
        return (
            form in self._any_case
            or form in self._capitalised
            or (word.isascii() and skeleton(word) in self._skeletons)
        )

    def _person(self, token: NameToken) -> str | None:
        form = folded(token.word)
        if not CYRILLIC.fullmatch(token.word):
            return (
                self._skeletons.get(skeleton(token.word))
                if token.is_capitalised or len(token.word) > 4
                else None
            )
        if form in self._any_case:
            return self._any_case[form]
        return self._capitalised.get(form) if token.is_capitalised else None

    @staticmethod
    def _is_title(text: str, group: list[NameToken]) -> bool:
        """«Илья Муромец книга», «мультик Алёша Попович»."""
        first = group[0]
        before = _text_before(text, first)
        if (
            INTRODUCTION.search(before) or GREETED.search(before) or SELF.search(before)
        ) and not HERO.search(before):
            return is_animal(before)
        capitals = next(
            (place for place, token in enumerate(group) if not token.is_capitalised), len(group)
        )
        return bool(
            is_second_in_title(text, before)
            or is_product(before, first)
            or names_a_thing(text, first, group[max(capitals, 1) - 1].end)
        )

    def _single(self, text: str, group: list[NameToken]) -> int:
        """The length of a name that begins with a first name, or with a word that can only be a
        name where it stands.
        """
        first = group[0]
        before = _text_before(text, first)
        is_introduced = bool(INTRODUCTION.search(before))
        if not (
            self._stands_alone(text, before, first)
            or (is_introduced and may_be_name(first, before))
        ):
            return (
                2 if len(group) > 1 and is_latin_name(first) and is_latin_surname(group[1]) else 0
            )
        length = 1
        while length < len(group) and (
            goes_on(group[:length], group[length])
            or (is_introduced and may_be_name(group[length], ""))
        ):
            length += 1
        return length

    def _stands_alone(self, text: str, before: str, token: NameToken) -> bool:
        """Whether the word is a name without a second one beside it."""
        if (
            ABBREVIATED.match(text, token.end)
            or is_product(before, token)
            or names_a_thing(text, token)
        ):
            return False
        if (
            is_first_name(token)
            or is_diminutive(token)
            or is_nickname(text, token.start, token.end)
        ):
            return True
        if (
            token.is_capitalised
            and HONORIFIC.match(text, token.end)
            and not is_plain_word(token.word)
        ):
            return True
        if not token.is_capitalised:
            return False
        reading = token.reading
        return (
            (reading.is_patronymic and not reading.is_common and not IN_SHOP.search(before))
            or (
                CAUCASIAN.search(token.word) is not None
                and not reading.is_common
                and not reading.is_place
            )
            or (reading.is_surname and bool(INTRODUCTION.search(before)))
            or is_guest(text, before, token)
            or (
                is_latin_name(token)
                and bool(
                    SELF.search(before)
                    or GREETED.search(before)
                    or is_spoken_to(text, before, token)
                )
            )
            or (
                text[token.end : token.end + 1] in {",", "!"}
                and (is_vocative(token.word) or is_foreign_vocative(token.word))
            )
            or (folded(token.word) in ambiguous_names() and is_spoken_to(text, before, token))
            or (bool(SELF.search(before)) and is_surname(token) and bool(FAMILY.search(token.word)))
        )

    def _add(self, name: str) -> None:
        words = plausible_words(name)
        if not words or self._known >= MAX_PEOPLE:
            return
        self._known += 1
        for word in words:
            self._skeletons.setdefault(skeleton(word), name)
            russian = word if CYRILLIC.fullmatch(word) else in_cyrillic(word)
            listed = (
                listed_names().get(folded(russian))
                or ambiguous_names().get(folded(russian))
                or name_by_skeleton().get(skeleton(word))
            )
            for spelling in (russian, *([listed, *short_forms(listed)] if listed else ())):
                self._add_forms(spelling, name)

    def _add_forms(self, word: str, name: str) -> None:
        for form in name_forms(word):
            reading = read_word(form)
            any_case = not reading.is_common and (
                reading.is_first_name or len(form) > LONG_ENOUGH_UNCAPITALISED
            )
            (self._any_case if any_case else self._capitalised).setdefault(folded(form), name)


def _text_before(text: str, token: NameToken) -> str:
    """Return the text before a name, without a quotation mark if the words before introduce it."""
    before = text[max(0, token.start - LOOK_BACK) : token.start]
    bare = before.rstrip('«"„“')
    return bare if bare != before and INTRODUCTION.search(bare) else before


def nominative(group: Sequence[NameToken], known: Sequence[str | None]) -> str:
    person = next((name for name in known if name), None)
    if person or not group:
        return person or ""
    return " ".join(listed_names().get(folded(token.word)) or token.word for token in group)
