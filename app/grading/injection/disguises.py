"""Remove disguises of a text that a model understands and a plain search does not.

Examples: look-alike letters of other alphabets, digits for letters, codes.
"""

import re
import unicodedata
from collections.abc import Iterator

from app.domain.visible_text import keep_visible
from app.grading.injection.codes import decoded_parts, rewritten
from app.grading.masking.transliteration import in_cyrillic

_SPACED_OUT = re.compile(r"(?<!\w)\w([ .*_-])\w(?:\1\w){1,100}(?!\w)")
_TWO_APART = re.compile(r"(?<!\w)\w([ .*_-])\w(?!\w)")
# An order in Russian by Latin letters, and one written backwards, each by words that it cannot do
# without.
_TRANSLITERATED = re.compile(
    r"(?i)o[ct]s?en[koi]|kriter|ball|instruk|pravil|rubrik|ignorir|ne[ijy]ro|vysok|visok|nizk"
    r"|maksim|prompt|zabud|analit|prover|prodav|menedzh|postav|vystav|otchet|vyvod|snizh|zanizh"
    r"|zas[hc]{1,3}it|zachti|ne pishi|napishi|vezhliv|grubost|zapishi|kachestv|klient"
)
_TRANSLITERATED_TS = re.compile("(?i)oc(?=en)")
_BACKWARDS = re.compile(
    r"(?i)оцк?не|кнецо|иицкуртсни|[ьи]?(?:ва|ватс)(?:тс)?оп(?!\w)|укосыв|йоксин|юукзин"
    r"|йируронги|лавар?п|тпморп|етирк|llа|erongi|noitcurtsni|edarg"
)
_CYRILLIC_LOOKS = "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁ"
_LATIN_LOOKS = "ABESIJKMHOPCTYXaesijopcyxd"
_TO_LATIN = str.maketrans(_CYRILLIC_LOOKS + "0134579$@!", _LATIN_LOOKS + "oieastgsai")
_TO_CYRILLIC = str.maketrans("ABEKMHOPCTYXaeopcyxutmkr01346@", "АВЕКМНОРСТУХаеорсухитмкгоизчба")
_OTHER_FIGURES = str.maketrans("34", "еа")
# Words cut into syllables: «ней-ро-сеть пос.тавь».
_DIVIDED = re.compile(r"(?<=[а-яё])[.·•|_/*-](?=[а-яё])", re.IGNORECASE)
_MANY_DIVIDED = 3
_ACCENTS = re.compile(r"(?!\u0308|(?<=[иИ])\u0306)[\u0300-\u036f]")
_MANY_ACCENTS = 5
_MANY_LINES, _FEW_WORDS = 3, 2
_WORD = re.compile(r"[\w$@!]+")
# Two alphabets or a figure in one word, letters apart, a long code, anything but Russian, English
# and signs: nearly no message has any.
_SUSPECT = re.compile(
    r"[А-яЁё][A-Za-z]|[A-Za-z][А-яЁё]|[^\W\d_][\d$@!]+[^\W\d_]|\d[^\W\d_]|[^\W\d_]\d"
    r"|\w[ .*_-]\w[ .*_-]\w(?!\w)|[а-яё][.·•|_/*-][а-яё]|[A-Za-z\d+/_-]{20}"
    r"|[^ -~\nА-яЁё«»—–…№₽]"
)


def readings(text: str) -> list[str]:
    """Return the text as written and each different text after a disguise is removed."""
    backwards = [text[::-1]] if _BACKWARDS.search(text) else []
    if not _SUSPECT.search(text):
        return [text, *_in_one_line(text), *backwards, *_transliterated(text), *rewritten(text)]
    seen = unicodedata.normalize(
        "NFKC", keep_visible(text)
    )  # full-width, bold, circled letters are letters again
    together = _SPACED_OUT.sub(lambda letters: re.sub(r"[ .*_-]", "", letters[0]), seen)
    if together != seen:
        together = _TWO_APART.sub(lambda letters: letters[0].replace(letters[1], ""), together)
    found = [seen, re.sub(" {2,9}", " ", together) if together != seen else seen]
    if len(_DIVIDED.findall(seen)) >= _MANY_DIVIDED:
        found += [_DIVIDED.sub("", seen), _DIVIDED.sub(" ", seen)]
    if len(_ACCENTS.findall(unicodedata.normalize("NFD", seen))) >= _MANY_ACCENTS:
        found.append(_without_accents(seen))
    found += _in_one_line(seen)
    found += [_in_one_script(reading) for reading in (*found, seen.translate(_OTHER_FIGURES))]
    found += [_WORD.sub(_as_latin, reading) for reading in found[:2]]
    return list(
        dict.fromkeys(
            [*found, *decoded_parts(text), *backwards, *_transliterated(seen), *rewritten(seen)]
        )
    )


def hidden_parts(text: str) -> list[str]:
    """Return the decoded parts of a text in lower case."""
    return [part.lower() for part in decoded_parts(text)] if _SUSPECT.search(text) else []


def _in_one_line(text: str) -> Iterator[str]:
    """Yield the text in one line if each line has a word or two."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) >= _MANY_LINES and all(len(words) <= _FEW_WORDS for words in lines):
        yield " ".join(word for words in lines for word in words)


def _without_accents(text: str) -> str:
    """Return the text without marks over and under letters, but those of «й» and «ё»."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", plain)


def _transliterated(text: str) -> Iterator[str]:
    if _TRANSLITERATED.search(text):
        yield in_cyrillic(_TRANSLITERATED_TS.sub("ots", text))


def _in_one_script(text: str) -> str:
    """Return the text with only Russian letters in each word that has one."""
    return _WORD.sub(
        lambda word: (
            word[0].translate(_TO_CYRILLIC)
            if re.search("[а-яё]", word[0], re.IGNORECASE)
            else word[0]
        ),
        text,
    )


def _as_latin(word: re.Match[str]) -> str:
    return word[0].translate(_TO_LATIN) if re.search("[A-Za-z]", word[0]) else word[0]
