"""Which of our errors a failure of aiosmtplib's is: the mail's fault, the settings', or nobody's for now."""

import ssl

import aiosmtplib

from app.clients.mail.errors import MailAccessError, MailError, MailRefusedError, MailTemporaryError
from app.clients.text import excerpt

_LONGEST_EXCERPT = 300
_AUTHENTICATION_CODES = (530, 534, 535, 538)  # RFC 4954: log in first, another way, wrong, encrypt first
_TOO_LARGE = 552


def mail_error(error: Exception, host: str, port: int) -> MailError:
    """The error for a failed attempt to send; the message names the setting that may be wrong."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answered(error)
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        reason = excerpt(str(error), _LONGEST_EXCERPT)
        message = f"Соединение с почтовым сервером {host}:{port} не зашифровать ({reason}): проверьте SMTP_SECURITY, SMTP_PORT и SMTP_HOST."
        return MailAccessError(message, answer=reason)
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return MailRefusedError("Почтовый сервер не умеет адреса с кириллицей: замените адрес в REPORT_RECIPIENTS или MAIL_FROM.")
    if isinstance(error, OSError):  # aiosmtplib's lost connections and time-outs are OSErrors as well
        reason = excerpt(str(error) or type(error).__name__, _LONGEST_EXCERPT)
        message = f"Почтовый сервер {host}:{port} недоступен ({reason}): повторим позже; если повторяется, проверьте SMTP_HOST и SMTP_PORT."
        return MailTemporaryError(message, answer=reason)
    if isinstance(error, aiosmtplib.SMTPException):
        reason = excerpt(error.message, _LONGEST_EXCERPT)
        message = f"Почтовый сервер {host}:{port} не предлагает нужного ({reason}): проверьте SMTP_SECURITY, SMTP_PORT и SMTP_USERNAME."
        return MailAccessError(message, answer=reason)
    return not_an_address()


def not_an_address() -> MailRefusedError:
    """The error for a sender or a recipient that no server would understand."""
    return MailRefusedError("Почтовый адрес записан неверно: проверьте REPORT_RECIPIENTS и MAIL_FROM.")


def _answered(error: aiosmtplib.SMTPResponseException) -> MailError:
    """The error for what the server said in so many words."""
    code, answer = error.code, excerpt(str(error.message), _LONGEST_EXCERPT)
    said = f"{code} {answer}"
    if not 500 <= code < 600:
        message = f"Почтовый сервер просит зайти позже ({said}): повторим сами."
        return MailTemporaryError(message, code=code if code > 0 else None, answer=answer)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError) or code in _AUTHENTICATION_CODES:
        message = (
            f"Почтовый сервер не пустил ({said}): проверьте SMTP_USERNAME, SMTP_PASSWORD и SMTP_SECURITY; часто нужен пароль приложения."
        )
        return MailAccessError(message, code=code, answer=answer)
    if isinstance(error, aiosmtplib.SMTPSenderRefused) and code != _TOO_LARGE:
        message = (
            f"Почтовый сервер не разрешает слать с этого адреса ({said}): проверьте MAIL_FROM, обычно это тот же адрес, что SMTP_USERNAME."
        )
        return MailAccessError(message, code=code, answer=answer)
    if isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError | aiosmtplib.SMTPSenderRefused):
        return MailRefusedError(
            f"Почтовый сервер не принял письмо ({said}): проверьте адрес в REPORT_RECIPIENTS.", code=code, answer=answer
        )
    message = f"Почтовый сервер не хочет с нами работать ({said}): проверьте SMTP_HOST, SMTP_PORT и SMTP_SECURITY."
    return MailAccessError(message, code=code, answer=answer)
