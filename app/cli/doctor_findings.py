"""The course of a doctor's visit: each check is a line as soon as it ends, and the faults are
counted.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.cli.console import Mark, say_marked
from app.errors import AppError


class DoctorFindings:
    """Prints what the checks find; ``faults`` counts what is to be fixed."""

    def __init__(self) -> None:
        self.faults = 0

    def good(self, words: str) -> None:
        """As it should be."""
        say_marked(Mark.GOOD, words)

    def unsure(self, words: str) -> None:
        """Works, but worth a look; or it cannot be told."""
        say_marked(Mark.UNSURE, words)

    def bad(self, words: str) -> None:
        """Does not work; the words say what to do."""
        self.faults += 1
        say_marked(Mark.BAD, words)

    @asynccontextmanager
    async def checking(
        self, subject: str, seconds: float, *, prefix: str = ""
    ) -> AsyncIterator[None]:
        """Checks of one system, ``seconds`` for all of them: the first that fails is told, after
        the prefix, and ends them.
        """
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            self.bad(
                f"{subject}: нет ответа за {seconds:.0f} с; проверьте адрес и доступ этой машины в"
                " сеть."
            )
        except AppError as error:
            self.bad(prefix + error.message)
