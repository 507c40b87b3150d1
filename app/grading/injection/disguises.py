"""Reads a text the ways a model may read it though a plain search does not: other alphabets' look-alikes, figures for letters, codes."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator

from app.domain.visible_text import keep_visible
from app.grading.masking.transliteration import in_cyrillic

_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_TAG_BLOCK = 0xE0000
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,2000}={0,2}(?![A-Za-z0-9+/_=-])")
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[ :]?){12,1000}(?![0-9A-Fa-f])")
_SPACED_OUT = re.compile(r"(?<!\w)\w([ .*_-])\w(?:\1\w){1,100}(?!\w)")
# An order in Russian by Latin letters, and one written backwards, each by words that it cannot do without.
_TRANSLITERATED = re.compile(r"(?i)o[ct]s?en[ko]|kriter|ball|instruk|pravil|rubrik|ignorir|ne[iy]ro|vysok|visok|nizk|maksim|prompt|zabud")
_TRANSLITERATED_TS = re.compile("(?i)oc(?=en)")
_BACKWARDS = re.compile(
    r"(?i)оцк?не|кнецо|иицкуртсни|[ьи]?(?:ва|ватс)(?:тс)?оп(?!\w)|укосыв|йоксин|юукзин|йируронги|лавар?п|тпморп"
    r"|етирк|llа|erongi|noitcurtsni|edarg"
)
_CYRILLIC_LOOKS = "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁ"
_LATIN_LOOKS = "ABESIJKMHOPCTYXaesijopcyxd"
_TO_LATIN = str.maketrans(_CYRILLIC_LOOKS + "0134579$@!", _LATIN_LOOKS + "oieastgsai")
_TO_CYRILLIC = str.maketrans("ABEKMHOPCTYXaeopcyxutmkr01346@", "АВЕКМНОРСТУХаеорсухитмкгоизчба")
_OTHER_FIGURES = str.maketrans("34", "еа")
_WORD = re.compile(r"[\w$@!]+")
# Two alphabets or a figure in one word, letters apart, a long code, anything but Russian, English and signs: nearly no message has any.
_SUSPECT = re.compile(
    r"[А-яЁё][A-Za-z]|[A-Za-z][А-яЁё]|[^\W\d_][\d$@!]+[^\W\d_]|\d[^\W\d_]|[^\W\d_]\d|\w[ .*_-]\w[ .*_-]\w(?!\w)"
    r"|[A-Za-z\d+/_-]{20}|[^ -~\nА-яЁё«»—–…№₽]"
)


def readings(text: str) -> list[str]:
    """What the text says at first sight, and each other thing it says once a disguise is taken off; none twice."""
    backwards = [text[::-1]] if _BACKWARDS.search(text) else []
    if not _SUSPECT.search(text):
        return [text, *backwards, *_transliterated(text)]
    seen = unicodedata.normalize("NFKC", keep_visible(text))  # full-width, bold, circled letters are letters again
    together = _SPACED_OUT.sub(lambda letters: re.sub(r"[ .*_-]", "", letters[0]), seen)
    found = [seen, re.sub(" {2,9}", " ", together) if together != seen else seen]
    found += [_in_one_script(reading) for reading in (*found, seen.translate(_OTHER_FIGURES))]
    found += [_WORD.sub(_as_latin, reading) for reading in found[:2]]
    decoded = list(_coded(text))
    return list(dict.fromkeys([*found, *decoded, *backwards, *_transliterated(seen)]))


def _transliterated(text: str) -> Iterator[str]:
    if _TRANSLITERATED.search(text):
        yield in_cyrillic(_TRANSLITERATED_TS.sub("ots", text))


def _in_one_script(text: str) -> str:
    """Words in which Russian letters stand, all in Russian letters."""
    return _WORD.sub(lambda word: word[0].translate(_TO_CYRILLIC) if re.search("[а-яё]", word[0], re.IGNORECASE) else word[0], text)


def _as_latin(word: re.Match[str]) -> str:
    return word[0].translate(_TO_LATIN) if re.search("[A-Za-z]", word[0]) else word[0]


def _coded(text: str) -> Iterator[str]:
    """What is written in Unicode's invisible tag letters or in base64."""
    for tags in _TAGS.findall(text):
        yield "".join(chr(ord(tag) - _TAG_BLOCK) for tag in tags)
    for code in _HEX.findall(text):
        yield keep_visible(bytes.fromhex(re.sub("[ :]", "", code)).decode(errors="ignore"))
    for code in _BASE64.findall(text):
        try:
            yield keep_visible(
                base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_" if re.search("[-_]", code) else None).decode()
            )
        except (binascii.Error, UnicodeDecodeError):
            continue
