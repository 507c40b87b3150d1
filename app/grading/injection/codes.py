"""Decode parts of a text: tag letters, base64, hex, escapes, ROT13, wrong keyboard layout."""

import base64
import binascii
import codecs
import html
import re
from collections.abc import Iterator

from app.domain.visible_text import keep_visible

_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_TAG_BLOCK = 0xE0000
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,2000}={0,2}(?![A-Za-z0-9+/_=-])")
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[ :]?){12,1000}(?![0-9A-Fa-f])")
_BINARY = re.compile(r"(?<!\d)[01]{8}(?: ?[01]{8}){5,1000}(?!\d)")
_PERCENT = re.compile(r"(?:[\w.,+ -]|%[0-9A-Fa-f]{2}){4,4000}")
_ENTITY = re.compile(r"&#[xX]?[0-9A-Fa-f]{2,6};")
_ESCAPE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}")
_ESCAPED = re.compile(
    r"%[0-9A-Fa-f]{2}%[0-9A-Fa-f]{2}|&#[xX]?[0-9A-Fa-f]{2,6};|\\u[0-9A-Fa-f]{4}"
    r"|\\x[0-9A-Fa-f]{2}|[01]{8} ?[01]{8} ?[01]{8}"
)
_LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`{}:\"<>~"
_RUSSIAN_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюёхъжэбюё"
_TO_RUSSIAN_KEYS = str.maketrans(_LATIN_KEYS, _RUSSIAN_KEYS)
_TO_LATIN_KEYS = str.maketrans(_RUSSIAN_KEYS[:33], _LATIN_KEYS[:33])
# Stems without which an order in that language does without hardly ever, as they look in the code.
_RUSSIAN_STEMS = (
    "оценк оценщ балл постав выстав высок высш максим низк провер нейро робот отчет отчёт вывод"
    " вежлив критер менедж продав игнор инструк снижа заниж засчит запиш хамств"
)
_ENGLISH_STEMS = (
    "ignore grade score instruct rubric prompt seller highest rating evaluat summary verdict"
    " assistant"
)
_ON_LATIN_KEYS = re.compile(
    "|".join(re.escape(stem.translate(_TO_LATIN_KEYS)) for stem in _RUSSIAN_STEMS.split())
)
_ON_RUSSIAN_KEYS = re.compile(
    "|".join(stem.translate(_TO_RUSSIAN_KEYS) for stem in _ENGLISH_STEMS.split())
)
_IN_ROT13 = re.compile("|".join(codecs.encode(stem, "rot13") for stem in _ENGLISH_STEMS.split()))


def decoded_parts(text: str) -> Iterator[str]:
    """Decode the parts written in Unicode's invisible tag letters, in hex or in base64."""
    for tags in _TAGS.findall(text):
        yield "".join(chr(ord(tag) - _TAG_BLOCK) for tag in tags)
    for code in _HEX.findall(text):
        yield keep_visible(bytes.fromhex(re.sub("[ :]", "", code)).decode(errors="ignore"))
    for code in _BASE64.findall(text):
        try:
            yield keep_visible(
                base64.b64decode(
                    code + "=" * (-len(code) % 4),
                    altchars=b"-_" if re.search("[-_]", code) else None,
                ).decode()
            )
        except (binascii.Error, UnicodeDecodeError):
            continue


def rewritten(text: str) -> Iterator[str]:
    """Return the text with escapes resolved, in ROT13 or on the other keyboard layout.

    An ordinary text has no such reading.
    """
    lower = text.lower()
    if _ESCAPED.search(text):
        yield keep_visible(_unescaped(text))
    if _ON_LATIN_KEYS.search(lower):
        yield lower.translate(_TO_RUSSIAN_KEYS)
    if _ON_RUSSIAN_KEYS.search(lower):
        yield lower.translate(_TO_LATIN_KEYS)
    if _IN_ROT13.search(lower):
        yield codecs.encode(lower, "rot13")


def _unescaped(text: str) -> str:
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    text = _ESCAPE.sub(lambda escape: chr(int(f"0x{escape[0][2:]}", 0)), text)
    text = _BINARY.sub(lambda code: _from_binary(code[0]), text)
    return _PERCENT.sub(lambda code: _from_percent(code[0]), text)


def _from_binary(code: str) -> str:
    digits = code.replace(" ", "")
    return bytes(int(digits[start : start + 8], 2) for start in range(0, len(digits), 8)).decode(
        errors="ignore"
    )


def _from_percent(code: str) -> str:
    if "%" not in code:
        return code
    return re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda byte: bytes.fromhex(byte[1].decode()), code.encode()
    ).decode(errors="ignore")
