"""Read Russian words: parts of speech, cases, names of people and places."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from pymorphy3 import MorphAnalyzer
from pymorphy3.analyzer import Parse
from pymorphy3.tagset import OpencorporaTag

MAX_WORD_LENGTH = 40
_RUSSIAN = re.compile(rf"[А-ЯЁа-яё]{{1,{MAX_WORD_LENGTH}}}")
# Letters of neighbouring languages as the Russian ones that names are spelled with.
_IN_RUSSIAN = str.maketrans(
    "іїєґўәғқңөұүҳҷһІЇЄҐЎӘҒҚҢӨҰҮҲҶҺ", "ииегуагкноуухчхИИЕГУАГКНОУУХЧХ", "'’"
)
_READINGS_KEPT = 20_000
_LEAST_SCORE = 0.15
_PERSON = ("Name", "Surn", "Patr")
_NOT_COMMON = frozenset({*_PERSON, "Geox", "Abbr"})
_THING = frozenset({"NOUN", "inan"})
_CASES_OF_THING = frozenset({"nomn", "accs", "gent"})
_VERBS = frozenset({"VERB", "INFN", "PRED", "GRND"})
_MOST_FORMS = 40


@dataclass(frozen=True)
class Reading:
    """What a word may be. `is_common`: a word of the dictionary that is not only a name."""

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
    """Return the likely readings of a word; its ending decides if no dictionary contains it."""
    word = word.translate(_IN_RUSSIAN)
    parses = _parses(word)
    known = _is_known(word, parses)
    tags = [parse.tag for parse in parses]
    names = [parse for parse in parses if _is_one_first_name(parse.tag)]
    common = [tag for tag in tags if _NOT_COMMON.isdisjoint(tag.grammemes)]
    return Reading(
        is_known=known,
        is_first_name=known and bool(names),
        is_surname=_has(tags, "Surn"),
        is_patronymic=_has(tags, "Patr"),
        is_common=known and bool(common),
        is_place=_has(tags, "Geox"),
        is_thing=any(map(_is_thing, common)),
        is_adjective=_has(tags, "ADJF"),
        is_noun=_has(tags, "NOUN"),
        is_verb=not _VERBS.isdisjoint(tag.POS for tag in tags),
        is_genitive=_has(tags, "NOUN", "gent"),
        lemma=_lemma(word, names or parses),
    )


def _is_one_first_name(tag: OpencorporaTag) -> bool:
    return "Name" in tag and "plur" not in tag


def _lemma(word: str, parses: list[Parse]) -> str:
    return parses[0].normal_form if parses else word.lower()


def _is_known(word: str, parses: list[Parse]) -> bool:
    return bool(parses) and _morphology().word_is_known(word.lower())


def _is_thing(tag: OpencorporaTag) -> bool:
    return tag.grammemes >= _THING and not _CASES_OF_THING.isdisjoint(tag.grammemes)


def _has(tags: Iterable[OpencorporaTag], *grammemes: str) -> bool:
    """Return whether one of the tags has all the grammemes."""
    return any(tag.grammemes.issuperset(grammemes) for tag in tags)


@lru_cache(maxsize=_READINGS_KEPT)
def name_forms(word: str) -> tuple[str, ...]:
    """Return all cases of a name in lower case; its ending decides if it is in no dictionary."""
    parses = _morphology().parse(word.lower()) if _RUSSIAN.fullmatch(word) else []
    named = [parse for parse in parses if any(grammeme in parse.tag for grammeme in _PERSON)]
    forms = [
        form.word for parse in named[:3] for form in parse.lexeme if "plur" not in form.tag
    ] or _by_ending(word.lower())
    return tuple(dict.fromkeys([word.lower(), *forms]))[:_MOST_FORMS]


def parse_word(word: str) -> list[Parse]:
    """Return all readings of a lower-case Russian word, the likeliest first; not cached."""
    return list(_morphology().parse(word))


def _by_ending(word: str) -> list[str]:
    """Decline a male name that the dictionary takes for another word: «Толик», «Толиком»."""
    return (
        [word + ending for ending in ("а", "у", "ом", "ем", "е")]
        if re.search("[бвгджзклмнпрстфхцчш]$", word)
        else []
    )


def _parses(word: str) -> list[Parse]:
    # The dictionary has no words of other letters, and it fails on some letters.
    if not _RUSSIAN.fullmatch(word):
        return []
    parses = _morphology().parse(word)
    return [parse for parse in parses if parse.score >= _LEAST_SCORE] or parses[:1]


@cache
def _morphology() -> MorphAnalyzer:
    return MorphAnalyzer()
