"""The mail's form: a digest's figures as HTML, as text, and as the MIME message that is stored and
then sent to each recipient.

Both parts are filled from one context, so they cannot differ in a figure. Chat text is written by
strangers: the context holds it cleaned and cut, and the HTML template escapes it.
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
from app.services.mail.template_context import absence, context, covered_days, speaker, verdict
from app.services.mail.template_tiles import ENOUGH, score_change

_SENDER_NAME = "Авито-чаты"
_BOUNDARY, _INNER_BOUNDARY = "=_avito-quality_=", "=_avito-quality-text_="
"""Neither ``_`` nor a leading ``=`` occurs in base64, and fixed ones make the same figures the same
bytes.
"""
_SHEET_TYPE = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def subject(figures: DigestFigures) -> str:
    """The subject: day, mean score and its change, chats, buyers who wait, and a warning where
    something is missing.

    The chats of a mail beside the daily one are others than those of its few reports: they are no
    company for their mean score.
    """
    days = covered_days(figures)
    span = f"{days[0]:%d.%m}" if len(days) == 1 else f"{days[0]:%d.%m}–{days[-1]:%d.%m}"
    parts = [
        _mean(figures),
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


def _mean(figures: DigestFigures) -> str:
    """The mean score with its change; of a mail that is not its date's first, with what it is the
    mean of.
    """
    if figures.mean_score is None:
        return "новых отчётов нет"
    if figures.part:
        return (
            f"{number(figures.mean_score)} по"
            f" {plural(figures.reports, 'отчёту', 'отчётам', 'отчётам')}"
        )
    change = score_change(figures)
    return number(figures.mean_score) + (f" ({change})" if change else "")


def render_html(figures: DigestFigures) -> str:
    """The mail's HTML part: a whole page without outside resources, at most 60 KB in UTF-8."""
    return _render("daily.html.jinja", figures)


def render_page(figures: DigestFigures, mails: Sequence[DayMail]) -> str:
    """The same of a date, for a browser: with every buyer who waits and, where there are several,
    the ``mails`` that brought it.
    """
    return _render(
        "daily.html.jinja", figures, mails=mails if len(mails) > 1 else (), waiting_shown=None
    )


def render_text(figures: DigestFigures) -> str:
    """The mail's text part: the same figures in the same order."""
    return _render("daily.txt.jinja", figures)


def build_mime(
    figures: DigestFigures, *, sender: str, now: datetime, attachment: Attachment | None = None
) -> bytes:
    """The mail as it is stored: everything but ``To`` and ``Message-ID``, which
    :func:`add_recipient` puts in front.

    The same arguments give the same bytes. ``sender`` is an add_recipient, with or without a name
    before it; answers go there as well.
    """
    origin = _mailbox(sender)
    mail = EmailMessage(policy=policy.SMTP if origin.username.isascii() else policy.SMTPUTF8)
    mail["From"] = origin
    mail["Reply-To"] = origin
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
    # EmailMessage loses a blank where it folds a long Cyrillic header; the older class does not.
    title = Header(to_one_line(subject(figures)), "utf-8", header_name="Subject").encode(
        linesep="\r\n"
    )
    return f"Subject: {title}\r\n".encode() + mail.as_bytes()


def add_recipient(mime: bytes, *, recipient: str, message_id: str) -> bytes:
    """A stored mail made out to one recipient; what was stored follows byte for byte."""
    return (
        f"To: {MailAddress.parse(recipient)}\r\nMessage-ID: {to_one_line(message_id)}\r\n".encode()
        + mime
    )


def message_id(digest_id: int, recipient: str, sender: str, now: datetime) -> str:
    """The ``Message-ID`` of one mail to one recipient: the same at each attempt, and silent about
    who the recipient is.

    ``now`` tells mails of the same number apart: those of another installation, and those of a
    database that was begun anew.
    """
    mark = sha256(f"{digest_id}\n{recipient}\n{now.isoformat()}".encode()).hexdigest()[:32]
    return f"<digest-{digest_id}.{mark}@{_mailbox(sender).domain}>"


def _mailbox(sender: str) -> Address:
    name, bracket, spec = to_one_line(sender).rpartition("<")
    add_recipient = MailAddress.parse(spec.rstrip(">") if bracket else spec)
    return Address(name.strip() or _SENDER_NAME, add_recipient.local_part, add_recipient.domain)


def _render(template: str, figures: DigestFigures, **page: Any) -> str:
    return _TEMPLATES.get_template(template).render(
        context(figures, **page), subject=subject(figures)
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
    chat_url=chat_url, verdict=verdict, absence=absence, speaker=speaker, enough=ENOUGH
)
