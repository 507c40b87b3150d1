"""Transient and permanent errors of sending a mail.

``code`` is the server's SMTP code, if any; ``answer`` is the server's text.
"""

from app.errors import PermanentError, TransientError, UpstreamError


class MailError(UpstreamError):
    """Base of all errors of sending a mail."""

    def __init__(self, message: str, *, code: int | None = None, answer: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.answer = answer


class MailTemporaryError(MailError, TransientError):
    """The server asks for a retry (4xx), is unreachable or too slow, or closed the connection.

    If the connection was lost after the final dot, it is unknown whether the server accepted the
    mail. The same bytes may then be sent again.
    """


class MailRefusedError(MailError, PermanentError):
    """The server refuses this recipient. Other recipients of the mail are not affected."""


class MailAccessError(MailError, PermanentError):
    """The server refuses the settings, this machine or the mail, or the folder is not writable.

    The recipient is not the cause.
    """
