"""Clean the texts of an answer, and recognize those that people cannot use."""

import re

from app.domain.visible_text import keep_visible
from app.grading.quotation_marks import unify_marks
from app.grading.verdict_error import VerdictError

LONGEST_REASONING = 500
FEWEST_WORDS = 5
"""Russian words of a summary."""
_MOST_NAMES = 4
"""Latin words in a row that may be a name («Apple iPhone 13 Pro Max»). More are a sentence."""
# Tokens of masked data, placeholders of the prompt, words of the chat: any language is fine there.
_NOT_OWN_WORDS = re.compile(r"\[[А-ЯЁ]{1,20}_\d{1,6}\]|<\w{1,40}>|«(?:[^«»]++|«[^«»]*+»)*+»")
_NAME = r"\b(?:[A-Z]|[a-z]{0,20}+[A-Z0-9])[A-Za-z0-9.+-]{0,60}+"
_NAMES = re.compile(rf"{_NAME}(?:\s{{1,3}}{_NAME}){{0,200}}+")
_HAS_LATIN = re.compile(r"[A-Za-z]")
_FOREIGN = re.compile(r"[^\W\d_A-Za-zÀ-ɏªµºͰ-Ͽа-яё]|[Ͱ-Ͽ]{2}|ъ(?![еёюя])")
"""Lower letters of other scripts and languages, and numerals such as ².

One Greek letter is a sign: «Sony α7».
"""
_RUSSIAN_WORD = re.compile(r"(?<!\w)[а-яё]{1,60}(?!\w)", re.IGNORECASE)
_REFUSAL = re.compile(
    r"(?i)(?:^|[.!?]\s)(?:извините|простите|к сожалению|прошу прощения)\b[, ]{0,3}(?:но )?я\b"
    r"|\bне (?:могу|в состоянии|буду|имею возможности) (?:\w{1,20} )?"
    r"(?:оцени|оценк|проанализир|выполни|дать оцен|помочь)"
    r"|\bкак (?:языковая модель|ии|искусственный интеллект)\b"
)
_MARKUP = re.compile(
    r"(?m)^[^\S\n]{0,9}(?:[-*•–—+]|\d{1,2}[.)])[^\S\n]{1,9}(?=\D)|^\s{0,9}#{1,6}\s|\*\*|__|#{2,6}"
    r"|```\w{0,9}"
)


def clean_text(value: str) -> str:
    """Return the visible text as one line without markup."""
    return " ".join(_MARKUP.sub("", keep_visible(value)).split())


def is_russian(text: str) -> bool:
    """Return whether at least half of the letters are Russian and none are of another script.

    Tokens of masked data, quotations, placeholders and short Latin names do not count. A text
    without other letters is not Russian.
    """
    own = _NAMES.sub(_drop_names, _find_own_words(text)).lower()
    letters = [char for char in own if char.isalpha()]
    russian = sum("а" <= char <= "я" or char == "ё" for char in letters)
    is_foreign = any(map(str.isalpha, _FOREIGN.findall(own)))
    return bool(letters) and 2 * russian >= len(letters) and not is_foreign


def _find_own_words(text: str) -> str:
    return _NOT_OWN_WORDS.sub(" ", unify_marks(text)[0])


def _drop_names(match: re.Match[str]) -> str:
    words = sum(bool(_HAS_LATIN.search(word)) for word in match[0].split())
    return match[0] if words > _MOST_NAMES else " "


def read_russian(value: object) -> object:
    """Return the cleaned Russian text. Another type is left to pydantic."""
    if not isinstance(value, str):
        return value
    text = clean_text(value)
    if not is_russian(text):
        raise VerdictError("нужен непустой текст на русском языке")
    return text


def read_summary(value: object) -> object:
    """Return the cleaned text of a summary: Russian, of several words, no refusal."""
    text = read_russian(value)
    if not isinstance(text, str):
        return text
    if len(_RUSSIAN_WORD.findall(text)) < FEWEST_WORDS:
        raise VerdictError(f"нужен пересказ переписки, хотя бы {FEWEST_WORDS} русских слов")
    if _REFUSAL.search(_find_own_words(text)):
        raise VerdictError("нужен пересказ переписки, а не отказ её оценить")
    return text


def read_reasoning(value: object) -> str | None:
    """Return the sentence, or None for one that cannot be shown: it decides nothing."""
    text = clean_text(value) if isinstance(value, str) else ""
    return text[:LONGEST_REASONING] if is_russian(text) else None
