"""Checks that can stop a mail during sending."""

from typing import Protocol


class Fence(Protocol):
    """Called at the last two points where a mail can be withheld.

    If a method raises, the mail is not sent.
    """

    async def before_data(self) -> None:
        """Awaited after the server has accepted the recipient and before the mail's text."""

    def before_dot(self) -> None:
        """Called when only the final dot remains to be sent.

        The server is responsible for the mail after the dot, not before.
        """
