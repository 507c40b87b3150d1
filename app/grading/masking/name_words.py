"""Classify a word by its form: first name, surname, patronymic or initial."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from app.grading.masking.first_names import ambiguous_names, folded, listed_names
from app.grading.masking.transliteration import in_cyrillic, skeleton
from app.grading.masking.words import Reading, read_word

LONG_ENOUGH_UNCAPITALISED = 5
CAPITALISED_ONLY = (
    "",
    "Варвара",
    "Вероника",
    "Виктория",
    "Марина",
    "Катюша",
    "Максим",
    "Малика",
    "Маргарита",
    "Муслим",
    "Динар",
    "Динара",
)
WORD = re.compile(r"(?<![^\W_])[^\W\d_]{1,40}(?:['’][^\W\d_]{1,20})?(?![^\W_])")
CYRILLIC = re.compile("[\u0400-\u04ff'’]+")
SURNAME_ENDING = re.compile(
    r"(?i)[а-яё]{2,30}(?:[оеё]в|[иы]н|[оеё]ва|[иы]на|[сц]кий|[сц]кая|енко|чук|[уюя]к|янц?|дзе"
    r"|швили|[оеё]вой|[иы]ной|[оеё]ву|[иы]ну|[оеё]вым|[иы]ным|[сц]кого|[сц]кому|[сц]кой|яну?а?"
    r"|ули|дин[аоу]?|заде|оглы|кызы|баев[ау]?)"
)
PATRONYMIC_ENDING = re.compile(
    r"(?i)[а-яё]{2,30}(?:[оеь]вич|[оеё]вн|ичн|ыныч|лыч|[аиы]ныч|иныч|ьич|мич|тич|кич)"
    r"(?:а|у|ом|ем|е|ой|ы|ей|ою)?|[а-яёіїєґ'’]{2,30}(?:[іїо]вна|[іїо]вни|[іїо]вні|йович)|ог?лы"
    r"|[уо]глы|г?[ык]ызы"
)
PARTICLE = re.compile(
    r"(?i)ог?лы|[уо]глы|[кг]ызы|заде|апа|апай|абый|абзый|ака|ага|агай|байке|эже|опа|хола|бай"
    r"|хон|джан|жан|хоним|ханум|ханым|муаллим"
)
DIMINUTIVE = re.compile(
    r"(?i)([а-яё]{2,8}?)(?:[ао]?[чшк]?[еоу]?(?:чк|шк|ньк|льк)|[ую]с|[ую]ш|[аоя]х|ул)"
    r"(?:а|у|е|и|ой|ей|ом|ем|ю|я)"
)
SHORT_DIMINUTIVE = re.compile(r"(?i)([а-яё]{4,9})к(?:а|и|у|е|ой|ою)")
CAUCASIAN = re.compile("[А-ЯЁа-яё]{3}(?:[бвгдзкмнпрстчшщл]ян(?:а|у|ом|е|ы)?|дзе|швили)$")
FAMILY = re.compile("(?:[оеё]в|[иы]н|ян)(?:ых|ы)$")


@dataclass(frozen=True)
class NameToken:
    start: int
    end: int
    word: str

    @property
    def is_capitalised(self) -> bool:
        return self.word[0].isupper()

    @property
    def is_oblique(self) -> bool:
        """Return whether the word is not in the nominative."""
        return folded(self.word) != folded(self.reading.lemma)

    @property
    def reading(self) -> Reading:
        return read_word(self.word)


@cache
def name_by_skeleton() -> dict[str, str]:
    names = {**ambiguous_names(), **listed_names()}
    return {skeleton(name): name for name in dict.fromkeys(names.values())}


def is_first_name(token: NameToken) -> bool:
    """Return whether a word is a first name and nothing else.

    A word in lower case must be long enough.
    """
    form = folded(token.word)
    if form in ambiguous_names():
        return False
    reading = token.reading
    if form in listed_names() and not (reading.is_common and not reading.is_first_name):
        return (token.is_capitalised and not is_odd_form(token, reading)) or (
            is_lower_name(token.word)
        )
    return (
        token.is_capitalised
        and reading.is_first_name
        and not reading.is_common
        and not reading.is_place
    )


def is_odd_form(token: NameToken, reading: Reading) -> bool:
    return reading.is_common and folded(token.word) != folded(listed_names()[folded(token.word)])


@lru_cache(maxsize=20_000)
def is_plain_word(word: str) -> bool:
    """Return whether a word of the dictionary is never a name."""
    reading, form = read_word(word), folded(word)
    is_person = (
        reading.is_first_name
        or reading.is_surname
        or reading.is_patronymic
        or bool(SURNAME_ENDING.fullmatch(word))
    )
    return (
        reading.is_common
        and not is_person
        and form not in listed_names()
        and form not in ambiguous_names()
    )


@cache
def lower_names() -> frozenset[str]:
    return frozenset(form for form in listed_names() if is_lower_name(form))


def is_lower_name(word: str) -> bool:
    form = folded(word)
    if (
        len(form) < LONG_ENOUGH_UNCAPITALISED
        or listed_names().get(form, "") in CAPITALISED_ONLY
        or form not in listed_names()
    ):
        return False
    reading = read_word(word)
    return reading.is_first_name and not reading.is_common


def is_surname(token: NameToken) -> bool:
    reading = token.reading
    return (
        token.is_capitalised
        and len(token.word) > 2
        and (reading.is_surname or bool(SURNAME_ENDING.fullmatch(token.word)))
        and not (reading.is_common and not reading.is_surname)
    )


def is_patronymic(token: NameToken) -> bool:
    return token.reading.is_patronymic or bool(
        token.is_capitalised and PATRONYMIC_ENDING.fullmatch(token.word)
    )


def is_initial(token: NameToken) -> bool:
    return len(token.word) == 1 and token.word.isupper()


def is_latin_name(token: NameToken) -> bool:
    return (
        token.is_capitalised
        and not CYRILLIC.search(token.word)
        and skeleton(token.word) in name_by_skeleton()
    )


def is_latin_surname(token: NameToken) -> bool:
    return (
        token.is_capitalised
        and not CYRILLIC.search(token.word)
        and len(token.word) > 3
        and bool(
            SURNAME_ENDING.fullmatch(in_cyrillic(token.word))
            or read_word(in_cyrillic(token.word)).is_surname
        )
    )


def is_diminutive(token: NameToken) -> bool:
    """Recognize a word of no dictionary with the stem of a first name: «Аллочка», «Викуся»."""
    if not token.is_capitalised or token.reading.is_known:
        return False
    return any(
        folded(match[1]) + ending in listed_names()
        for match in (DIMINUTIVE.fullmatch(token.word), SHORT_DIMINUTIVE.fullmatch(token.word))
        if match
        for ending in ("", "а", "я")
    )


def is_vocative(word: str) -> bool:
    """Recognize a name without its last vowel: «Маш, привет», «Тань!»."""
    stem = folded(word).removesuffix("ь")
    return (
        3 <= len(word) <= 5
        and not read_word(word).is_common
        and any(stem + vowel in listed_names() for vowel in "ая")
    )
