"""Find the concepts of a word by its lemma, its mood and its beginning."""

import re
from functools import cache, lru_cache, reduce
from operator import or_

from pymorphy3.analyzer import Parse

from app.grading.injection.foreign_lexicon import PREFIXES
from app.grading.injection.lexicon import ACT, LEMMAS, Concept
from app.grading.masking.words import parse_word

_WORDS_KEPT = 20_000
_LONGEST_PREFIX = 12
_LONGEST_WORD = 24
_LEAST_SCORE = 0.03
_LEAST_IMPERATIVE = 0.3
_RUSSIAN = re.compile("[а-яё]{1,24}")
# A demand on a condition is in the future: «если засчитаешь», «занизишь».
_SECOND_PERSON = frozenset({"indc", "2per", "sing"})


@cache
def _by_lemma() -> dict[str, int]:
    return _table(LEMMAS)


@cache
def _by_prefix() -> dict[str, int]:
    return _table(PREFIXES)


def _table(words: dict[int, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for concept, names in words.items():
        for name in names.split():
            found[name] = found.get(name, 0) | concept
    return found


@lru_cache(maxsize=_WORDS_KEPT)
def concepts_of(word: str) -> int:
    """Return the concepts of a lower-case word as bits; 0 if it has none."""
    if len(word) > _LONGEST_WORD:
        return 0
    return _concepts_of_prefixes(word) | (
        _concepts_of_lemmas(word) if _RUSSIAN.fullmatch(word) else 0
    )


@lru_cache(maxsize=_WORDS_KEPT)
def is_imperative(word: str) -> bool:
    """Return whether the word is a Russian verb in the singular imperative."""
    return bool(_RUSSIAN.fullmatch(word)) and any(
        "impr" in parse.tag
        and "sing" in parse.tag
        and parse.score >= _LEAST_IMPERATIVE
        and parse.is_known
        for parse in parse_word(word)
    )


def _concepts_of_prefixes(word: str) -> int:
    table = _by_prefix()
    found = table.get(f"{word}#", 0)
    for length in range(2, min(len(word), _LONGEST_PREFIX) + 1):
        found |= table.get(word[:length], 0)
    is_foreign_order = found & ACT and not _is_known(word)
    return found | Concept.ORDER if is_foreign_order else found


def _is_known(word: str) -> bool:
    return bool(_RUSSIAN.fullmatch(word)) and any(parse.is_known for parse in parse_word(word))


def _concepts_of_lemmas(word: str) -> int:
    """Return the concepts of the likely readings.

    The readings of a word that is in no dictionary are guesses and count as well.
    """
    parses = [parse for parse in parse_word(word) if parse.score >= _LEAST_SCORE]
    known = [parse for parse in parses if parse.is_known]
    return reduce(or_, map(_concepts_of_parse, known or parses), 0)


def _concepts_of_parse(parse: Parse) -> int:
    lemma = parse.normal_form.replace("ё", "е")
    table = _by_lemma()
    found = table.get(lemma, 0)
    if not found & ACT and lemma.endswith("ся") and table.get(lemma[:-2], 0) & ACT:
        return table[lemma[:-2]] | Concept.STATED
    return found | _mood(parse) if found & ACT else _as_judging(parse, found)


def _mood(parse: Parse) -> int:
    tag = parse.tag
    if "incl" in tag or ("past" in tag and tag.POS == "VERB"):
        return 0
    if "impr" in tag:
        return Concept.POLITE if "plur" in tag else Concept.ORDER
    if tag.POS == "INFN" or tag.grammemes >= _SECOND_PERSON:
        return Concept.ORDER
    return Concept.STATED if tag.POS in {"PRTS", "PRTF"} or "3per" in tag else 0


def _as_judging(parse: Parse, concepts: int) -> int:
    """Adjust the concept JUDGING to the form of the word.

    A participle names the reader. A verb in the past is not JUDGING because the reader reads the
    chat now.
    """
    if not concepts & Concept.JUDGING:
        return concepts
    if parse.tag.POS == "PRTF" and {"actv", "pres"} <= parse.tag.grammemes:
        return concepts | Concept.JUDGE
    return (
        concepts & ~Concept.JUDGING
        if "past" in parse.tag and parse.tag.POS in {"VERB", "PRTF", "PRTS"}
        else concepts
    )
