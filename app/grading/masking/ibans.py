"""Find international account numbers (IBAN), validated by their check digits."""

import re

from app.grading.masking.finders import END, FREE, Finder, digits_of, finder

_LEAST, _MOST = 15, 34
_LEAST_DIGITS = 8
_BODY = r"[A-Z]{2}[ -]?\d\d(?:[ -]?[A-Z0-9]){11,30}"


def is_valid_iban(text: str) -> bool:
    """Validate the length and the check digits (ISO 13616: the number modulo 97 is 1)."""
    plain = re.sub("[^A-Z0-9]", "", text.upper())
    if not _LEAST <= len(plain) <= _MOST:
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


def _has_digits(text: str) -> bool:
    return len(digits_of(text)) >= _LEAST_DIGITS


IBAN_FINDERS: tuple[Finder, ...] = (
    finder(rf"{FREE}(?i:{_BODY}){END}", accept=is_valid_iban),
    finder(
        rf"(?<!\w)(?i:iban|ибан|айбан|сч[её]т|реквизит|swift|свифт"
        rf"|банк)\w{{0,2}}[^\d\0\n]{{0,25}}?(?<!\w)(?P<v>(?i:{_BODY})){END}",
        accept=_has_digits,
    ),
)
