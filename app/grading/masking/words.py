"""Reads Russian words: whether one names a person, and in which case it stands."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from pymorphy3 import MorphAnalyzer
from pymorphy3.analyzer import Parse

MAX_WORD_LENGTH = 40
_RUSSIAN = re.compile(rf"[А-ЯЁа-яё]{{1,{MAX_WORD_LENGTH}}}")
# Letters of neighbouring languages as the Russian ones that names are spelled with.
_IN_RUSSIAN = str.maketrans(
    "іїєґўәғқңөұүҳҷһІЇЄҐЎӘҒҚҢӨҰҮҲҶҺ", "ииегуагкноуухчхИИЕГУАГКНОУУХЧХ", "'’"
)
_READINGS_KEPT = 20_000
_LEAST_SCORE = 0.15
_PERSON = ("Name", "Surn", "Patr")
_MOST_FORMS = 40


@dataclass(frozen=True)
class Reading:
    """What a word may be. `is_common`: a word of the dictionary that is not only somebody's name;
    `cases`: of its readings as a noun.
    """

    is_known: bool
    is_first_name: bool
    is_surname: bool
    is_patronymic: bool
    is_common: bool
    is_place: bool
    is_thing: bool
    is_adjective: bool
    is_noun: bool
    is_verb: bool
    is_genitive: bool
    lemma: str


@lru_cache(maxsize=_READINGS_KEPT)
def read_word(word: str) -> Reading:
    """The word's readings that are likely; of a word that stands in no dictionary, what its ending
    suggests.
    """
    word = word.translate(_IN_RUSSIAN)
    parses = _parses(word)
    known = bool(parses) and _morphology().word_is_known(word.lower())
    tags = [parse.tag for parse in parses]
    names = [parse for parse in parses if "Name" in parse.tag and "plur" not in parse.tag]
    common = [
        tag for tag in tags if not any(grammeme in tag for grammeme in (*_PERSON, "Geox", "Abbr"))
    ]
    return Reading(
        is_known=known,
        is_first_name=known and bool(names),
        is_surname=any("Surn" in tag for tag in tags),
        is_patronymic=any("Patr" in tag for tag in tags),
        is_common=known and bool(common),
        is_place=any("Geox" in tag for tag in tags),
        is_thing=any(
            tag.POS == "NOUN" and "inan" in tag and {"nomn", "accs", "gent"} & tag.grammemes
            for tag in common
        ),
        is_adjective=any("ADJF" in tag for tag in tags),
        is_noun=any(tag.POS == "NOUN" for tag in tags),
        is_verb=any(tag.POS in {"VERB", "INFN", "PRED", "GRND"} for tag in tags),
        is_genitive=any(tag.POS == "NOUN" and "gent" in tag for tag in tags),
        lemma=(names or parses)[0].normal_form if parses else word.lower(),
    )


@lru_cache(maxsize=_READINGS_KEPT)
def name_forms(word: str) -> tuple[str, ...]:
    """All cases of a name, lower-case; of a name that stands in no dictionary as its ending
    suggests.
    """
    parses = _morphology().parse(word.lower()) if _RUSSIAN.fullmatch(word) else []
    named = [parse for parse in parses if any(grammeme in parse.tag for grammeme in _PERSON)]
    forms = [
        form.word for parse in named[:3] for form in parse.lexeme if "plur" not in form.tag
    ] or _by_ending(word.lower())
    return tuple(dict.fromkeys([word.lower(), *forms]))[:_MOST_FORMS]


def parse_word(word: str) -> list[Parse]:
    """All readings of a lower-case Russian word, the likeliest first; not cached."""
    return list(_morphology().parse(word))


def _by_ending(word: str) -> list[str]:
    """The cases of a man's name on a consonant that the dictionary takes for another word: «Толик»,
    «Толиком».
    """
    return (
        [word + ending for ending in ("а", "у", "ом", "ем", "е")]
        if re.search("[бвгджзклмнпрстфхцчш]$", word)
        else []
    )


def _parses(word: str) -> list[Parse]:
    if not _RUSSIAN.fullmatch(
        word
    ):  # of other letters the dictionary has no words, and some it cannot name
        return []
    parses = _morphology().parse(word)
    return [parse for parse in parses if parse.score >= _LEAST_SCORE] or parses[:1]


@cache
def _morphology() -> MorphAnalyzer:
    return MorphAnalyzer()
