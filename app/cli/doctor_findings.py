"""Findings of ``doctor``: each one is printed at once, and faults are counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.cli.console import Mark, print_marked
from app.errors import AppError


class DoctorFindings:
    """Prints the findings of the checks; ``faults`` is the number of things to fix."""

    def __init__(self) -> None:
        self.faults = 0

    def good(self, text: str) -> None:
        """Report a check that passed."""
        print_marked(Mark.GOOD, text)

    def unsure(self, text: str) -> None:
        """Report a warning, or a check without a clear result."""
        print_marked(Mark.UNSURE, text)

    def bad(self, text: str) -> None:
        """Report a fault; the text states how to fix it."""
        self.faults += 1
        print_marked(Mark.BAD, text)

    @asynccontextmanager
    async def checking(
        self, subject: str, seconds: float, *, setting: str, prefix: str = ""
    ) -> AsyncIterator[None]:
        """Run the checks of one system, with a limit of ``seconds`` for all of them.

        The first failure ends them and is reported, starting with ``prefix``. ``setting``: where
        the address of the system is set.
        """
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            self.bad(
                f"{subject}: нет ответа за {seconds:.0f} с; проверьте {setting} и доступ этой"
                " машины в сеть."
            )
        except AppError as error:
            self.bad(prefix + error.message)
