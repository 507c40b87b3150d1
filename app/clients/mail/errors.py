"""Failures of sending a mail, by who has to act. ``code`` is the server's SMTP code, if it gave
one; ``answer`` its own words.
"""

from app.errors import PermanentError, TransientError, UpstreamError


class MailError(UpstreamError):
    """Any failure to send a mail."""

    def __init__(self, message: str, *, code: int | None = None, answer: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.answer = answer


class MailTemporaryError(MailError, TransientError):
    """The server asks for a retry (4xx), cannot be reached, is too slow or has closed the
    connection.

    After a connection that was lost after the final dot it is unknown whether the mail was taken:
    the same bytes may be sent again.
    """


class MailRefusedError(MailError, PermanentError):
    """The server refuses this recipient: other recipients of the mail are not affected."""


class MailAccessError(MailError, PermanentError):
    """The server refuses our settings, our machine or the mail (or the folder cannot be written);
    the recipient is not the cause.
    """
