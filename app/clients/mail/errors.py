"""What goes wrong with mail, by whose turn it is. ``code`` is the server's SMTP code, if it gave one; ``answer`` its own words."""

from app.errors import PermanentError, TransientError, UpstreamError


class MailError(UpstreamError):
    """Any failure to send a mail."""

    def __init__(self, message: str, *, code: int | None = None, answer: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.answer = answer


class MailTemporaryError(MailError, TransientError):
    """The server says "later" (4xx), cannot be reached, is too slow or hung up.

    After a connection that was lost at the very end nobody knows whether the mail was taken: the same bytes may go again.
    """


class MailRefusedError(MailError, PermanentError):
    """The server does not take this mail for this recipient (5xx)."""


class MailAccessError(MailError, PermanentError):
    """The server does not work with our settings (or the folder cannot be written): the same goes for every recipient."""
