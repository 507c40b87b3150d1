"""Classify SMTP failures as recipient, settings or temporary errors.

The enhanced status code (RFC 3463, RFC 5248) has precedence. The step of the session counts only
without such a code.
"""

import re
import ssl
from enum import StrEnum
from typing import NamedTuple

import aiosmtplib

from app.clients.connection_faults import OUT_OF_FILES, is_out_of_files
from app.clients.mail.errors import MailAccessError, MailError, MailRefusedError, MailTemporaryError
from app.clients.text import build_excerpt
from app.clients.tls import describe_certificate_fault

_LONGEST_EXCERPT = 300
# A multi-line reply repeats the code on each line. qmail puts it at the end: "no mailbox here by
# that name (#5.1.1)".
_ENHANCED = re.compile(r"(?:^#?|\(#)([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.MULTILINE)
_RECIPIENT_CODES = re.compile(r"5\.[12]\.\d+")
_SENDER_CODES = frozenset({"5.1.7", "5.1.8"})
_NO_SMTPUTF8 = "5.6.7"


class Step(StrEnum):
    """The command that a reply belongs to; ``DOT`` is the end of the mail's text."""

    CONNECT = "CONNECT"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "."


class _Cause(NamedTuple):
    """Cause of a refusal, the advice, and its signs.

    In a temporary reply only ``pattern`` counts as a sign.
    """

    what: str
    check: str
    pattern: str | None = None
    codes: frozenset[int] = frozenset()
    enhanced: str | None = None
    steps: frozenset[Step] = frozenset()

    def matches_text(self, answer: str) -> bool:
        text = re.sub(r"<[^>]*>", "", answer)  # an address does not indicate the cause
        return self.pattern is not None and re.search(self.pattern, text, re.IGNORECASE) is not None

    def matches_code(self, code: int, enhanced: str) -> bool:
        return code in self.codes or (
            self.enhanced is not None and re.fullmatch(self.enhanced, enhanced) is not None
        )


_CAUSES = (
    _Cause(
        "не пустил",
        "проверьте SMTP_USERNAME, SMTP_PASSWORD и SMTP_SECURITY; часто нужен пароль приложения",
        pattern=r"authentication (is )?required|must (be )?authenticat",
        codes=frozenset(
            {530, 534, 535, 538}
        ),  # RFC 4954: login required, other method, wrong, encryption required
        enhanced=r"5\.7\.(8|9|13|14)",
        steps=frozenset({Step.AUTH}),
    ),
    _Cause(
        "не принял шифрование",
        "проверьте SMTP_SECURITY и SMTP_PORT",
        pattern=r"\bstarttls\b|\btls (is )?required",
        enhanced=r"5\.7\.(10|11)",
        steps=frozenset({Step.STARTTLS}),
    ),
    _Cause(
        "не принял имя, которым представилась служба",
        "задайте в SMTP_EHLO_NAME полное имя этой машины, известное в DNS",
        pattern=r"\b(helo|ehlo)\b",
        codes=frozenset({504}),
        steps=frozenset({Step.EHLO}),
    ),
    _Cause(
        "не пересылает наши письма на чужие адреса (relay)",
        "проверьте SMTP_HOST, SMTP_PORT, SMTP_USERNAME и SMTP_PASSWORD: обычно для пересылки нужен"
        " вход",
        pattern=r"\brelay|rcpthosts|not permitted to send to",
    ),
    _Cause(
        "не верит, что письмо от домена отправителя",
        "проверьте MAIL_FROM и записи SPF, DKIM, DMARC его домена и обратную запись адреса этой"
        " машины",
        pattern=r"\b(spf|dkim|dmarc)\b",
        enhanced=r"5\.7\.2[0-9]",
    ),
    _Cause(
        "держит отправителя в чёрном списке или принял письмо за спам",
        "проверьте адрес этой машины по спискам, MAIL_FROM и SMTP_HOST или покажите ответ"
        " администратору почты",
        pattern=(
            r"\bspam|\bjunk\b|\bblock(ed|list| list)|\bblack"
            r" ?list|\b(rbl|dnsbl)\b|\blisted\b|\breputation|\bvirus|\bunsolicited"
        ),
    ),
    _Cause(
        "не принимает такие большие письма",
        "поднимите предел размера на сервере SMTP_HOST или возьмите другой сервер",
        pattern=r"\bmessage (file |size )?(is )?too (big|large)|\bmessage size",
        codes=frozenset({523, 552}),
        enhanced=r"5\.3\.4",
    ),
    _Cause(
        "не понимает команды или их параметра",
        "проверьте, тот ли сервер в SMTP_HOST и SMTP_PORT, и покажите ответ его администратору",
        codes=frozenset({500, 502, 503, 555}),
        enhanced=r"5\.5\.[1-5]",
    ),
    _Cause(
        "не разрешает слать с этого адреса",
        "проверьте MAIL_FROM, обычно это тот же адрес, что SMTP_USERNAME",
        pattern=r"\bsender\b|mail from|not owned by",
        codes=frozenset({553}),
        enhanced=r"5\.1\.[78]|5\.6\.7",
        steps=frozenset({Step.MAIL}),
    ),
    _Cause(
        "не хочет с нами работать",
        "проверьте SMTP_HOST, SMTP_PORT и SMTP_SECURITY",
        codes=frozenset({521}),
        steps=frozenset({Step.CONNECT}),
    ),
)
_OTHER_RULE = _Cause(
    "не принял письмо по своим правилам",
    "проверьте MAIL_FROM и SMTP_HOST или покажите ответ администратору почты",
)


def build_reply_error(
    step: Step, code: int, text: str, *, cyrillic_recipient: bool = False
) -> MailError:
    """Build the error for an unexpected reply.

    Only 5.1.x (except 5.1.7 and 5.1.8, which concern the sender) and 5.2.x count against the
    recipient; without an enhanced code, 550 and 551 at RCPT do. ``cyrillic_recipient``: only the
    recipient's address needs SMTPUTF8, so 5.6.7 concerns it.
    """
    answer = build_excerpt(text, _LONGEST_EXCERPT)
    reply = f"{code} {answer}"
    found = _ENHANCED.search(text)
    enhanced = found[1] if found else ""
    if not 500 <= code < 600:
        named = next((cause for cause in _CAUSES if cause.matches_text(text)), None)
        remedy = f"; если не пройдёт, {named.check}" if named else ""
        return MailTemporaryError(
            f"Почтовый сервер просит зайти позже ({reply}): повторим сами{remedy}.",
            code=code if code > 0 else None,
            answer=answer,
        )
    if enhanced == _NO_SMTPUTF8 and cyrillic_recipient:
        return _build_recipient_smtputf8_error(code, answer)
    cause = _find_cause(step, code, enhanced, text)
    if _concerns_recipient(step, code, enhanced, cause, text):
        message = (
            f"Почтовый сервер не принял этого получателя ({reply}): проверьте его адрес в"
            " REPORT_RECIPIENTS."
        )
        return MailRefusedError(message, code=code, answer=answer)
    return MailAccessError(
        f"Почтовый сервер {cause.what} ({reply}): {cause.check}.", code=code, answer=answer
    )


def _find_cause(step: Step, code: int, enhanced: str, text: str) -> _Cause:
    """Find the cause by text, then by code, then by step.

    Text is more specific than codes: Postfix sends 504 5.5.2 for names in EHLO and for senders.
    """
    by_words = [cause for cause in _CAUSES if cause.matches_text(text)]
    by_code = [cause for cause in _CAUSES if cause.matches_code(code, enhanced)]
    by_step = [cause for cause in _CAUSES if step in cause.steps]
    return [*by_words, *by_code, *by_step, _OTHER_RULE][0]


def _concerns_recipient(step: Step, code: int, enhanced: str, cause: _Cause, text: str) -> bool:
    if enhanced:
        return _RECIPIENT_CODES.fullmatch(enhanced) is not None and enhanced not in _SENDER_CODES
    # Old servers also refuse to relay with a 550 without an enhanced code.
    return step is Step.RCPT and code in (550, 551) and not cause.matches_text(text)


def build_connection_error(error: Exception, host: str, port: int) -> MailError:
    """Build the error for a session that failed or never began.

    The message names the setting to check.
    """
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return build_reply_error(_find_step(error), error.code, str(error.message))
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        reason = build_excerpt(str(error), _LONGEST_EXCERPT)
        certificate = describe_certificate_fault(error)
        message = (
            f"Соединение с почтовым сервером {host}:{port} не зашифровать ({reason}):"
            f"{f' {certificate};' if certificate else ''} проверьте SMTP_SECURITY, SMTP_PORT и"
            " SMTP_HOST."
        )
        return MailAccessError(message, answer=reason)
    if isinstance(error, aiosmtplib.SMTPException) and not isinstance(error, OSError):
        reason = build_excerpt(error.message, _LONGEST_EXCERPT)
        message = (
            f"Почтовый сервер {host}:{port} не предлагает нужного ({reason}): проверьте"
            " SMTP_SECURITY, SMTP_PORT и SMTP_USERNAME."
        )
        return MailAccessError(message, answer=reason)
    if is_out_of_files(error):
        return MailTemporaryError(OUT_OF_FILES)
    # aiosmtplib's lost connections and timeouts are OSErrors.
    reason = build_excerpt(str(error) or type(error).__name__, _LONGEST_EXCERPT)
    message = (
        f"Почтовый сервер {host}:{port} недоступен ({reason}): повторим позже; если повторяется,"
        " проверьте SMTP_HOST и SMTP_PORT."
    )
    return MailTemporaryError(message, answer=reason)


def _find_step(error: aiosmtplib.SMTPResponseException) -> Step:
    """Return the step of a reply during connection setup.

    aiosmtplib has no error class for STARTTLS.
    """
    match error:
        case aiosmtplib.SMTPConnectResponseError():
            return Step.CONNECT
        case aiosmtplib.SMTPHeloError():
            return Step.EHLO
        case aiosmtplib.SMTPAuthenticationError():
            return Step.AUTH
    return Step.STARTTLS


def build_address_error(setting: str) -> MailError:
    """Build the error for an invalid address; ``setting`` names the setting that contains it."""
    error = MailRefusedError if setting == "REPORT_RECIPIENTS" else MailAccessError
    return error(f"Почтовый адрес записан неверно: проверьте {setting}.")


def build_smtputf8_error(*, recipient: bool) -> MailError:
    """Build the error for a Cyrillic local part if the server supports only ASCII."""
    if recipient:
        return _build_recipient_smtputf8_error(None, "")
    return MailAccessError(
        "Почтовый сервер не умеет адреса с кириллицей до знака @: замените адрес в MAIL_FROM."
    )


def _build_recipient_smtputf8_error(code: int | None, answer: str) -> MailRefusedError:
    reply = f" ({code} {answer})" if code else ""
    message = (
        f"Почтовый сервер не умеет адреса с кириллицей до знака @{reply}: замените этот адрес в"
        " REPORT_RECIPIENTS."
    )
    return MailRefusedError(message, code=code, answer=answer)
