"""Words on the terminal: plain lines, and a mark before a result.

Whatever is printed may hold a listing's title or a buyer's name, so no text is read as Rich's
markup.
"""

from enum import Enum

from rich.console import Console
from rich.text import Text

PLAIN_WIDTH = 100
"""Columns of a table that goes into a file or a pipe."""

screen = Console(highlight=False, emoji=False)
if not screen.is_terminal:
    screen = Console(highlight=False, emoji=False, width=PLAIN_WIDTH)


class Mark(Enum):
    """How a thing stands, and the colour of that."""

    GOOD = ("✓", "green")
    BAD = ("✗", "bold red")
    UNSURE = ("!", "yellow")


def say(words: str = "", style: str = "", *, whole: bool = False) -> None:
    """A line; one too long for the terminal goes on in the next, unless it is to be copied as a
    ``whole``.
    """
    screen.print(Text(words, style=style), soft_wrap=whole or not screen.is_terminal)


def say_marked(mark: Mark, words: str) -> None:
    """A line with a mark before it."""
    sign, style = mark.value
    screen.print(Text.assemble((sign, style), " ", words), soft_wrap=not screen.is_terminal)
