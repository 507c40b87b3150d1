"""Quotes of the local DeepSeek: different ones for each criterion if the seller wrote enough."""

import re
from collections.abc import Iterator

from app.sandbox.deepseek_chat import GradedChat, Quote, clip_sentence
from app.sandbox.deepseek_findings import Finding
from app.sandbox.deepseek_lexicon import MORE_THAN_GREETING

MOST_FAULTS_QUOTED = 2
_PAUSE = re.compile(r"[,;:–—]\s+")
_WORD = re.compile(r"[^\W\d_]{2}")


def share_quotes(chat: GradedChat, findings: dict[str, list[Finding]]) -> dict[str, list[Quote]]:
    """Return one quote for each criterion, or two for two faults.

    Criteria with a fault choose first: their quotes must show it. Then the last ones choose, whose
    quotes are the rarest: a date, an argument.
    """
    used: set[Quote] = set()
    shared: dict[str, list[Quote]] = {}
    last_first = list(reversed(findings))
    for criterion in sorted(last_first, key=lambda name: not _list_faults(findings[name])):
        faults = _list_faults(findings[criterion])
        quotes = [quote for quote in faults if quote not in used][:MOST_FAULTS_QUOTED]
        if not quotes:
            supporting = [found.quote for found in findings[criterion] if found.quote]
            place = supporting[-1].i if supporting else 0
            words = sorted(
                _list_words(chat), key=lambda quote: (" " not in quote.text, abs(quote.i - place))
            )
            quotes = _choose_quote([*faults, *supporting, *words], used)
        used.update(quotes)
        shared[criterion] = quotes
    return shared


def _list_faults(findings: list[Finding]) -> list[Quote]:
    quotes = [found.quote for found in findings if found.value == "n" and found.quote]
    return list(dict.fromkeys(quotes))


def _choose_quote(candidates: list[Quote], used: set[Quote]) -> list[Quote]:
    unused = [quote for quote in candidates if quote not in used]
    return (unused or candidates)[:1]


def _list_words(chat: GradedChat) -> Iterator[Quote]:
    """Yield the seller's sentences, then their parts."""
    written = [(turn.i, sentence) for turn in chat.seller for sentence in turn.sentences]
    parts = [(i, part) for i, sentence in written for part in _PAUSE.split(sentence)]
    for i, words in (*written, *parts):
        if _WORD.search(words) and MORE_THAN_GREETING.search(words):
            yield Quote(i, clip_sentence(words.strip()))
