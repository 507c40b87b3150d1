"""Notices a message that speaks to the grader instead of the other person. A flag for people, never a reason for a grade."""

import re

from app.grading.injection.disguises import readings
from app.grading.injection.signs import SIGNS

# Of lower-case lines: a pattern that ignores case is several times slower.
_SIGNS = tuple(map(re.compile, SIGNS))
_FRAME = re.compile(r"^([\w-]{16,64})$[\s\S]{1,2000}?^\1$", re.MULTILINE)  # the same mark before and after something


def addresses_grader(text: str) -> bool:
    """True where the text, disguised or not, gives orders to a model or a grader, poses as a system message or as the answer's format."""
    return any(_is_sign(reading.lower()) for reading in readings(text))


def _is_sign(reading: str) -> bool:
    return bool(_FRAME.search(reading)) or any(sign.search(line) for line in reading.splitlines() for sign in _SIGNS)
