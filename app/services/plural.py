"""Russian numbers and the nouns after them."""

from math import floor

NBSP = "\u00a0"


def number(value: float) -> str:
    """A whole number, halves upwards, thousands apart: ``1 408``."""
    return f"{floor(value + 0.5):,}".replace(",", NBSP)


def plural(count: int, one: str, few: str, many: str) -> str:
    """A count with its noun in the form that Russian wants: 1 чат, 2 чата, 5 чатов, 11 чатов, 21
    чат.
    """
    if count % 10 == 1 and count % 100 != 11:
        form = one
    elif count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14):
        form = few
    else:
        form = many
    return f"{number(count)} {form}"
