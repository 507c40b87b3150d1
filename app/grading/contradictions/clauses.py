"""Split a text into clauses with their amounts and the things that they name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.domain.visible_text import keep_visible
from app.grading.contradictions.amount import Amount
from app.grading.contradictions.amounts import list_amounts
from app.grading.contradictions.lexicon import NEUTRAL, PLAIN, SYNONYMS
from app.grading.contradictions.numbers import read_number_word
from app.grading.masking.transliteration import skeleton
from app.grading.masking.words import parse_word

_SENTENCE_END = re.compile(
    r"[!?…;\n]+|(?<!\d)\.(?!\w)(?<!тыс\.)(?<!руб\.)(?<! р\.)(?<!\dр\.)(?<! г\.)(?<!\dг\.)"
    r"(?<! см\.)(?<!кв\.)"
    r"(?<!шт\.)(?<! т\.)(?<!т\.р\.)(?<! д\.)(?<!др\.)(?<!ул\.)(?<! в\.)(?<!разм\.)|(?<=\d)\.(?= |$)"
    r"|(?<=руб)\.(?= [а-я]{3,} )|(?<=\bр)\.(?= [а-я]{4,} )"
)
_CLAUSE_END = re.compile(
    r",(?!\d)|,(?=\d{3} ?(?:см|руб))|(?<= )(?:но|а|зато|плюс|и еще)(?= )|\((?=[^)]{8})|\)"
    r"|(?<=\d)(?= и [а-я]+ \d)|(?<= )[+](?= )"
    r"| — (?=[а-я]+ \d)|: (?=[а-я]+ [а-я]* ?\d[^,]{0,40},)"
)
_WORD = re.compile(r"(?<![\w-])(?:[а-я]{2,40}(?:-[а-я]{1,40})?|[a-z][a-z0-9]{1,40})")
_FOLDED = str.maketrans("ё\u00a0\u202f\u2009\t", "е    ")
_MOST_NOUNS = 40
_STEM, _LONG, _LEAST_STEM = 4, 6, 3
_SMALL = re.compile(r"(?:[ое]ч|[ую]ш|[ое]н|еч)?(?:ка|ек|ик|ок|чик|ко)$")
"""The endings of diminutives."""
_SOUNDS = 2
_VOWELS = frozenset("aeiou")
_WITH = re.compile(r"(?<!\w)(?:без|со?) (?!\d)(?:\w{2,40}(?:ой|ей|ым|им|ыми) )?\w{1,40}")
_WHOLE_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Clause:
    """A part of a text. ``text``: folded; ``start``, ``end``: its place in the folded text.

    ``sentence``: the number of its sentence. ``things``: lemmas of the nouns that are not neutral.
    """

    text: str
    start: int
    end: int
    sentence: int
    is_question: bool
    amounts: tuple[Amount, ...]
    things: frozenset[str]


def fold(text: str) -> str:
    """Return the visible text in lower case with «е» for «ё», with the same length as it has."""
    shown = keep_visible(text)
    lower = shown.lower()
    if len(lower) != len(shown):
        lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in shown)
    return lower.translate(_FOLDED)


def split_clauses(text: str) -> list[Clause]:
    """Return the clauses of a folded text. An amount is never divided."""
    amounts = list_amounts(text)
    clauses: list[Clause] = []
    for sentence, (start, end) in enumerate(_split(text, 0, len(text), _SENTENCE_END, amounts)):
        parts = _split(text, start, end, _CLAUSE_END, amounts)
        for first, last in parts:
            own = tuple(one for one in amounts if first <= one.start < last)
            words = text[first:last]
            mark = text[last : last + 4].lstrip(' )»"')[:1]
            is_question = mark == "?" and last == parts[-1][1]
            clauses.append(
                Clause(
                    words, first, last, sentence, is_question, own, frozenset(list_things(words))
                )
            )
    return clauses


def _split(
    text: str, start: int, end: int, mark: re.Pattern[str], amounts: Sequence[Amount]
) -> list[tuple[int, int]]:
    places, first = list[tuple[int, int]](), start
    for match in mark.finditer(text, start, end):
        if any(one.start < match.start() < one.end - 1 for one in amounts):
            continue
        if text[first : match.start()].strip():
            places.append((first, match.start()))
        first = match.end()
    if text[first:end].strip():
        places.append((first, end))
    return places


def list_things(text: str) -> tuple[str, ...]:
    """Return the lemmas of the nouns of a folded text that are not neutral, in their order.

    Words after «с» and «без» are left out: a text is not about them.
    """
    lemmas = (get_thing(match[0]) for match in _WORD.finditer(_WITH.sub(" ", text)))
    return tuple([lemma for lemma in lemmas if lemma is not None][:_MOST_NOUNS])


def has_verb(text: str) -> bool:
    """Return whether a folded text has a verb."""
    words = (match[0] for match in _WORD.finditer(text) if not match[0].isascii())
    return any(parses and parses[0].tag.POS == "VERB" for parses in map(parse_word, words))


def list_additions(text: str) -> tuple[str, ...]:
    """Return the lemmas of the nouns after «с» in a folded text."""
    found = (list_things(match[0].partition(" ")[2]) for match in _WITH.finditer(text))
    return tuple(thing for things in found for thing in things)


def list_adjectives(text: str) -> tuple[str, ...]:
    """Return the adjectives of a folded text that distinguish similar things, as lemmas."""
    found = (get_adjective(match[0]) for match in _WORD.finditer(_WITH.sub(" ", text)))
    return tuple(lemma for lemma in found if lemma is not None)


@lru_cache(maxsize=20_000)
def get_sound(word: str) -> str:
    """Return the consonants of a Russian or Latin word: «камри» and Camry have the same."""
    return "".join(letter for letter in skeleton(word) if letter not in _VOWELS)


@lru_cache(maxsize=20_000)
def get_adjective(word: str) -> str | None:
    """Return the lemma of an adjective; None for another word or an adjective of any thing."""
    parses = () if word.isascii() else parse_word(word)
    if not parses or parses[0].tag.POS != "ADJF":
        return None
    lemma = parses[0].normal_form.replace("ё", "е")
    return None if lemma in PLAIN or "Apro" in parses[0].tag else lemma


@lru_cache(maxsize=20_000)
def get_thing(word: str) -> str | None:
    """Return the lemma of a noun or the Latin word; None for a neutral or another word."""
    if word.isascii():
        return None if word in NEUTRAL else word
    parses = parse_word(word)
    if not parses or parses[0].tag.POS != "NOUN" or read_number_word(word) or word in NEUTRAL:
        return None
    nouns = [parse for parse in parses if parse.tag.POS == "NOUN"]
    common = [parse for parse in nouns if "Name" not in parse.tag] or nouns
    lemmas = [parse.normal_form.replace("ё", "е") for parse in common]
    return None if NEUTRAL.intersection(lemmas) else lemmas[0]


@dataclass(frozen=True)
class Subject:
    """What a text is about. ``folded``: the text; ``lemmas``: of its words and their synonyms."""

    folded: str
    lemmas: frozenset[str]

    def names(self, thing: str) -> bool:
        """Return whether the text names the thing. The first letters of a long word are enough."""
        small = _SMALL.sub("", thing)
        if len(small) >= _LEAST_STEM and small != thing and f" {small}" in f" {self.folded}":
            return True
        if thing.isdecimal():
            return thing in self.folded
        if f" {thing}-" in f" {self.folded}":
            return True
        if thing in self.lemmas or (len(thing) >= _LONG and thing[:_STEM] in self.folded):
            return True
        sound = get_sound(thing)
        latin = (lemma for lemma in self.lemmas if lemma.isascii())
        return len(sound) >= _SOUNDS and any(sound == get_sound(lemma) for lemma in latin)

    def lacks(self, pattern: re.Pattern[str], text: str) -> bool:
        """Return whether another text has a word of the pattern that this one does not name."""
        found = (_WHOLE_WORD.match(text, match.start()) for match in pattern.finditer(text))
        words = [match[0] for match in found if match]
        return any(not self.names(get_thing(word) or get_lemma(word)) for word in words)


def make_subject(folded: str) -> Subject:
    """Return the subject of a folded text."""
    return Subject(folded, list_lemmas(folded))


@lru_cache(maxsize=20_000)
def get_lemma(word: str) -> str:
    """Return the likeliest lemma of a word."""
    if word.isascii():
        return word
    parses = parse_word(word)
    return parses[0].normal_form.replace("ё", "е") if parses else word


def list_lemmas(text: str) -> frozenset[str]:
    """Return the lemmas of all words of a folded text, and the names of the same things."""
    found = {
        lemma
        for match in _WORD.finditer(text)
        for lemma in (get_lemma(match[0]), get_thing(match[0]) or get_lemma(match[0]))
    }
    for group in SYNONYMS:
        if found & group:
            found |= group
    return frozenset(found)
