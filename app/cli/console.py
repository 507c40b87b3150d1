"""Terminal output: plain lines, and result lines with a mark.

Text may contain a listing's title or a buyer's name, so it is never parsed as Rich markup.
"""

from enum import Enum

from rich.console import Console
from rich.text import Text

PLAIN_WIDTH = 100
"""Width in columns of a table that is written to a file or a pipe."""

screen = Console(highlight=False, emoji=False)
if not screen.is_terminal:
    screen = Console(highlight=False, emoji=False, width=PLAIN_WIDTH)


class Mark(Enum):
    """The mark of a result and its colour."""

    GOOD = ("✓", "green")
    BAD = ("✗", "bold red")
    UNSURE = ("!", "yellow")


def print_line(text: str = "", style: str = "", *, no_wrap: bool = False) -> None:
    """Print a line, wrapped to the terminal's width.

    A ``no_wrap`` line is not wrapped: the user can copy it.
    """
    screen.print(Text(text, style=style), soft_wrap=no_wrap or not screen.is_terminal)


def print_marked(mark: Mark, text: str) -> None:
    """Print a line that starts with a mark."""
    sign, style = mark.value
    screen.print(Text.assemble((sign, style), " ", text), soft_wrap=not screen.is_terminal)
