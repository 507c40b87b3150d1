"""Verify the quotations in the texts of the model."""

import re

from app.grading.evidence import QuoteVerifier
from app.grading.retelling import QUOTATION


def remove_unverified_quotations(text: str, transcript: QuoteVerifier) -> str:
    """Return the masked text of the model without quotations that no message contains."""

    def keep_verified(match: re.Match[str]) -> str:
        words = match["words"][1:-1]
        return match[0] if transcript.contains(words) else ""

    kept = _QUOTATION_AND_JOINT.sub(keep_verified, text)
    return text if kept == text else _close_gaps(kept)


_QUOTATION_AND_JOINT = re.compile(
    rf"(?:\s?(?:[,;:/—–-]|(?<!\w)(?:и|или|либо)(?=\s)))?\s?(?P<words>{QUOTATION.pattern})"
)


def _close_gaps(text: str) -> str:
    """Return the text without the punctuation that a removed quotation left behind."""
    closed = " ".join(text.split())
    closed = re.sub(r"\([ ,;:/—–-]{0,9}\)", "", closed)
    closed = re.sub(r"\( ?(?:[,;:/—–-]|(?:и|или|либо) ) ?", "(", closed)
    closed = re.sub(r" ([.,;:!?)])", r"\1", closed)
    closed = re.sub(r"([,;:])[,;:]{1,9}", r"\1", closed)
    closed = re.sub(r"[,;:](?=[.!?])", "", closed)
    closed = re.sub(r"(^|[.!?]) ?[—–-] ", r"\1 ", closed)
    closed = " ".join(closed.split()).strip(" ,;:/")
    return closed if any(map(str.isalnum, closed)) else ""
