"""Render a digest's figures as HTML, as text and as a MIME message.

The message is stored, then sent to each recipient. Both templates get the same context, so their
figures are equal. Chat text is untrusted: the context contains it sanitized and truncated, and the
HTML template escapes it.
"""

from collections.abc import Sequence
from datetime import datetime
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.addresses import MailAddress
from app.repositories.mail_days import DayMail
from app.russian_text import number, plural
from app.services.digests.figures import DigestFigures, MailPart
from app.services.display_text import chat_url, to_one_line
from app.services.mail.attachment import Attachment
from app.services.mail.template_context import (
    WaitingPage,
    describe_absence,
    describe_share,
    list_covered_days,
    make_context,
    make_speaker_prefix,
)
from app.services.mail.template_tiles import ENOUGH, format_score_change

_SENDER_NAME = "Авито-чаты"
_BOUNDARY, _INNER_BOUNDARY = "=_avito-quality_=", "=_avito-quality-text_="
"""They cannot occur in base64. They are constant, so the same figures give the same bytes."""
_SHEET_TYPE = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def make_subject(figures: DigestFigures) -> str:
    """Return the subject: date, mean score and its change, chats, waiting buyers, and a warning.

    A supplement's subject has no number of chats: its few reports are not of the period's chats.
    """
    days = list_covered_days(figures)
    span = f"{days[0]:%d.%m}" if len(days) == 1 else f"{days[0]:%d.%m}–{days[-1]:%d.%m}"
    parts = [
        _describe_mean(figures),
        *(
            [plural(figures.coverage.total, "чат", "чата", "чатов")]
            if figures.part != MailPart.SUPPLEMENT
            else []
        ),
        (
            f"{plural(len(figures.waiting_buyers), 'ждёт', 'ждут', 'ждут')} ответа"
            if figures.waiting_buyers
            else "никто не ждёт ответа"
        ),
    ]
    if figures.problems:
        parts.append("не всё получилось")
    return f"Авито-чаты {span}{f', {figures.part}' if figures.part else ''}: {' · '.join(parts)}"


def _describe_mean(figures: DigestFigures) -> str:
    """Return the mean score with its change, or with its base in a supplement or repeat."""
    if figures.mean_score is None:
        return "новых отчётов нет"
    if figures.part:
        return (
            f"{number(figures.mean_score)} по"
            f" {plural(figures.reports, 'отчёту', 'отчётам', 'отчётам')}"
        )
    change = format_score_change(figures)
    return number(figures.mean_score) + (f" ({change})" if change else "")


def render_html(figures: DigestFigures) -> str:
    """Return the mail's HTML part: a page without external resources, at most 60 KB in UTF-8."""
    return _render("daily.html.jinja", figures)


def render_page(figures: DigestFigures, mails: Sequence[DayMail], page: WaitingPage) -> str:
    """Return the HTML page of a date, with a page of waiting buyers and, if several, ``mails``."""
    return _render("daily.html.jinja", figures, mails=mails if len(mails) > 1 else (), page=page)


def render_text(figures: DigestFigures) -> str:
    """Return the mail's text part: the same figures in the same order."""
    return _render("daily.txt.jinja", figures)


def build_mime(
    figures: DigestFigures, *, sender: str, now: datetime, attachment: Attachment | None = None
) -> bytes:
    """Return the stored mail: without ``To`` and ``Message-ID``, see :func:`add_recipient`.

    The same arguments give the same bytes. ``sender`` is an address, optionally with a name before
    it. It is also the address for replies.
    """
    author = _parse_sender(sender)
    mail = EmailMessage(policy=policy.SMTP if author.username.isascii() else policy.SMTPUTF8)
    mail["From"] = author
    mail["Reply-To"] = author
    mail["Date"] = format_datetime(now.astimezone(ZoneInfo(figures.timezone)))
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(render_text(figures), cte="base64")
    mail.add_alternative(render_html(figures), subtype="html", cte="base64")
    mail.set_boundary(_INNER_BOUNDARY)
    if attachment is not None:
        mail.add_attachment(
            attachment.content,
            maintype="application",
            subtype=_SHEET_TYPE,
            filename=attachment.filename,
        )
        mail.set_boundary(_BOUNDARY)
    # EmailMessage loses a space where it folds a long Cyrillic header; the older class does not.
    title = Header(to_one_line(make_subject(figures)), "utf-8", header_name="Subject").encode(
        linesep="\r\n"
    )
    return f"Subject: {title}\r\n".encode() + mail.as_bytes()


def add_recipient(mime: bytes, *, recipient: str, message_id: str) -> bytes:
    """Put the recipient's headers before a stored mail, whose bytes stay unchanged."""
    return (
        f"To: {MailAddress.parse(recipient)}\r\nMessage-ID: {to_one_line(message_id)}\r\n".encode()
        + mime
    )


def make_message_id(digest_id: int, recipient: str, sender: str, now: datetime) -> str:
    """Return the ``Message-ID`` of one mail to one recipient, the same at each attempt.

    It does not disclose the recipient. ``now`` distinguishes mails with the same number in other
    installations and in a database that was created anew.
    """
    digest = sha256(f"{digest_id}\n{recipient}\n{now.isoformat()}".encode()).hexdigest()[:32]
    return f"<digest-{digest_id}.{digest}@{_parse_sender(sender).domain}>"


def _parse_sender(sender: str) -> Address:
    name, bracket, spec = to_one_line(sender).rpartition("<")
    address = MailAddress.parse(spec.rstrip(">") if bracket else spec)
    return Address(name.strip() or _SENDER_NAME, address.local_part, address.domain)


def _render(template: str, figures: DigestFigures, **page: Any) -> str:
    return _TEMPLATES.get_template(template).render(
        make_context(figures, **page), subject=make_subject(figures)
    )


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates"),
    autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(number=number)
_TEMPLATES.globals.update(
    chat_url=chat_url,
    verdict=describe_share,
    absence=describe_absence,
    speaker=make_speaker_prefix,
    enough=ENOUGH,
)
