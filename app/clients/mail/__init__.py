"""Mail clients: an SMTP server or a folder, with the same ``send`` and ``check``, and errors."""

from app.clients.mail.errors import MailAccessError, MailError, MailRefusedError, MailTemporaryError
from app.clients.mail.fence import Fence
from app.clients.mail.outbox import OutboxFolder
from app.clients.mail.smtp import Security, SmtpClient

MailClient = SmtpClient | OutboxFolder

__all__ = [
    "Fence",
    "MailAccessError",
    "MailClient",
    "MailError",
    "MailRefusedError",
    "MailTemporaryError",
    "OutboxFolder",
    "Security",
    "SmtpClient",
]
