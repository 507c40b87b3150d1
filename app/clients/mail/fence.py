"""What may stop a mail on its way to the server."""

from typing import Protocol


class Fence(Protocol):
    """Asked at the two last moments at which a mail can be kept back. If a method raises, the mail
    is not sent.
    """

    async def before_data(self) -> None:
        """Awaited once the server has accepted the recipient, before the mail's text."""

    def before_dot(self) -> None:
        """Called when only the final dot is left to be sent: the mail is the server's after it, and
        not before.
        """
